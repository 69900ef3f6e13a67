"""Events told as sentences: the words for every event type, with the names of people and groups filled in."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from usher.core.reasons import Finding, Reason
from usher.events.models import Event
from usher.events.types import EventType
from usher.organizations.models import Organization
from usher.organizations.plans import METHOD_LABELS, Method, Plan
from usher.people.models import Account, Group, Membership


@dataclass(frozen=True, slots=True)
class Wording:
    """How a type of event is told. The sentence is filled with the words of :func:`_words`."""

    title: str | Promise
    sentence: str | Promise
    icon: str = "history"
    look: str = ""  # "ok" when somebody gained something, "bad" for a no


WORDINGS: Mapping[EventType, Wording] = {
    EventType.ACCOUNT_CLAIMED: Wording(
        _("Proved the address"),
        _("The account is the person's own now. What was set before stopped working."),
        icon="id-badge-2",
        look="ok",
    ),
    EventType.ACCOUNT_CORRECTED: Wording(_("Corrected"), _("Name or address corrected by {actor}."), icon="pencil"),
    EventType.ACCOUNT_CREATED: Wording(_("Account made"), _("Made by {actor}."), icon="user-plus", look="ok"),
    EventType.ACCOUNT_SIGNED_IN: Wording(_("Signed in"), _("With the sign-in name and password."), icon="login-2"),
    EventType.GROUP_CHANGED: Wording(_("Group changed"), _("{group}: {changes}, by {actor}."), icon="users-group"),
    EventType.GROUP_CREATED: Wording(_("Group made"), _("{group}, by {actor}."), icon="users-plus", look="ok"),
    EventType.GROUP_JOINED: Wording(_("Joined a group"), _("{group}, as {right}, by {actor}."), icon="users-group"),
    EventType.GROUP_LEFT: Wording(_("Left a group"), _("{group}, by {actor}."), icon="users-group"),
    EventType.IMPORT_FINISHED: Wording(
        _("Import finished"),
        _("{file}, by {actor}: {created} in, {unchanged} unchanged, {refused} refused."),
        icon="file-spreadsheet",
        look="ok",
    ),
    EventType.IMPORT_REISSUED: Wording(_("New passwords for an import"), _("{file}, by {actor}."), icon="key"),
    EventType.IMPORT_STARTED: Wording(
        _("Import started"), _("{file} with {rows} rows, by {actor}."), icon="file-spreadsheet"
    ),
    EventType.LICENSE_CHANGED: Wording(_("Licence changed"), _("{changes}, by {actor}."), icon="certificate"),
    EventType.MEMBERSHIP_CREATED: Wording(
        _("Joined"), _("{method}, by {actor}, as {role}{evidence}."), icon="door-enter", look="ok"
    ),
    EventType.MEMBERSHIP_DEACTIVATED: Wording(_("Deactivated"), _("By {actor}. The seat is free."), icon="user-off"),
    EventType.MEMBERSHIP_MOVED: Wording(_("Role changed"), _("From {from} to {to}, by {actor}."), icon="adjustments"),
    EventType.MEMBERSHIP_REACTIVATED: Wording(
        _("Reactivated"), _("As {role}, by {actor}."), icon="user-check", look="ok"
    ),
    EventType.MEMBERSHIP_REFUSED: Wording(
        _("Refused"), _("{no} {method}, by {actor}{evidence}."), icon="ban", look="bad"
    ),
    EventType.OPERATOR_CREATED: Wording(_("Operator made"), _("By {actor}."), icon="terminal-2"),
    EventType.ORGANIZATION_CREATED: Wording(
        _("Organisation made"), _("With the plan {plan}, by {actor}."), icon="building", look="ok"
    ),
    EventType.PASSWORD_CHANGED: Wording(_("Chose a password"), _("The person chose it."), icon="key"),
    EventType.PASSWORD_RESET: Wording(
        _("New password"), _("Made by {actor}. The old one stopped working."), icon="key"
    ),
    EventType.SETUP_LINK_CREATED: Wording(_("Set-up link made"), _("By {actor}; it works for 7 days."), icon="ticket"),
    EventType.SETUP_LINK_USED: Wording(
        _("Set-up link used"), _("The person chose a password."), icon="login-2", look="ok"
    ),
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
    members: Mapping[uuid.UUID, uuid.UUID]
    groups: Mapping[str, str]


def tell(organization: Organization, events: Sequence[Event]) -> list[Told]:
    """Each event in words, in the order given."""
    names = _names(organization, events)
    return [_told(event, names) for event in events]


def _names(organization: Organization, events: Sequence[Event]) -> Names:
    ids = {event.actor_id for event in events} | {event.account_id for event in events}
    accounts = [account_id for account_id in ids if account_id]
    groups = {group for event in events for group in _groups_of(event)}
    people = Account.objects.filter(id__in=accounts).values_list("id", "username")
    members = Membership.objects.filter(organization=organization, account_id__in=accounts)
    named = Group.objects.filter(organization=organization, id__in=groups).values_list("id", "name")
    return Names(
        organization.license.plan,
        dict(people) if accounts else {},
        dict(members.values_list("account_id", "id")) if accounts else {},
        {str(group_id): name for group_id, name in named} if groups else {},
    )


def _groups_of(event: Event) -> Iterable[str]:
    group = event.data.get("group")
    return [*event.data.get("groups", []), *([group] if group else [])]


def _told(event: Event, names: Names) -> Told:
    findings = findings_of(event)
    wording = WORDINGS.get(EventType(event.type)) if event.type in set(EventType) else None
    wording = wording or Wording(event.type, "")
    return Told(
        at=event.at,
        type=event.type,
        title=str(wording.title),
        sentence=" ".join(str(wording.sentence).format_map(_words(event, names, findings)).split()),
        next_step=findings[0].next_step if findings else "",
        icon=wording.icon,
        look=wording.look,
        actor=_actor(event, names),
        subject=names.people.get(event.account_id, "") if event.account_id else "",
        membership_id=names.members.get(event.account_id) if event.account_id else None,
        method=event.method,
        reason=event.reason,
        evidence=str(event.data.get("evidence", "")),
        no=" ".join(finding.sentence for finding in findings),
    )


class _Gaps(dict[str, Any]):
    """What nobody knows any more (erased, or never recorded) is an ellipsis, never an error."""

    def __missing__(self, key: str) -> str:
        return "…"


def findings_of(event: Event) -> list[Finding]:
    """Why an event says no: the findings with the facts of then, or the bare reason when those were erased."""
    kept = (event.personal or {}).get("findings") or ([[event.reason, "", {}]] if event.reason else [])
    known = {reason.code: reason for reason in Reason}
    return [
        Finding(known[code], _complete(known[code], facts), column) for code, column, facts in kept if code in known
    ]


def _complete(reason: Reason, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts, with an ellipsis for each that the texts of the reason want and nobody knows any more."""
    texts = str(reason.value[0]) + str(reason.value[1])
    wanted = {name for _text, name, _format, _conversion in Formatter().parse(texts) if name}
    return {**dict.fromkeys(wanted - {"column"}, "…"), **facts}


