"""What Usher writes to those who asked to come in, and to those for whom an account was made."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.lifecycle.letters_shared import NAMED, letter_of, page_of
from usher.lifecycle.outreach import suppressed
from usher.people.models import Account, Group, Membership

ACTIVE = Membership.State.ACTIVE


@letter("approved")
def approved(row: Mail) -> Letter | None:
    """To somebody who waited: in."""
    member = _member(row, ACTIVE)
    if member is None:
        return None
    organization = member.organization
    with override(organization.language):
        subject = _("You are in: {organization}").format(organization=organization.name)
    return letter_of(organization, subject, "approved", {**_place(member), "link": page_of(organization, "")})


@letter("declined")
def declined(row: Mail) -> Letter | None:
    """To somebody who waited: not let in."""
    member = _member(row, Membership.State.INACTIVE)
    if member is None:
        return None
    with override(member.organization.language):
        subject = _("Not let in: {organization}").format(organization=member.organization.name)
    return letter_of(member.organization, subject, "declined", {})


@letter("added")
def added(row: Mail) -> Letter | None:
    """To somebody for whom the organisation made an account: where to sign in and as whom, never with what.

    Nothing once the person has an account of their own, or wants no mails from there.
    """
    member = _member(row, ACTIVE)
    if member is None or _is_proved(member.account) or suppressed(member.organization, [member.account.sign_in_key]):
        return None
    organization = member.organization
    with override(organization.language):
        subject = _("You were added: {organization}").format(organization=organization.name)
    facts = {
        **_place(member),
        "sign_in_address": member.account.sign_in,
        "link": page_of(organization, "sign-in"),
        "forgot_link": page_of(organization, "forgot"),
    }
    return letter_of(organization, subject, "added", facts)


def _is_proved(account: Account) -> bool:
    """Whether somebody proved the address, by this account or by another one: then what was made for it is void."""
    proved = Account.objects.filter(claimed_at__isnull=False, vouched_by_organization=None)
    return proved.filter(sign_in_key=account.sign_in_key).exists()


def _place(member: Membership) -> dict[str, Any]:
    """As what the person is in, and in which groups."""
    role = member.organization.license.plan.role(member.role)
    groups = Group.objects.filter(members__membership=member).order_by("name_key").values_list("name", flat=True)
    with override(member.organization.language):
        return {"role": str(role.label) if role else member.role, "groups": list(groups[:NAMED])}


def _member(row: Mail, state: Membership.State) -> Membership | None:
    """Whom the row is about, if it is still so and the address is still the person's."""
    found = Membership.objects.select_related("account", "organization__license").filter(
        id__in=[row.ref], state=state, account__email=row.to
    )
    member = found.first()
    return None if member is None or member.organization.is_suspended else member
