"""From the command line to the door: the first admin, whom the operator names."""

from __future__ import annotations

from usher.events.types import OPERATOR
from usher.lifecycle.join import join
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Outcome
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.addresses import Address
from usher.people.models import Account

BY_OPERATOR = By(OPERATOR, OPERATOR_RANK)


def enter_admin(organization: Organization, address: Address, known: Account | None, name: str = "") -> Outcome:
    """Take the admin through the door: by the account that has proved the address, else as somebody new."""
    new = NewAccount(name, address.original, address.key)
    joiner = Joiner(
        method=Method.OPERATOR,
        account=known.id if known else new,
        role=organization.license.plan.admin.slug,
        evidence="named when the organisation was made",
    )
    return join(organization.id, joiner, BY_OPERATOR)