def _words(event: Event, names: Names, findings: Sequence[Finding]) -> _Gaps:
    data = event.data
    words = _Gaps({key: value for key, value in data.items() if isinstance(value, str | int)})
    words["actor"] = _actor(event, names)
    words["method"] = method_label(event.method)
    words["evidence"] = f": {data['evidence']}" if data.get("evidence") else ""
    words["no"] = " ".join(finding.sentence for finding in findings)
    words["group"] = names.groups.get(str(data.get("group")), data.get("name", "…"))
    words["right"] = now_("manager") if data.get("right") == "manager" else now_("member")
    words["changes"] = _changes(data)
    for key in ("role", "from", "to"):
        role = names.plan.role(str(data.get(key, "")))
        words[key] = str(role.label) if role else data.get(key, "…")
    return words


def _changes(data: Mapping[str, Any]) -> str:
    """What a change set, read aloud: “name Year 6, cap 30”."""
    labels = {
        "name": now_("name"),
        "cap": now_("places"),
        "state": now_("state"),
        "seats": now_("seats"),
        "starts_on": now_("begins"),
        "ends_on": now_("ends"),
    }
    return ", ".join(f"{labels[key]} {_value(data[key])}" for key in labels if key in data and data[key] != {})


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number}" for key, number in value.items())
    return "–" if value is None else str(value)


def _actor(event: Event, names: Names) -> str:
    if event.actor_kind == "operator":
        return now_("the operator")
    if event.actor_kind == "system" or event.actor_id is None:
        return now_("Usher")
    return names.people.get(event.actor_id, now_("somebody who is gone"))


def method_label(method: str) -> str:
    """What a person reads for a method's code."""
    return str(METHOD_LABELS[Method(method)][0]) if method in set(Method) else method
