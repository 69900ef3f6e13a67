"""Events told as sentences: the words for every event type, with the names of people and groups filled in."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from usher.core.reasons import Finding, Reason
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle import code_changes
from usher.lifecycle.wordings import WORDINGS, Wording
from usher.organizations.models import Organization
from usher.organizations.plans import METHOD_LABELS, Method, Plan
from usher.people.models import Account, Group, Membership

TOLD_AS = {kind.value: wording for kind, wording in WORDINGS.items()}
KNOWN = {reason.code: reason for reason in Reason}
FACTORS = {"totp": _("authenticator app"), "webauthn": _("passkey"), "recovery_codes": _("recovery codes")}
WAYS = {
    "password": _("With the sign-in name and password"),
    "passkey": _("With a passkey"),
    "owner": _("By a link, a code or a registration"),
}
# What a change set, in the order in which it is read.
CHANGED: Mapping[str, str | Promise] = {
    "name": _("name"),
    "slug": _("short name"),
    "accent": _("colour"),
    "time_zone": _("time zone"),
    "language": _("language"),
    "logo": _("logo"),
    "cap": _("places"),
    "state": _("state"),
    "plan": _("plan"),
    "seats": _("seats"),
    "starts_on": _("begins"),
    "ends_on": _("ends"),
    "methods": _("ways in"),
    "with_groups": _("groups"),
    "trusted": _("trusted"),
    "invitation_days": _("days of an invitation"),
    "passwords_for": _("passwords for"),
    "second_factor_for": _("second factor of"),
    "keeps": _("keeps a password"),
    "open_registration": _("registration open"),
    "outbox_paused": _("mail paused"),
    "jobs_retried": _("jobs tried again"),
    "jobs_dropped": _("jobs dropped"),
    "is_on": _("switched on"),
    "rules": _("rules"),
    "issuer": _("issuer"),
    "tenant": _("tenant"),
    "client_id": _("client id"),
    "secret": _("new secret"),
    "lets_in": _("lets new people in"),
    "guests": _("guests"),
    "leaver_days": _("frees the seat after days"),
    "auth_url": _("login address"),
    "token_url": _("token address"),
    "token_audience": _("audience of the token"),
    "jwks_url": _("keyset"),
    "origins": _("pages that show Usher"),
    "instructor_role": _("role of instructors"),
    "makes_groups": _("courses make groups"),
    "asks": _("asks to link or create"),
    "roster_hours": _("hours between rosters"),
    "tool_key": _("key for LMSs"),
}
# What a choice is called, where its code is not what people read.
CHOICES: Mapping[str, Mapping[str, str | Promise]] = {
    "passwords_for": {"everyone": _("everybody"), "admins": _("admins alone"), "marked": _("marked admins alone")},
    "second_factor_for": {"nobody": _("nobody"), "admins": _("admins"), "staff": _("all staff")},
}


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words. ``subject`` and ``membership_id`` say whom it is about, where it is about somebody."""

    at: dt.datetime
    type: str
    title: str
    sentence: str
    next_step: str = ""
    icon: str = "history"
    look: str = ""
    actor: str = ""
    subject: str = ""
    sign_in: str = ""  # of the subject, as long as there is a membership
    membership_id: uuid.UUID | None = None
    method: str = ""
    reason: str = ""
    evidence: str = ""
    no: str = ""  # the sentence of the reason alone, of a refusal

    def to_json(self) -> dict[str, str]:
        """As ``usher why --json`` shows it; empty values are left out."""
        told = {
            "at": self.at.isoformat(timespec="seconds"),
            "type": self.type,
            "title": self.title,
            "sentence": self.sentence,
            "next_step": self.next_step,
            "by": self.actor,
            "method": self.method,
            "reason": self.reason,
            "evidence": self.evidence,
        }
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Names:
    """The names behind the ids of some events; found in three queries for any number of them."""

    plan: Plan
    people: Mapping[uuid.UUID, str]
    sign_ins: Mapping[uuid.UUID, str]
    members: Mapping[uuid.UUID, uuid.UUID]
    groups: Mapping[str, str]


