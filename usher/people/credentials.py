"""New passwords: those staff make for the people their organisation alone manages, and those people choose."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import SIGN_IN_ACCOUNT
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License
from usher.organizations.plans import Plan, Role
from usher.people import factors, links, notices, passwords
from usher.people.access import Visit
from usher.people.friendly import random_password
from usher.people.models import Account, Group, GroupMembership, HashBatch, Membership, OneTimeLink

LEAST_ADMIN = 15  # characters of a password that alone guards an organisation


# Made by staff


@dataclass(frozen=True, slots=True)
class Reset:
    """What became of one person: a new password, or the reasons why there is none."""

    membership_id: uuid.UUID
    sign_in: str
    username: str
    email: str
    role: str
    password: str = ""
    findings: tuple[Finding, ...] = ()


def reset_password(visit: Visit, membership_id: uuid.UUID) -> Reset:
    """A new password for one member; his sessions and links end. It is in the answer and nowhere else.

    Raises UsherError: not_a_member, member_inactive, not_managed_here, not_below_you, not_in_your_groups.
    """
    found = reset_passwords(visit, [membership_id])
    if not found:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=str(membership_id)))
    if found[0].findings:
        raise UsherError(*found[0].findings)
    return found[0]


def reset_group(visit: Visit, group_id: uuid.UUID) -> list[Reset]:
    """New passwords for the active members of a group, by name; those who may not get one are listed with the reason.

    Raises UsherError: unknown_group.
    """
    group = Group.objects.filter(organization=visit.organization, id=group_id).first()
    if group is None or not (visit.is_admin or group_id in visit.managed):
        raise UsherError(Reason.UNKNOWN_GROUP(group=str(group_id)))
    active = GroupMembership.objects.filter(group=group, membership__state=Membership.State.ACTIVE)
    return reset_passwords(visit, list(active.values_list("membership_id", flat=True)))


@retrying
def reset_passwords(visit: Visit, membership_ids: Sequence[uuid.UUID]) -> list[Reset]:
    """New passwords for these members of the visitor's organisation, by name; ids that are none are left out."""
    with transaction.atomic():
        plan = License.objects.select_for_update().get(organization=visit.organization).plan
        members = _lock_members(visit, membership_ids)
        desk = _Desk(visit, plan, _proved(members), _in_my_groups(visit, members))
        resets = [desk.consider(member) for member in members]
        _store([(member, reset) for member, reset in zip(members, resets, strict=True) if reset.password], plan, visit)
    return resets


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who asks, and what must be known to say whether he may."""

    visit: Visit
    plan: Plan
    proved: frozenset[str]  # those of the addresses that somebody has proved
    in_my_groups: frozenset[uuid.UUID]

    def consider(self, member: Membership) -> Reset:
        account, why_not = member.account, self._why_not(member)
        return Reset(
            member.id,
            account.sign_in,
            account.username,
            account.email,
            member.role,
            "" if why_not else random_password(),
            (why_not,) if why_not else (),
        )

    def _why_not(self, member: Membership) -> Finding | None:
        if member.state != Membership.State.ACTIVE:
            return Reason.MEMBER_INACTIVE()
        if (self.plan.role(member.role) or self.plan.lowest).rank >= self._rank():
            return Reason.NOT_BELOW_YOU()
        if not self.visit.is_admin and member.id not in self.in_my_groups:
            return Reason.NOT_IN_YOUR_GROUPS()
        if not is_managed_by(member.account, member.organization_id) or member.account.sign_in_key in self.proved:
            return Reason.NOT_MANAGED_HERE()
        return None

    def _rank(self) -> int:
        """A manager resets the lowest role alone, whatever his own."""
        return self.visit.role.rank if self.visit.is_admin else min(self.visit.role.rank, self.plan.lowest.rank + 1)


def is_managed_by(account: Account, organization_id: uuid.UUID) -> bool:
    """The account is this organisation's own making, and nobody has proved it to be theirs."""
    return account.claimed_at is None and account.home_id == organization_id


def _lock_members(visit: Visit, ids: Iterable[uuid.UUID]) -> list[Membership]:
    members = Membership.objects.select_related("account").filter(organization=visit.organization, id__in=ids)
    locked = list(members.select_for_update(of=("account",)).order_by("account_id"))
    return sorted(locked, key=lambda member: (member.sort_name, member.id))


def _proved(members: Sequence[Membership]) -> frozenset[str]:
    keys = [member.account.sign_in_key for member in members]
    proved = Account.objects.filter(sign_in_key__in=keys, claimed_at__isnull=False, vouched_by_organization=None)
    return frozenset(proved.values_list("sign_in_key", flat=True))


