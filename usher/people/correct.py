"""Correcting the name and the address of an account that the organisation itself made."""

from __future__ import annotations

import uuid

from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import PREVIEWS
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import License
from usher.organizations.plans import Plan
from usher.people.access import Visit
from usher.people.addresses import Address, parse_address
from usher.people.credentials import is_managed_by
from usher.people.models import Account, Membership, OneTimeLink
from usher.people.names import clean_name
from usher.people.search import reindex


def correct(visit: Visit, membership_id: uuid.UUID, *, username: str, email: str) -> Account:
    """Write the name and address anew; the password stays, links that are on their way die. An admin's work.

    ``email`` may stay empty where there was none. Raises UsherError: the findings of name and address,
    not_a_member, not_managed_here, not_below_you, address_taken, has_account, too_many_tries.
    """
    name, address = _read(username, email)
    minutes = PREVIEWS.wait_minutes(str(visit.organization.id)) if address else 0
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    try:
        return _correct(visit, membership_id, name, address)
    except UsherError as no:
        if no.findings[0].reason is Reason.HAS_ACCOUNT:
            PREVIEWS.add(str(visit.organization.id))
        raise


def _read(username: str, email: str) -> tuple[str, Address | None]:
    """Both are read before either is refused: everything wrong is said at once."""
    findings: list[Finding] = []
    name, address = "", None
    try:
        name = clean_name(username)
    except UsherError as error:
        findings += error.findings
    try:
        address = parse_address(email) if email.strip() else None
    except UsherError as error:
        findings += error.findings
    if findings:
        raise UsherError(*findings)
    return name, address


@retrying
def _correct(visit: Visit, membership_id: uuid.UUID, name: str, address: Address | None) -> Account:
    with transaction.atomic():
        # The licence row is the lock of the house: no join can take the address meanwhile.
        plan = License.objects.select_for_update().get(organization=visit.organization).plan
        account = _account(visit, plan, membership_id)
        if address is None and account.email:
            raise UsherError(Reason.ADDRESS_INCOMPLETE("email", given=""))
        if address and address.key != account.sign_in_key:
            _refuse_taken(visit, address)
        before = {"username": account.username, "sign_in": account.sign_in}
        _write(account, name, address)
        after = {"username": account.username, "sign_in": account.sign_in}
        if after != before:
            record.record(_event(visit, account, before, after))
    return account


def _account(visit: Visit, plan: Plan, membership_id: uuid.UUID) -> Account:
    members = Membership.objects.select_related("account").filter(organization=visit.organization, id=membership_id)
    member = members.select_for_update(of=("account",)).first()
    if member is None:
        raise UsherError(Reason.NOT_A_MEMBER(sign_in=str(membership_id)))
    if not is_managed_by(member.account, member.organization_id):
        raise UsherError(Reason.NOT_MANAGED_HERE())
    # Whose address one may write, one may take over. One's own is one's own.
    is_lower = (plan.role(member.role) or plan.lowest).rank < visit.role.rank
    if not visit.is_admin or not (is_lower or member.account_id == visit.account.id):
        raise UsherError(Reason.NOT_BELOW_YOU())
    return member.account


def _refuse_taken(visit: Visit, address: Address) -> None:
    holders = Account.objects.filter(sign_in_key=address.key)
    here = holders.filter(memberships__organization=visit.organization)
    if here.exists() or holders.filter(home=visit.organization).exists():
        raise UsherError(Reason.ADDRESS_TAKEN("email", given=address.original))
    if holders.filter(claimed_at__isnull=False, vouched_by_organization=None).exists():
        raise UsherError(Reason.HAS_ACCOUNT("email"))


def _write(account: Account, name: str, address: Address | None) -> None:
    account.username = name
    if address:
        account.email, account.sign_in_key = address.original, address.key
    account.save(update_fields=["username", "email", "sign_in_key"])
    OneTimeLink.objects.filter(account=account, consumed_at=None).update(consumed_at=clock.now())
    reindex(account)


def _event(visit: Visit, account: Account, before: dict[str, str], after: dict[str, str]) -> Draft:
    return Draft(
        EventType.ACCOUNT_CORRECTED,
        visit.organization.id,
        Actor("account", visit.account.id),
        account_id=account.id,
        address=account.sign_in_key,
        personal={"from": before, "to": after},
    )
