"""The rules of the door: one table, pure, read from top to bottom.

A rule takes the joiner and the house and returns None, or the facts of its "no". Rules come in stages:
a stage whose rules say no ends the walk, with everything that stage found, so that a row shows all its
errors at once and yet nobody reads about seats when the licence has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.formats import date_format

from usher.core.reasons import Fact, Finding, Reason
from usher.lifecycle.facts import House
from usher.lifecycle.joiner import Joiner, NewAccount
from usher.organizations.plans import ALWAYS, Method
from usher.people.addresses import domain_key
from usher.people.names import name_key

Facts = dict[str, Fact]
Rule = Callable[[Joiner, House], Facts | None]

BRINGS_HIMSELF = (Method.INVITE_CODE, Method.EMAIL_INVITATION)


def organization_is_suspended(_joiner: Joiner, house: House) -> Facts | None:
    return {} if house.is_suspended else None


def license_has_ended(_joiner: Joiner, house: House) -> Facts | None:
    if house.ends_on and house.today > house.ends_on:
        return {"date": date_format(house.ends_on)}
    return None


def license_has_not_started(_joiner: Joiner, house: House) -> Facts | None:
    if house.starts_on and house.today < house.starts_on:
        return {"date": date_format(house.starts_on)}
    return None


def plan_lacks_method(joiner: Joiner, house: House) -> Facts | None:
    if joiner.method in house.plan.methods or joiner.method in ALWAYS:
        return None
    return {"plan": str(house.plan.name)}


def role_is_unknown(joiner: Joiner, house: House) -> Facts | None:
    if house.role_of(joiner):
        return None
    return {"role": joiner.role, "roles": ", ".join(role.slug for role in house.plan.roles)}


def role_is_above_giver(joiner: Joiner, house: House) -> Facts | None:
    role = house.role_of(joiner)
    if role is None or role.rank <= house.by.rank:
        return None
    return {"role": str(role.label)}


def plan_lacks_groups(joiner: Joiner, house: House) -> Facts | None:
    if joiner.groups and not house.plan.groups:
        return {"plan": str(house.plan.name)}
    return None


def group_is_unknown(joiner: Joiner, house: House) -> Facts | None:
    if not house.plan.groups or house.terms.make_groups:
        return None
    lost = [name for name in joiner.groups if name_key(name) not in house.groups]
    return {"group": lost[0]} if lost else None


def group_is_not_the_managers(joiner: Joiner, house: House) -> Facts | None:
    """A manager brings people into his own groups, each person into one at least, and makes none."""
    if house.by.groups is None:
        return None
    found = [house.groups.get(name_key(name)) for name in joiner.groups]
    ids = {group.id if group else None for group in found}
    return None if ids and ids <= house.by.groups else {}


def address_stands_in_an_earlier_line(joiner: Joiner, house: House) -> Facts | None:
    if not isinstance(joiner.account, NewAccount) or joiner.account.address not in house.seen:
        return None
    return {"first_line": house.seen[joiner.account.address]}


def address_has_its_own_account(joiner: Joiner, house: House) -> Facts | None:
    """A file never touches an account whose owner has proved the address: invite the person instead."""
    account = house.account_of(joiner)
    if isinstance(joiner.account, NewAccount) and account and not account.membership_id:
        return None if house.terms.inviting else {}
    return None


def account_belongs_elsewhere(joiner: Joiner, house: House) -> Facts | None:
    account = house.account_of(joiner)
    if account and not account.claimed and account.home != house.organization_id:
        return {}
    return None


def member_was_deactivated(joiner: Joiner, house: House) -> Facts | None:
    """Coming back is an admin's act (``lifecycle.leave.reactivate``), whatever door the person tries."""
    account = house.account_of(joiner)
    if account and account.membership_state == "inactive" and not house.terms.returning:
        return {}
    return None


def house_wants_single_sign_on(joiner: Joiner, house: House) -> Facts | None:
    """Whoever brings himself, by a code or an invitation, needs an account that the organisation's provider knows.

    A list, manual creation, the desk and the operator make accounts that single sign-on claims later; an LMS and the
    provider itself prove people in their own way. Until then the lock keeps all of them out (people/access.py). To
    invite somebody is not to come in, and coming back is an admin's act.
    """
    if joiner.role not in house.needs_sso or joiner.method not in BRINGS_HIMSELF:
        return None
    account = house.account_of(joiner)
    if house.terms.inviting or house.terms.returning or (account and account.may_enter):
        return None
    return {"organization": house.name}


