"""Which organisations' identity providers have proved the person of a session, kept in the session itself.

An organisation trusts its own provider alone: what another one's said opens nothing there (security.md B12). The
notes live as long as the session of this one account; signing out, or in as somebody else, ends them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from usher.people.models import Account

KEY: Final = "usher.proved_by"  # in the session: ids of organisations, as text
SELF: Final = "usher.proved_self"  # the person gave a proof of his own, too
STRONGLY: Final = "usher.proved_strongly_by"  # the same, of those whose provider saw several factors


@dataclass(frozen=True, slots=True)
class Notes:
    """Ids of organisations, as text. ``strongly`` is a part of ``by``."""

    by: frozenset[str] = frozenset()
    strongly: frozenset[str] = frozenset()


NOBODY: Final = Notes()


def of(request: HttpRequest) -> Notes:
    """What this session holds; asks no table."""
    return Notes(frozenset(request.session.get(KEY, ())), frozenset(request.session.get(STRONGLY, ())))


def with_word_of(request: HttpRequest, account: Account, organization_id: uuid.UUID, *, is_strong: bool) -> Notes:
    """One more, beside those of a session that is this account's already."""
    before = of(request) if request.user == account else NOBODY
    word = {str(organization_id)}
    return Notes(before.by | word, before.strongly | word if is_strong else before.strongly)


def is_word_of_others(request: HttpRequest, account: Account, organization_id: uuid.UUID) -> bool:
    """Whether all that speaks for this session is what another organisation's provider said of somebody who has an
    account of his own: an organisation is not opened by the word of another one (security.md A5)."""
    by = only_by(request)
    return account.is_proved and bool(by) and str(organization_id) not in by


def only_by(request: HttpRequest) -> frozenset[str]:
    """The organisations whose providers alone proved the person; empty where he gave a proof of his own."""
    return frozenset() if request.session.get(SELF) else of(request).by


def by_himself(request: HttpRequest) -> None:
    """A password, a passkey or the mailbox: nobody's word is needed any more."""
    request.session[SELF] = True


def keep(request: HttpRequest, notes: Notes) -> None:
    """Write them into the session, which has to be the account's own by now."""
    if not notes.by:
        by_himself(request)
    if notes.by:
        request.session[KEY] = sorted(notes.by | of(request).by)
        request.session[STRONGLY] = sorted(notes.strongly | of(request).strongly)