Speak = Callable[[Event, Names, Sequence[Finding]], str]


def tell(organization: Organization, events: Sequence[Event]) -> list[Told]:
    """Each event in words, in the order given."""
    names = _names(organization, events)
    return [_told(event, names) for event in events]


def _names(organization: Organization, events: Sequence[Event]) -> Names:
    ids = {event.actor_id for event in events} | {event.account_id for event in events}
    accounts = [account_id for account_id in ids if account_id]
    groups = {group for event in events for group in _groups_of(event)}
    found = Account.objects.filter(id__in=accounts).values_list("id", "username", "email", "sign_in_key")
    people = list(found) if accounts else []
    members = Membership.objects.filter(organization=organization, account_id__in=accounts)
    named = Group.objects.filter(organization=organization, id__in=groups).values_list("id", "name")
    return Names(
        organization.license.plan,
        {key: name for key, name, _email, _sign_in in people},
        {key: email or sign_in for key, _name, email, sign_in in people},
        dict(members.values_list("account_id", "id")) if accounts else {},
        {str(group_id): name for group_id, name in named} if groups else {},
    )


def _groups_of(event: Event) -> Iterable[str]:
    group = event.data.get("group")
    return [*event.data.get("groups", []), *([group] if group else [])]


def _told(event: Event, names: Names) -> Told:
    findings = findings_of(event)
    wording = TOLD_AS.get(event.type) or Wording(event.type, "")
    about = event.account_id
    membership_id = names.members.get(about) if about else None
    return Told(
        at=event.at,
        type=event.type,
        title=str(wording.title),
        sentence=" ".join(str(wording.sentence).format_map(_Words(event, names, findings)).split()),
        next_step=findings[0].next_step if findings else "",
        icon=wording.icon,
        look=wording.look,
        actor=_actor(event, names),
        subject=names.people.get(about, "") if about else "",
        sign_in=names.sign_ins.get(about, "") if about and membership_id else "",
        membership_id=membership_id,
        method=event.method,
        reason=event.reason,
        evidence=str(event.data.get("evidence", "")),
        no=" ".join(finding.sentence for finding in findings),
    )


class _Words(dict[str, Any]):
    """What the sentence of an event is filled with: its plain data, and what is made of the rest when it is asked for.

    What nobody knows any more (erased, or never recorded) is an ellipsis, never an error.
    """

    def __init__(self, event: Event, names: Names, findings: Sequence[Finding]) -> None:
        plain = {key: value for key, value in event.data.items() if isinstance(value, str | int)}
        super().__init__((key, value) for key, value in plain.items() if key not in SPOKEN)
        self._about = event, names, findings

    def __missing__(self, key: str) -> Any:
        speak = SPOKEN.get(key)
        return speak(*self._about) if speak else "…"


def findings_of(event: Event) -> list[Finding]:
    """Why an event says no: the findings with the facts of then, or the bare reason when those were erased."""
    kept = (event.personal or {}).get("findings") or ([[event.reason, "", {}]] if event.reason else [])
    return [
        Finding(KNOWN[code], _complete(KNOWN[code], facts), column) for code, column, facts in kept if code in KNOWN
    ]


