"""Loads the house: what the rules need, in a fixed number of queries for any number of joiners."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterable, Sequence

from django.db.models import Count, Q, QuerySet

from usher.core import clock
from usher.lifecycle.facts import AccountFacts, GroupFacts, House, Pool
from usher.lifecycle.joiner import By, Joiner, NewAccount, Terms
from usher.lifecycle.walk import numbered_key
from usher.organizations.models import License, Organization, SeatPool, SeatReservation
from usher.people import policies
from usher.people.models import Account, Group, GroupMembership, Identity, MadeName, Membership
from usher.people.names import name_key, sort_key, stem


def today_in(organization: Organization) -> dt.date:
    """Today where the organisation is: its licence ends at its own midnight."""
    return clock.now().astimezone(zoneinfo.ZoneInfo(organization.time_zone)).date()


def open_house(organization_id: uuid.UUID, by: By, terms: Terms, *, lock: bool) -> House:
    """The licence and the seats. With ``lock`` the licence row is held until the transaction ends.

    Raises License.DoesNotExist for an organisation that is not there.
    """
    licenses = License.objects.select_related("organization")
    if lock:
        licenses = licenses.select_for_update(of=("self",))
    license = licenses.get(organization_id=organization_id)
    house = house_of(license, by, terms)
    pools = SeatPool.objects.filter(organization_id=organization_id)
    kept = dict(live_reservations(organization_id).values_list("pool").annotate(n=Count("id")).order_by())
    house.pools.update({pool.pool: Pool(pool.limit, pool.used, pool.told, kept.get(pool.pool, 0)) for pool in pools})
    return house


def house_of(license: License, by: By, terms: Terms) -> House:
    """As :func:`open_house` without the seats, and without a query where the organization has been read."""
    return House(
        organization_id=license.organization_id,
        slug=license.organization.names_under,
        plan=license.plan,
        starts_on=license.starts_on,
        ends_on=license.ends_on,
        today=today_in(license.organization),
        by=by,
        terms=terms,
        pools={},
        is_suspended=license.organization.is_suspended,
        name=license.organization.name,
        passwords_for=license.organization.passwords_for,
        needs_sso=_roles_that_need_sso(license),
    )


def _roles_that_need_sso(license: License) -> frozenset[str]:
    plan, policy = license.plan, license.organization.passwords_for
    needs = (
        role.slug
        for role in plan.roles
        if policies.needs_single_sign_on(policy, is_admin=role is plan.admin, keeps_password=False)
    )
    return frozenset(needs)


def live_reservations(organization_id: uuid.UUID) -> QuerySet[SeatReservation]:
    """The seats that are kept for somebody at this moment."""
    return SeatReservation.objects.filter(organization_id=organization_id, until__gt=clock.now())


def look_up(house: House, joiners: Sequence[Joiner], *, lock: bool) -> None:
    """Add what the rules need to know about these joiners. What the house knows already stands."""
    new = [joiner.account for joiner in joiners if isinstance(joiner.account, NewAccount)]
    ids = [joiner.account for joiner in joiners if isinstance(joiner.account, uuid.UUID)]
    _look_up_groups(house, {name for joiner in joiners for name in joiner.groups}, lock=lock)
    _look_up_accounts(house, {account.address for account in new if account.address}, ids)
    names = [account.username for account in new if not account.address]
    _look_up_made_names(house, names, {joiner.role for joiner in joiners})
    _look_up_nameless(house, names)
    if any(pool.kept for pool in house.pools.values()):
        _look_up_kept(house, {house.address_of(joiner) for joiner in joiners})
    if house.ticket:
        _look_up_places(house)


def _look_up_groups(house: House, names: Iterable[str], *, lock: bool) -> None:
    keys = {name_key(name) for name in names} - house.groups.keys()
    if not keys:
        return
    groups = Group.objects.filter(organization_id=house.organization_id, name_key__in=keys).order_by("id")
    for group in groups.select_for_update() if lock else groups:
        house.groups[group.name_key] = GroupFacts(
            group.id, group.name, group.state == Group.State.OPEN, group.cap, group.used
        )


def _look_up_accounts(house: House, addresses: Iterable[str], ids: Sequence[uuid.UUID]) -> None:
    """Proved accounts anywhere, unclaimed ones of this organisation alone; two organisations stay unseen.

    One for which another organisation vouches is seen where it is a member, and where it comes itself.
    """
    wanted = set(addresses)
    if not wanted and not ids:
        return
    visible = Q(claimed_at__isnull=False) | Q(home_id=house.organization_id)
    columns = ("id", "sign_in_key", "username", "email", "claimed_at", "home_id", "vouched_by_organization")
    rows = list(Account.objects.filter((Q(sign_in_key__in=wanted) & visible) | Q(id__in=ids)).values_list(*columns))
    memberships = Membership.objects.filter(
        organization_id=house.organization_id, account_id__in=[row[0] for row in rows]
    ).values_list("account_id", "id", "state")
    here = {account_id: (membership_id, state) for account_id, membership_id, state in memberships} if rows else {}
    known_there = _who_may_enter(house, [row[0] for row in rows]) if house.needs_sso else frozenset()
    for account_id, key, username, email, claimed_at, home_id, vouched_by in rows:
        membership_id, state = here.get(account_id, (None, ""))
        loaded = AccountFacts(
            account_id, email or key, username, email, claimed_at is not None, home_id, membership_id, state,
            vouched_by, account_id in known_there,
        )  # fmt: skip
        facts = house.known.setdefault(account_id, loaded)
        is_seen = membership_id is not None or vouched_by in (None, house.organization_id)
        if key in wanted and is_seen:
            house.accounts[key] = _preferred(house.accounts.get(key), facts)


def _who_may_enter(house: House, ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Those whom the organisation's provider knows, and the members who need no single sign-on. Two small queries."""
    known = Identity.objects.filter(organization_id=house.organization_id, account__in=ids)
    members = Membership.objects.filter(
        organization_id=house.organization_id, account__in=ids, state=Membership.State.ACTIVE
    )
    exempt = members.filter(Q(keeps_password=True) | ~Q(role__in=house.needs_sso))
    return frozenset(known.values_list("account_id", flat=True)) | frozenset(
        exempt.values_list("account_id", flat=True)
    )