def _in_my_groups(visit: Visit, members: Sequence[Membership]) -> frozenset[uuid.UUID]:
    if visit.is_admin:
        return frozenset()
    links = GroupMembership.objects.filter(group_id__in=visit.managed, membership__in=members)
    return frozenset(links.values_list("membership_id", flat=True))


def _store(done: Sequence[tuple[Membership, Reset]], plan: Plan, visit: Visit) -> None:
    if not done:
        return
    now, ids = clock.now(), sorted(member.account_id for member, _ in done)
    # The phone is lost, or somebody else's is bound to the account: what was set up before is as void as the password.
    factors.wipe([member.account for member, _ in done], Actor("account", visit.account.id))
    for member, reset in done:
        _store_first(member.account_id, reset.password, plan.role(member.role) or plan.lowest, now)
    OneTimeLink.objects.filter(account__in=ids, consumed_at=None).update(consumed_at=now)
    HashBatch.objects.create(lane=visit.organization.id, first_id=ids[0], last_id=ids[-1], run_at=now)
    record.record_many([_was_reset(member, visit) for member, _ in done])


def _store_first(account_id: uuid.UUID, password: str, role: Role, now: dt.datetime) -> None:
    """The quick form, so that nobody waits; the worker or the first sign-in wraps it."""
    first = role.initial_password
    Account.objects.filter(id=account_id).update(
        password=passwords.digest(password),
        must_change_password=first.must_change,
        password_expires_at=now + dt.timedelta(days=first.expires_days) if first.expires_days else None,
        password_set_at=now,
    )


def _was_reset(member: Membership, visit: Visit) -> Draft:
    return Draft(
        EventType.PASSWORD_RESET,
        member.organization_id,
        Actor("account", visit.account.id),
        account_id=member.account_id,
        address=member.account.sign_in_key,
    )


# Chosen by the person


def least_length(account: Account) -> int:
    """How many characters a chosen password needs: more for the operator and for whoever is an admin somewhere, as
    long as the password alone opens the account."""
    return passwords.LEAST_SUPPLIED if factors.has_second(account) else least_alone(account)


def least_alone(account: Account) -> int:
    """The same for an account that nothing but the password opens."""
    if account.is_operator:
        return LEAST_ADMIN
    memberships = Membership.objects.select_related("organization__license").filter(
        account=account, state=Membership.State.ACTIVE
    )
    is_admin = any(member.role == member.organization.license.plan.admin.slug for member in memberships)
    return LEAST_ADMIN if is_admin else passwords.LEAST_SUPPLIED


def change_own_password(account: Account, old: str, new: str) -> None:
    """Every other session ends. Raises UsherError: password_wrong, too_many_tries, the findings of the rule."""
    minutes = SIGN_IN_ACCOUNT.wait_minutes(account.sign_in_key)
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    if not passwords.verify(old, account.password).ok:
        SIGN_IN_ACCOUNT.add(account.sign_in_key)
        raise UsherError(Reason.PASSWORD_WRONG("old"))
    choose_password(account, new)


def choose_password(account: Account, new: str) -> None:
    """Set a password the person chose, signed in as he is; also the first one. Raises UsherError with what is wrong."""
    passwords.check_chosen(new, least_length(account))
    if passwords.verify(new, account.password).ok:
        raise UsherError(Reason.PASSWORD_SAME("password"))
    _store_chosen(account, passwords.make(new))


@retrying
def _store_chosen(account: Account, encoded: str) -> None:
    with transaction.atomic():
        stored = Account.objects.select_for_update().get(id=account.id)
        # Reset or claimed since this request began: then whoever asks is no longer signed in either.
        if passwords.salt_of(stored.password) != passwords.salt_of(account.password):
            raise UsherError(Reason.SIGN_IN_FAILED())
        links.set_own_password(account, encoded)
        links.end_all(account)
        notices.password_changed(account)
        record.record(
            Draft(
                EventType.PASSWORD_CHANGED,
                account.home_id,
                Actor("account", account.id),
                account_id=account.id,
            )
        )


def set_up(token: str, new: str) -> Account:
    """Use a set-up link up and set the password. Raises UsherError: link_dead and the findings of the rule."""
    account = account_to_set_up(token)
    passwords.check_chosen(new, least_length(account))
    return links.use_setup_link(token, passwords.make(new))


def account_to_set_up(token: str) -> Account:
    """Whose password a set-up link sets; uses nothing up. Raises UsherError (link_dead)."""
    account = links.find(token, OneTimeLink.Purpose.SETUP).account
    if not account.is_operator and not account.memberships.filter(state=Membership.State.ACTIVE).exists():
        raise UsherError(Reason.LINK_DEAD())
    return account
