"""Why is this person in, why was that one refused: the answer, the facts behind it, and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import reading
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle.telling import Told, method_label, tell
from usher.organizations.models import Organization, SeatPool
from usher.organizations.plans import Method
from usher.people.addresses import parse_address
from usher.people.models import Group, Membership

BROUGHT_IN: Mapping[str, str | Promise] = {
    Method.CSV_IMPORT: lazy("{by} imported {name}{when}"),
    Method.BULK_ACCOUNTS: lazy("{by} made the account of {name}{when}"),
    Method.OPERATOR: lazy("{by} brought {name} in{when}"),
    Method.CONSOLE: lazy("{by} brought {name} in{when}"),
    Method.INVITE_CODE: lazy("{name} came in{when} by an invite code"),
    Method.EMAIL_INVITATION: lazy("{name} came in{when} by an invitation"),
    Method.LTI: lazy("{name} came in{when} from the LMS"),
}
BEGAN = (EventType.MEMBERSHIP_CREATED, EventType.MEMBERSHIP_ASKED, EventType.MEMBERSHIP_TAKEN)
ENDED = (EventType.MEMBERSHIP_DEACTIVATED, EventType.MEMBERSHIP_DECLINED)
LATEST = 50  # events told at once; the events page has the rest


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about a member: what it is, its value, and where it came from."""

    label: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """The answer about one person in one organisation. ``membership`` is None for somebody who never got in.

    ``events`` are the newest first; the refusals of the address before the person got in are among them.
    """

    sign_in: str
    in_: bool
    answer: str
    membership: Membership | None = None
    evidence: str = ""
    facts: Sequence[Fact] = ()
    events: Sequence[Told] = field(default=())

    @property
    def role(self) -> str:
        return self.membership.role if self.membership else ""

    @property
    def method(self) -> str:
        return self.membership.method if self.membership else (self.events[0].method if self.events else "")

    def to_json(self) -> dict[str, Any]:
        """The document of ``usher why --json``; values that are not known are null."""
        return {
            "in": self.in_,
            "sign_in": self.sign_in,
            "answer": self.answer,
            "state": self.membership.state if self.membership else None,
            "role": self.role or None,
            "method": self.method or None,
            "evidence": self.evidence or None,
            "events": [told.to_json() for told in self.events],
        }


def why(organization: Organization, who: str | Membership) -> Why:
    """Answer for a member, or for what somebody types to sign in: address, made name or its local part.

    Raises UsherError (not_a_member) when this organisation knows nothing of such a person.
    """
    if isinstance(who, Membership):
        return _of_member(organization, who)
    keys = _keys(organization, who)
    member = _find(organization, keys)
    if member:
        return _of_member(organization, member)
    refused = [event for key in keys for event in reading.of_refused(organization.id, key, LATEST)]
    if not refused:
        raise UsherError(Reason.NOT_A_MEMBER("sign_in", sign_in=who.strip()))
    return _of_refused(organization, who.strip(), refused)


def _keys(organization: Organization, text: str) -> list[str]:
    """The compare keys that the text may stand for."""
    typed = text.strip()
    try:
        return [parse_address(typed).key]
    except UsherError:
        key = typed.lower()
        return [key] if "@" in key else [f"{key}@{organization.names_under}.usher.invalid", key]


def _find(organization: Organization, keys: Sequence[str]) -> Membership | None:
    """The member who signs in so. Proved and unclaimed accounts stand in two indexes, so they are two questions."""
    members = Membership.objects.select_related("account").filter(organization=organization)
    here = members.filter(account__sign_in_key__in=keys)
    return (
        here.filter(account__claimed_at__isnull=False).first()
        or here.filter(account__claimed_at__isnull=True, account__home=organization).first()
    )


def _of_member(organization: Organization, member: Membership) -> Why:
    account = member.account
    events = _merged(
        reading.of_account(organization.id, account.id, LATEST),
        reading.of_refused(organization.id, account.sign_in_key, LATEST),
    )
    told = tell(organization, events)
    joined = next((one for one in told if one.type in BEGAN), None)
    return Why(
        sign_in=account.sign_in,
        in_=member.state == Membership.State.ACTIVE,
        answer=_answer(member, joined, told),
        membership=member,
        evidence=member.evidence,
        facts=_facts(organization, member, told),
        events=told,
    )


