"""Acts of the race and crash proofs (hand.py): people who are invited, all at once, and mails that go out meanwhile."""

from __future__ import annotations

import uuid
from typing import Any

from world import BY_OPERATOR, PASSWORD

from usher.lifecycle.joiner import Result
from usher.methods.email_invitation import accept, changes, links
from usher.methods.email_invitation.entries import Entry
from usher.methods.email_invitation.found import find
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.order import Order
from usher.methods.email_invitation.send import send
from usher.organizations.models import Organization, SeatReservation
from usher.people.models import Account, Membership


def _order(organization: str, addresses: list[str], **facts: Any) -> Order:
    entries = [Entry(line, one, one, "") for line, one in enumerate(addresses, start=1)]
    house = Organization.objects.select_related("license").get(id=organization)
    return Order(house, entries, BY_OPERATOR, **facts)


def invite(*, organization: str, addresses: list[str], reserve: bool = False, mailed: bool = True) -> list[str]:
    """What became of each; ``new`` or ``account`` for those who were invited."""
    report = send(_order(organization, addresses, reserve=reserve, mailed=mailed))
    return [row.findings[0].code if row.findings else row.kind.value for row in report.rows]


def token(*, organization: str, address: str) -> str:
    """That of the mailed link of the open invitation."""
    return links.mailed_link(Invitation.objects.get(organization_id=organization, address_key=address, state="open"))[
        -43:
    ]


def accept_as(*, token: str, account: str) -> list[str]:
    """Somebody with the address proved presses the button."""
    outcome = accept.accept(find(token), Account.objects.get(id=account))
    return [outcome.reason or outcome.result.value]


def accept_new(*, token: str, name: str) -> list[str]:
    """Somebody new sends the form."""
    found = find(token)
    account = accept.register(found, token, name, PASSWORD)
    outcome = accept.accept(found, account)
    return [outcome.reason or ("created" if outcome.result is Result.JOINED else outcome.result.value)]


def revoke(*, organization: str, address: str) -> list[str]:
    house = Organization.objects.get(id=organization)
    ids = list(Invitation.objects.filter(organization=house, address_key=address).values_list("id", flat=True))
    done = changes.revoke(house, ids, BY_OPERATOR)
    return ["revoked" if one.changed else one.findings[0].code if one.findings else "unchanged" for one in done]


def invitations(*, organization: str) -> dict[str, Any]:
    """What stands in the books."""
    rows = Invitation.objects.filter(organization_id=organization)
    return {
        "open": rows.filter(state="open").count(),
        "accepted": rows.filter(state="accepted").count(),
        "mailing": {state: rows.filter(mailing=state).count() for state in Invitation.Mailing.values},
        "members": Membership.objects.filter(organization_id=uuid.UUID(organization), state="active").count(),
        "kept": SeatReservation.objects.filter(organization_id=organization).count(),
    }


ACTS = {act.__name__: act for act in (invite, token, accept_as, accept_new, revoke, invitations)}
