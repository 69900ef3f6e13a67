"""Inviting people in tests: an order, and the link of the mail that went out."""

from __future__ import annotations

from typing import Any

from world import House, Person

from usher.core import clock
from usher.lifecycle.joiner import By
from usher.methods.email_invitation import links
from usher.methods.email_invitation.entries import Entry
from usher.methods.email_invitation.found import Found, find
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.order import Order, Report
from usher.methods.email_invitation.send import send
from usher.organizations.models import Organization

ZOE = "zoe@mail.example"


def entry(email: str, line: int = 1, **facts: Any) -> Entry:
    """Somebody to invite; the address is taken as it is."""
    return Entry(line=line, email=email, address=email.lower(), username=facts.pop("username", ""), **facts)


def order(house: House, by: By, *emails: str, **facts: Any) -> Order:
    """An order of an organisation that the operator knows."""
    Organization.objects.filter(id=house.id).update(trusted_at=clock.now())
    house.organization.refresh_from_db()
    entries = [entry(email, line) for line, email in enumerate(emails, start=1)]
    return Order(house.organization, facts.pop("entries", entries), by, **facts)


def invite(house: House, by: Person, *emails: str, **facts: Any) -> Invitation:
    """The invitation of the first of these addresses."""
    report: Report = send(order(house, by.by, *(emails or (ZOE,)), **facts))
    assert report.rows[0].invitation_id, report.rows[0].findings
    return Invitation.objects.get(id=report.rows[0].invitation_id)


def token_of(invitation: Invitation) -> str:
    """That of the mailed link."""
    return links.mailed_link(invitation).rpartition("/")[2]


def by_mail(invitation: Invitation) -> Found:
    """The invitation as the link in its mail opens it now."""
    invitation.refresh_from_db()
    return find(token_of(invitation))