def _complete(reason: Reason, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts, with an ellipsis for each that the texts of the reason want and nobody knows any more."""
    texts = str(reason.value[0]) + str(reason.value[1])
    wanted = {name for _text, name, _format, _conversion in Formatter().parse(texts) if name}
    return {**dict.fromkeys(wanted - {"column"}, "…"), **facts}


def _evidence(event: Event, _names: Names, _findings: Sequence[Finding]) -> str:
    return f": {event.data['evidence']}" if event.data.get("evidence") else ""


def _no(_event: Event, _names: Names, findings: Sequence[Finding]) -> str:
    return " ".join(finding.sentence for finding in findings)


def _group(event: Event, names: Names, _findings: Sequence[Finding]) -> str:
    return str(names.groups.get(str(event.data.get("group")), event.data.get("name", "…")))


def _right(event: Event, _names: Names, _findings: Sequence[Finding]) -> str:
    return now_("manager") if event.data.get("right") == "manager" else now_("member")


def _what_changed(event: Event, names: Names, _findings: Sequence[Finding]) -> str:
    if event.type == EventType.CODE_CHANGED:
        return code_changes.changes(event.data, names.plan, names.groups)
    return _changes(_with_typed_name(event))


def _why(event: Event, _names: Names, _findings: Sequence[Finding]) -> str:
    why = (event.personal or {}).get("why")
    return f": {why}" if why else ""


def _role(key: str) -> Speak:
    """The role that stands under this key, as people read it."""

    def speak(event: Event, names: Names, _findings: Sequence[Finding]) -> str:
        role = names.plan.role(str(event.data.get(key, "")))
        return str(role.label) if role else str(event.data.get(key, "…"))

    return speak


def _factors(event: Event, _names: Names, _findings: Sequence[Finding]) -> str:
    """What opens an account beside the password."""
    return ", ".join(str(FACTORS.get(kind, kind)) for kind in event.data.get("factors", ()))


def _way(event: Event, _names: Names, _findings: Sequence[Finding]) -> str:
    """How a session began. Of events that do not say it a passkey was all there was, or else the password."""
    kinds = list(event.data.get("factors", ()))
    way = str(event.data.get("way", "passkey" if kinds == ["webauthn"] else "password"))
    first = str(WAYS[way]) if way in WAYS else now_("With {provider}").format(provider=method_label(way))
    second = [] if way == "passkey" else [str(FACTORS.get(kind, kind)) for kind in kinds]
    return ", ".join([first, *second])


def _with_typed_name(event: Event) -> Mapping[str, Any]:
    """What was changed, with the name of an organisation as long as it is not erased."""
    was_changed = dict.fromkeys(event.data.get("changed", ()), "…")
    name = (event.personal or {}).get("name")
    return {**was_changed, **event.data, **({"name": name} if name else {})}


def _changes(data: Mapping[str, Any]) -> str:
    """What a change set, read aloud: “name Year 6, cap 30”."""
    return ", ".join(f"{CHANGED[key]} {_said(key, data[key])}" for key in CHANGED if key in data and data[key] != {})


def _said(key: str, value: Any) -> str:
    return str(CHOICES[key].get(value, value)) if key in CHOICES else _value(value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return now_("yes") if value else now_("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number}" for key, number in value.items())
    if isinstance(value, list):
        return ", ".join(method_label(part) for part in value) or now_("none")
    return "–" if value is None else str(value)


def _actor(event: Event, names: Names, _findings: Sequence[Finding] = ()) -> str:
    if event.actor_kind == "operator":
        return now_("the operator")
    if event.actor_kind == "system" or event.actor_id is None:
        return now_("Usher")
    if event.actor_kind == "api_key":
        return now_("an application")
    return names.people.get(event.actor_id, now_("somebody who is gone"))


def method_label(method: str) -> str:
    """What a person reads for a method's code."""
    return str(METHOD_LABELS[Method(method)][0]) if method in set(Method) else method


def _method(event: Event, _names: Names, _findings: Sequence[Finding]) -> str:
    return method_label(event.method)


SPOKEN: Mapping[str, Speak] = {
    "actor": _actor,
    "changes": _what_changed,
    "evidence": _evidence,
    "factor": _factors,
    "from": _role("from"),
    "group": _group,
    "method": _method,
    "no": _no,
    "right": _right,
    "role": _role("role"),
    "to": _role("to"),
    "way": _way,
    "why": _why,
}