def _merged(one: Sequence[Event], other: Sequence[Event]) -> list[Event]:
    return sorted([*one, *other], key=lambda event: event.id, reverse=True)[:LATEST]


def _answer(member: Membership, joined: Told | None, told: Sequence[Told]) -> str:
    """One sentence: in, by whom and how; or out, since when."""
    name, way = member.account.username, method_label(member.method)
    if member.state == Membership.State.WAITING:
        return _("{name} waits for approval.").format(name=name)
    if member.state == Membership.State.INACTIVE:
        ended = next((one for one in told if one.type in ENDED), None)
        by, day = (ended.actor, ended.at) if ended else (_("somebody"), None)
        return _("{by} deactivated {name}{when}.").format(by=_capital(by), name=name, when=_on(day))
    approved = next((one for one in told if one.type == EventType.MEMBERSHIP_APPROVED), None)
    if approved:
        by, when = _capital(approved.actor), _on(approved.at)
        return _("{by} let {name} in{when}, who asked by {way}.").format(by=by, name=name, when=when, way=way.lower())
    by = _capital(joined.actor) if joined else _("Somebody")
    told_as = BROUGHT_IN.get(member.method, _("{by} brought {name} in{when} by {way}"))
    sentence = str(told_as).format(by=by, name=name, when=_on(member.joined_at), way=way)
    return sentence + (_(", with {evidence}").format(evidence=member.evidence) if member.evidence else "") + "."


def _on(moment: Any) -> str:
    return " " + _("on {day}").format(day=date_format(localtime(moment), "j M Y")) if moment else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(organization: Organization, member: Membership, told: Sequence[Told]) -> tuple[Fact, ...]:
    facts = [_role_fact(organization, member, told)]
    if organization.license.plan.groups:
        facts.append(_group_fact(member, told))
    return (*facts, _seat_fact(organization, member), _account_fact(member))


def _role_fact(organization: Organization, member: Membership, told: Sequence[Told]) -> Fact:
    role = organization.license.plan.role(member.role)
    moved = next((one for one in told if one.type == EventType.MEMBERSHIP_MOVED), None)
    source = moved.sentence if moved else _("Given with the way in")
    return Fact(_("Role"), str(role.label) if role else member.role, source)


def _group_fact(member: Membership, told: Sequence[Told]) -> Fact:
    groups = Group.objects.filter(members__membership=member).order_by("name_key").values_list("name", flat=True)
    names = list(groups)
    changed = {EventType.GROUP_JOINED.value, EventType.GROUP_LEFT.value}
    latest = next((one for one in told if one.type in changed), None)
    source = f"{latest.title}: {latest.sentence}" if latest else (_("Given with the way in") if names else "")
    return Fact(ngettext("Group", "Groups", len(names) or 1), ", ".join(names) or "–", source)


def _seat_fact(organization: Organization, member: Membership) -> Fact:
    plan = organization.license.plan
    role = plan.role(member.role) or plan.lowest
    pool = SeatPool.objects.get(organization=organization, pool=role.pool)
    used = _("{used} of {limit} are taken now").format(used=pool.used, limit=pool.limit)
    label = str(plan.pool_labels.get(role.pool, role.pool))
    value = label if member.state == Membership.State.ACTIVE else _("None")
    return Fact(_("Seat"), value, f"{label}: {used}" if value != label else used)


def _account_fact(member: Membership) -> Fact:
    account = member.account
    if account.claimed_at and account.vouched_by_organization:
        return Fact(_("Account"), _("Claimed"), _("An organisation’s single sign-on vouches for the address"))
    if account.claimed_at:
        return Fact(_("Account"), _("Claimed"), _("The address is proved") + _on(account.claimed_at))
    return Fact(_("Account"), _("Unclaimed"), _("Made here; it opens this organisation alone"))


def _of_refused(organization: Organization, sign_in: str, refused: Sequence[Event]) -> Why:
    told = tell(organization, _merged(refused, []))
    newest = told[0]
    answer = _("{sign_in} is not in. {sentence}").format(sign_in=sign_in, sentence=newest.no or newest.sentence)
    return Why(sign_in=sign_in, in_=False, answer=answer, evidence=newest.evidence, events=told)
