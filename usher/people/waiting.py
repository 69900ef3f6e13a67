"""Who has given the first proof of a sign-in and not yet the second: kept in the session of this browser alone.

The session belongs to nobody meanwhile, and every page but the one that asks for the second proof is closed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from usher.core import clock
from usher.organizations.models import Organization
from usher.people.models import Account
from usher.people.proved_by import NOBODY, Notes

KEY = "usher.waiting"
SECONDS = 10 * 60
SECOND = "/sign-in/second"


@dataclass(frozen=True, slots=True)
class First:
    """The first proof: its way, and which identity providers stand for it (people/proved_by.py).

    ``way`` is "password", "passkey", "owner" (a link, a code or a registration), or the method of a provider.
    """

    way: str = "password"
    connection: str = ""  # the id of the provider's connection
    notes: Notes = NOBODY


PASSWORD = First()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The account whose first proof was right, and at whose door."""

    account: Account
    organization: Organization | None
    first: First = PASSWORD


def begin(request: HttpRequest, account: Account, organization: Organization | None, first: First = PASSWORD) -> None:
    """A session under a new key, of nobody yet. Whoever was signed in here before is not any more."""
    if SESSION_KEY in request.session:
        request.session.flush()
    else:
        request.session.cycle_key()
    request.session[KEY] = {
        "account": str(account.id),
        "password": account.get_session_auth_hash(),  # another password: the first proof is void
        "organization": str(organization.id) if organization else "",
        "way": first.way,
        "connection": first.connection,
        "proved_by": sorted(first.notes.by),
        "proved_strongly_by": sorted(first.notes.strongly),
        "at": clock.now().timestamp(),
    }


def is_waiting(request: HttpRequest) -> bool:
    """Whether this browser is between the two proofs; asks no table."""
    kept = request.session.get(KEY)
    return kept is not None and 0 <= clock.now().timestamp() - kept["at"] <= SECONDS


def find(request: HttpRequest) -> Waiting | None:
    """Who waits here; None as well when it took too long or the password is another one by now."""
    kept = request.session.get(KEY)
    if kept is None or not is_waiting(request):
        return None
    account = Account.objects.filter(id=uuid.UUID(kept["account"])).first()
    if account is None or not constant_time_compare(account.get_session_auth_hash(), kept["password"]):
        return None
    here = kept["organization"]
    notes = Notes(frozenset(kept.get("proved_by", ())), frozenset(kept.get("proved_strongly_by", ())))
    first = First(kept.get("way", "password"), kept.get("connection", ""), notes)
    return Waiting(account, Organization.objects.filter(id=here).first() if here else None, first)


def end(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
