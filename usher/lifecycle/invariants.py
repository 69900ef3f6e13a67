"""What must always be true of members, seats, groups, admins and events (V1, V3, V7, V8, V12).

An organisation that is being erased goes piece by piece: what counts its pieces leaves it out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from django.db.models import Count, F

from usher.core.checks import invariant, rows, warning
from usher.events.types import EventType
from usher.lifecycle.admins import who_can_sign_in
from usher.lifecycle.erase import BEING_ERASED
from usher.lifecycle.models import Erasure
from usher.organizations.models import License, Organization, SeatPool
from usher.organizations.plans import PLANS
from usher.people.models import Membership

ACTIVE = Membership.State.ACTIVE
ERASING = Erasure.objects.filter(begun_at__isnull=False).values("organization_id")


# V1


@invariant("V1", "The seats counted as used are those of the active members.")
def seats_are_counted_right() -> Iterator[str]:
    """One query for all members: how many of each role; which pool a role takes is the plan's word."""
    taken: dict[object, Counter[str]] = defaultdict(Counter)
    plans = {one.organization_id: one.plan for one in License.objects.all()}
    active = Membership.objects.filter(state=ACTIVE).exclude(organization_id__in=ERASING)
    members = active.values_list("organization_id", "role")
    for organization_id, role_slug, count in members.annotate(n=Count("id")).order_by():
        plan = plans.get(organization_id)
        role = plan.role(role_slug) if plan else None
        if role is None:
            yield f"Organisation {organization_id}: {count} members have the role “{role_slug}”, unknown to its plan."
            continue
        taken[organization_id][role.pool] += count
    for pool in SeatPool.objects.select_related("organization").exclude(organization_id__in=ERASING):
        count = taken[pool.organization_id].pop(pool.pool, 0)
        if pool.used != count:
            yield f"{pool.organization.slug}: {pool.used} {pool.pool} seats are counted as used, {count} are."
    for organization_id, pools in taken.items():
        for name, count in pools.items():
            yield f"Organisation {organization_id}: {count} members take {name} seats, and there is no such pool."


@invariant("V1", "The places counted as used in a group are those of its active members.")
def groups_are_counted_right() -> Iterator[str]:
    sql = f"""
        SELECT g.name, g.used, COALESCE(places.n, 0) FROM people_group g
        LEFT JOIN (
            SELECT p.group_id, COUNT(*) AS n FROM people_groupmembership p
            JOIN people_membership m ON m.id = p.membership_id AND m.state = 'active'
            GROUP BY p.group_id
        ) places ON places.group_id = g.id
        WHERE g.used <> COALESCE(places.n, 0) AND g.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for name, used, count in rows(sql):
        yield f"Group “{name}”: {used} places are counted as used, {count} are."


@warning("seats", "No licence is over-full.")
def no_license_is_over_full() -> Iterator[str]:
    for pool in SeatPool.objects.select_related("organization").filter(used__gt=F("limit")):
        yield f"{pool.organization.slug}: {pool.used} {pool.pool} seats are used, the licence has {pool.limit}."


@warning("erasing", "No organisation is being erased at this moment.")
def nothing_is_being_erased() -> Iterator[str]:
    for (organization_id,) in Erasure.objects.filter(begun_at__isnull=False).values_list("organization_id"):
        yield f"Organisation {organization_id} is being erased, piece by piece; look again when it is done."


# V3


@invariant("V3", "Nobody is twice in one organisation.")
def nobody_is_in_twice() -> Iterator[str]:
    sql = """
        SELECT account_id, organization_id, COUNT(*) FROM people_membership
        GROUP BY account_id, organization_id HAVING COUNT(*) > 1
    """
    for account_id, organization_id, count in rows(sql):
        yield f"Account {account_id} has {count} memberships in organisation {organization_id}."


@invariant("V3", "Whoever is in a group is a member of its organisation.")
def groups_hold_members_only() -> Iterator[str]:
    sql = """
        SELECT p.id FROM people_groupmembership p
        LEFT JOIN people_membership m ON m.id = p.membership_id
        LEFT JOIN people_group g ON g.id = p.group_id
        WHERE m.organization_id IS NULL OR g.organization_id IS NULL
           OR p.organization_id <> m.organization_id OR p.organization_id <> g.organization_id
    """
    for (place_id,) in rows(sql):
        yield f"The place {place_id} joins a group and a member that are not of one organisation."


@invariant("V3", "Words to search by stand for members of their organisation.")
def words_stand_for_members() -> Iterator[str]:
    sql = """
        SELECT w.organization_id, COUNT(*) FROM people_searchword w
        LEFT JOIN people_membership m ON m.id = w.membership_id
        WHERE m.organization_id IS NULL OR m.organization_id <> w.organization_id
        GROUP BY w.organization_id
    """
    for organization_id, count in rows(sql):
        yield f"{count} search words of organisation {organization_id} lead to nobody there."


# V7


@invariant("V7", "Every organisation has an admin who can sign in, or whose set-up link is alive.")
def every_organization_has_an_admin() -> Iterator[str]:
    for plan in PLANS.values():
        admins = who_can_sign_in().filter(role=plan.admin.slug).values("organization_id")
        without = Organization.objects.filter(license__plan_slug=plan.slug).exclude(id__in=admins)
        for slug in without.exclude(id__in=ERASING).values_list("slug", flat=True):
            yield f"{slug}: no admin can sign in. Renew the set-up link with: usher org setup-link {slug}"


@invariant("V7", "Every organisation has a licence.")
def every_organization_has_a_license() -> Iterator[str]:
    for (slug,) in Organization.objects.filter(license=None).values_list("slug"):
        yield f"{slug}: the licence is missing."


# V8


def _listed(kinds: Iterable[EventType]) -> str:
    return ", ".join(f"'{kind.value}'" for kind in kinds)


BEGAN = (EventType.MEMBERSHIP_CREATED, EventType.MEMBERSHIP_ASKED, EventType.MEMBERSHIP_TAKEN)
GONE = (EventType.MEMBERSHIP_HANDED_OVER, EventType.MEMBERSHIP_UNDONE)
LET_IN = (
    EventType.MEMBERSHIP_CREATED, EventType.MEMBERSHIP_TAKEN, EventType.MEMBERSHIP_APPROVED,
    EventType.MEMBERSHIP_REACTIVATED,
)  # fmt: skip
ENDED = (EventType.MEMBERSHIP_DEACTIVATED, EventType.MEMBERSHIP_DECLINED)
# How often a membership began and was taken away again, of each account in each organisation.
_TOLD = f"""
    SELECT organization_id, account_id,
           SUM(CASE WHEN type IN ({_listed(BEGAN)}) THEN 1 ELSE -1 END) AS n
    FROM events_event
    WHERE type IN ({_listed((*BEGAN, *GONE))}) AND account_id IS NOT NULL
    GROUP BY organization_id, account_id