def _preferred(one: AccountFacts | None, other: AccountFacts) -> AccountFacts:
    """An address may lead to a proved account and to one made here: the member counts, then the proved one."""
    if one is None:
        return other
    return max(one, other, key=lambda facts: (facts.membership_id is not None, facts.claimed))


def _look_up_kept(house: House, addresses: Iterable[str]) -> None:
    """Which of these addresses have a seat kept for them, of a kind that the plan still has."""
    mine = live_reservations(house.organization_id).filter(address_key__in={key for key in addresses if key})
    mine = mine.filter(pool__in=list(house.pools))
    house.kept.update(mine.values_list("address_key", "pool"))


def _look_up_places(house: House) -> None:
    """In which of the groups in question the members in question are already."""
    members = [facts.membership_id for facts in house.known.values() if facts.membership_id]
    if members and house.groups:
        links = GroupMembership.objects.filter(
            membership__in=members, group__in=[group.id for group in house.groups.values()]
        )
        house.places |= set(links.values_list("membership_id", "group_id"))


def _look_up_made_names(house: House, usernames: Sequence[str], roles: Iterable[str]) -> None:
    if not usernames:
        return
    keys = {stem(username) for username in usernames} | {numbered_key(role) for role in roles}
    made = MadeName.objects.filter(organization_id=house.organization_id, stem__in=keys - house.made.keys())
    for key, used in made.values_list("stem", "used"):
        house.made[key] = used


def _look_up_nameless(house: House, usernames: Sequence[str]) -> None:
    """Members without an address that bear one of these names."""
    keys = {name_key(username) for username in usernames if username}
    if not keys or house.terms.allow_same_name:
        return
    members = Membership.objects.filter(
        organization_id=house.organization_id,
        sort_name__in={sort_key(key) for key in keys},
        account__email="",
    ).exclude(state=Membership.State.INACTIVE)
    for username in members.values_list("account__username", flat=True):
        house.nameless.add(name_key(username))
