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

KEY = "usher.waiting"
SECONDS = 10 * 60
SECOND = "/sign-in/second"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The account whose password was right, and at whose door."""

    account: Account
    organization: Organization | None


def begin(request: HttpRequest, account: Account, organization: Organization | None) -> None:
    """A session under a new key, of nobody yet. Whoever was signed in here before is not any more."""
    if SESSION_KEY in request.session:
        request.session.flush()
    else:
        request.session.cycle_key()
    request.session[KEY] = {
        "account": str(account.id),
        "password": account.get_session_auth_hash(),  # another password: the first proof is void
        "organization": str(organization.id) if organization else "",
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
    return Waiting(account, Organization.objects.filter(id=here).first() if here else None)


def end(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