"""  # noqa: S608 - names of our own


@invariant("V8", "Every membership has the one event that tells how it began.")
def every_membership_has_its_event() -> Iterator[str]:
    sql = f"""
        SELECT m.id, COALESCE(told.n, 0) FROM people_membership m
        LEFT JOIN ({_TOLD}) told ON told.organization_id = m.organization_id AND told.account_id = m.account_id
        WHERE COALESCE(told.n, 0) <> 1 AND m.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for membership_id, count in rows(sql):
        yield f"Membership {membership_id} has {count} events of joining."


@invariant("V8", "Every event of joining tells of a membership, until it was taken away.")
def every_event_has_its_membership() -> Iterator[str]:
    sql = f"""
        SELECT told.account_id, told.n FROM ({_TOLD}) told
        LEFT JOIN people_membership m
          ON m.organization_id = told.organization_id AND m.account_id = told.account_id
        WHERE m.id IS NULL AND told.n <> 0 AND told.organization_id NOT IN {BEING_ERASED}
    """  # noqa: S608 - names of our own
    for account_id, count in rows(sql):
        yield f"Account {account_id} has {count} events of joining and no membership."


_STATES = f"""
    SELECT organization_id, account_id,
           MAX(CASE WHEN type = '{EventType.MEMBERSHIP_ASKED.value}' THEN 1 ELSE 0 END) AS asked,
           MAX(CASE WHEN type IN ({_listed(LET_IN)}) THEN 1 ELSE 0 END) AS let_in,
           MAX(CASE WHEN type IN ({_listed(ENDED)}) THEN 1 ELSE 0 END) AS ended
    FROM events_event
    WHERE type IN ({_listed((EventType.MEMBERSHIP_ASKED, *LET_IN, *ENDED))}) AND account_id IS NOT NULL
    GROUP BY organization_id, account_id
"""  # noqa: S608 - names of our own


@invariant("V8", "Whoever waits has asked, whoever is in was let in, and whoever is out was sent away or left.")
def every_state_has_its_event() -> Iterator[str]:
    sql = f"""
        SELECT m.id, m.state FROM people_membership m
        LEFT JOIN ({_STATES}) told ON told.organization_id = m.organization_id AND told.account_id = m.account_id
        WHERE m.organization_id NOT IN {BEING_ERASED} AND COALESCE(
            CASE m.state WHEN 'waiting' THEN told.asked WHEN 'active' THEN told.let_in ELSE told.ended END, 0
        ) = 0
    """  # noqa: S608 - names of our own
    for membership_id, state in rows(sql):
        yield f"Membership {membership_id} is {state}, and no event says how it came to that."


# V12


@invariant("V12", "An unclaimed account is known in its own organisation alone.")
def unclaimed_accounts_stay_at_home() -> Iterator[str]:
    memberships = """
        SELECT a.id FROM people_account a JOIN people_membership m ON m.account_id = a.id
        WHERE a.claimed_at IS NULL AND m.organization_id <> a.home_id
    """
    for (account_id,) in rows(memberships):
        yield f"The unclaimed account {account_id} is a member of another organisation than its own."
    links = """
        SELECT a.id FROM people_account a JOIN people_onetimelink l ON l.account_id = a.id
        WHERE a.claimed_at IS NULL AND l.consumed_at IS NULL AND l.purpose = 'setup'
          AND (l.organization_id IS NULL OR l.organization_id <> a.home_id)
    """
    for (account_id,) in rows(links):
        yield f"The unclaimed account {account_id} has a link of another organisation than its own."


@invariant("V12", "No unclaimed account is an operator's.")
def operators_are_claimed() -> Iterator[str]:
    for (account_id,) in rows("SELECT id FROM people_account WHERE claimed_at IS NULL AND is_operator"):
        yield f"The unclaimed account {account_id} is an operator's."
