"""Whom to invite and on what terms, and what the door would say to each of them now."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import INVITE_TO, PREVIEWS
from usher.core.reasons import Finding, Reason
from usher.lifecycle import desk, outreach
from usher.lifecycle.joiner import By, Joiner, NewAccount, Outcome, Result
from usher.methods.email_invitation.entries import Entry
from usher.methods.email_invitation.entry import look_ahead
from usher.methods.email_invitation.models import Invitation
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.names import name_key

LONGEST_NOTE = 500


class Kind(StrEnum):
    """What an invitation would find: nobody yet, an account of the person's own, a member, one that waits, a no."""

    NEW = "new"
    ACCOUNT = "account"
    MEMBER = "member"
    INVITED = "invited"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Order:
    """People to invite. ``role`` ("" for the lowest) and ``groups`` (names) are for all who do not name their own.

    ``reserve`` keeps a seat for each; ``mailed`` is False when the links are handed over in another way.
    ``copies`` makes such a link for each, ``unproved`` one that lets in without proof of the address.
    """

    organization: Organization
    entries: Sequence[Entry]
    by: By
    role: str = ""
    groups: tuple[str, ...] = ()
    note: str = ""
    reserve: bool = False
    mailed: bool = True
    copies: bool = False
    unproved: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """One person after the rules. ``invitation_id``, and ``link`` where one was made to be copied, once written."""

    entry: Entry
    joiner: Joiner
    kind: Kind
    findings: tuple[Finding, ...] = ()
    invitation_id: uuid.UUID | None = None
    link: str = field(default="", repr=False)

    @property
    def goes_out(self) -> bool:
        return self.kind in (Kind.NEW, Kind.ACCOUNT)


@dataclass(slots=True)
class Report:
    """Everybody of an order, in its order."""

    order: Order
    rows: list[Weighed] = field(default_factory=list)

    @property
    def counts(self) -> Mapping[str, int]:
        return Counter(row.kind.value for row in self.rows)

    @property
    def going(self) -> list[Weighed]:
        return [row for row in self.rows if row.goes_out]


def preview(order: Order) -> Report:
    """What would become of everybody; nothing is written but the count of an organisation's previews.

    Raises UsherError for what is wrong with the order as a whole: method_not_in_plan, unknown_role,
    role_above_yours, no_groups_in_plan, unknown_group, not_your_group, note_not_allowed, note_too_long,
    too_many_invitations, too_many_tries.
    """
    check(order)
    _count_look(order)
    report = Report(order, weigh(order, order.entries))
    check_limits(order, len(report.going))
    return report


def check(order: Order) -> None:
    """What would refuse everybody. Raises UsherError as :func:`preview`, without the limits."""
    plan = order.organization.license.plan
    if Method.EMAIL_INVITATION not in plan.methods:
        raise UsherError(Reason.METHOD_NOT_IN_PLAN(plan=str(plan.name)))
    for group in order.groups or ("",):
        # A manager's people need a group of his, chosen for all or named by each: that the door says for each.
        if group or order.by.groups is None:
            desk.check(order.organization, desk.Choices(order.role or plan.lowest.slug, group), order.by)
    _check_note(order)


def _check_note(order: Order) -> None:
    if order.note and not may_write_notes(order):
        raise UsherError(Reason.NOTE_NOT_ALLOWED("note"))
    if len(order.note) > LONGEST_NOTE:
        raise UsherError(Reason.NOTE_TOO_LONG("note", length=len(order.note), limit=LONGEST_NOTE))


def may_write_notes(order: Order) -> bool:
    """Free text goes out from organisations that the operator knows; the operator's own always."""
    return order.organization.trusted_at is not None or order.by.actor.kind == "operator"


def _count_look(order: Order) -> None:
    """It says which addresses have an account of their own. The operator may look as often as he likes."""
    if order.by.actor.kind != "account":
        return
    who = str(order.organization.id)
    if minutes := PREVIEWS.wait_minutes(who):
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    PREVIEWS.add(who)


# Each of them


def weigh(order: Order, entries: Sequence[Entry], *, is_counted: bool = False) -> list[Weighed]:
    """Judge everybody, in a fixed number of queries for any number of them.

    ``is_counted``: their mails are counted already, and no limit stops them any more.
    """
    joiners = [_joiner(order, entry) for entry in entries]
    outcomes = look_ahead(order.organization.id, joiners, order.by)
    addresses = {entry.address for entry in entries if entry.address}
    full = set() if is_counted else _full(order, addresses)
    known = _Known(_invited(order, addresses), _suppressed(order, addresses), full)
    return [_weighed(entry, outcome, known) for entry, outcome in zip(entries, outcomes, strict=True)]


@dataclass(frozen=True, slots=True)
class _Known:
    """Address keys with an invitation that waits, that want none, and that had enough for today."""

    invited: Collection[str]
    suppressed: Collection[str]
    full: Collection[str]


def _joiner(order: Order, entry: Entry) -> Joiner:
    groups = {name_key(name): name for name in (*entry.groups, *order.groups)}
    role = entry.role or order.role or order.organization.license.plan.lowest.slug
    account = NewAccount(entry.username, entry.email, entry.address)
    return Joiner(
        Method.EMAIL_INVITATION, account, role, tuple(groups.values()), line=entry.line, findings=entry.findings
    )


def _weighed(entry: Entry, outcome: Outcome, known: _Known) -> Weighed:
    joiner = outcome.joiner
    if outcome.result is Result.REFUSED:
        return Weighed(entry, joiner, Kind.REFUSED, outcome.findings)
    if outcome.result is Result.UNCHANGED:
        return Weighed(entry, joiner, Kind.MEMBER, (Reason.ALREADY_MEMBER(),))
    if entry.address in known.invited:
        return Weighed(entry, joiner, Kind.INVITED, (Reason.ALREADY_INVITED(),))
    if entry.address in known.suppressed:
        return Weighed(entry, joiner, Kind.REFUSED, (Reason.ADDRESS_SUPPRESSED("email"),))
    if entry.address in known.full:
        return Weighed(entry, joiner, Kind.REFUSED, (Reason.ADDRESS_HAS_ENOUGH("email"),))
    return Weighed(entry, joiner, Kind.ACCOUNT if outcome.result is Result.JOINED else Kind.NEW)


def _invited(order: Order, addresses: Collection[str]) -> set[str]:
    live = Invitation.objects.filter(
        organization=order.organization, state=Invitation.State.OPEN, expires_at__gt=clock.now()
    )
    return set(live.filter(address_key__in=addresses).values_list("address_key", flat=True))


def _suppressed(order: Order, addresses: Collection[str]) -> set[str]:
    """Whoever wants no mails may still be handed a link."""
    return outreach.suppressed(order.organization, addresses) if order.mailed else set()


def _full(order: Order, addresses: Collection[str]) -> set[str]:
    if not order.mailed:
        return set()
    return {address for address, free in INVITE_TO.free_of(addresses).items() if free < 1}


# How many


def check_limits(order: Order, count: int) -> None:
    """Raises UsherError (too_many_invitations) when so many mails may not go out now."""
    left = outreach.left_of(order.organization, order.by, count) if order.mailed else count
    if left < count:
        raise UsherError(Reason.TOO_MANY_INVITATIONS(left=left))


def count_mails(order: Order, addresses: Sequence[str]) -> Mapping[str, Finding]:
    """Count what goes out, and say why for those to whom nothing may. Call it outside transactions, before the writing.

    Of two orders that take the last ones at the same time, one gets them.
    """
    return outreach.count_mails(order.organization, order.by, addresses) if order.mailed else {}