def name_is_here_without_address(joiner: Joiner, house: House) -> Facts | None:
    if house.terms.allow_same_name or not isinstance(joiner.account, NewAccount) or joiner.account.address:
        return None
    if name_key(joiner.account.username) in house.nameless:
        return {"username": joiner.account.username}
    return None


def address_is_not_the_codes(joiner: Joiner, house: House) -> Facts | None:
    """Only an address that is proved counts; who has none, or another, can add one and come again."""
    if house.ticket is None or not house.ticket.domains:
        return None
    account = house.account_of(joiner)
    if (
        account
        and account.has_proved_address(house.organization_id)
        and domain_key(account.email) in house.ticket.domains
    ):
        return None
    return {"domains": ", ".join(sorted(house.ticket.domains))}


def code_is_used_up(_joiner: Joiner, house: House) -> Facts | None:
    return {} if house.ticket and house.ticket.is_spent else None


def seats_are_taken(joiner: Joiner, house: House) -> Facts | None:
    role = house.role_of(joiner)
    if role is None:
        return None
    pool = house.pools[role.pool]
    # A seat that is kept counts like a taken one. Whoever one is kept for needs a free one alone: where the licence
    # was lowered below what is kept, the first of them come in.
    is_kept = house.kept.get(house.address_of(joiner)) == role.pool
    taken = pool.used if is_kept else pool.used + pool.kept
    return {"limit": pool.limit, "pool": role.pool} if taken >= pool.limit else None


def group_is_closed(joiner: Joiner, house: House) -> Facts | None:
    if house.terms.returning:
        return None
    for group in (house.groups.get(name_key(name)) for name in joiner.groups):
        if group and not group.is_open:
            return {"group": group.name}
    return None


def group_is_full(joiner: Joiner, house: House) -> Facts | None:
    for group in (house.groups.get(name_key(name)) for name in joiner.groups):
        if group and group.cap is not None and group.used >= group.cap:
            return {"group": group.name, "cap": group.cap}
    return None


Stage = tuple[tuple[Reason, Rule], ...]

LICENSE: Stage = (
    (Reason.ORGANIZATION_SUSPENDED, organization_is_suspended),
    (Reason.LICENSE_ENDED, license_has_ended),
    (Reason.LICENSE_NOT_STARTED, license_has_not_started),
    (Reason.METHOD_NOT_IN_PLAN, plan_lacks_method),
)
DESCRIPTION: Stage = (
    (Reason.UNKNOWN_ROLE, role_is_unknown),
    (Reason.ROLE_ABOVE_YOURS, role_is_above_giver),
    (Reason.NO_GROUPS_IN_PLAN, plan_lacks_groups),
    (Reason.UNKNOWN_GROUP, group_is_unknown),
    (Reason.NOT_YOUR_GROUP, group_is_not_the_managers),
)
PERSON: Stage = (
    (Reason.DUPLICATE_IN_FILE, address_stands_in_an_earlier_line),
    (Reason.MEMBER_INACTIVE, member_was_deactivated),
    (Reason.HAS_ACCOUNT, address_has_its_own_account),
    (Reason.ACCOUNT_BELONGS_ELSEWHERE, account_belongs_elsewhere),
    (Reason.SSO_ONLY, house_wants_single_sign_on),
    (Reason.SAME_NAME, name_is_here_without_address),
)
TICKET: Stage = ((Reason.CODE_NEEDS_ADDRESS, address_is_not_the_codes),)
PLACE: Stage = (
    (Reason.CODE_USED_UP, code_is_used_up),
    (Reason.GROUP_CLOSED, group_is_closed),
    (Reason.GROUP_FULL, group_is_full),
)
ROOM: Stage = (*TICKET, *PLACE, (Reason.SEATS_TAKEN, seats_are_taken))
# A member is found between PERSON and ROOM: being here already needs neither a seat nor a group. A member who
# comes by a code for a group needs only a PLACE, and whoever has to wait for an admin only the TICKET's yes.
RULES: tuple[Stage, ...] = (LICENSE, DESCRIPTION, PERSON, ROOM)


def noes(stage: Stage, joiner: Joiner, house: House) -> Iterator[Finding]:
    """What the rules of one stage say no to."""
    for reason, says_no in stage:
        facts = says_no(joiner, house)
        if facts is not None:
            yield Finding(reason, facts)
