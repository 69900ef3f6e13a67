"""People of a list who have an account of their own: a file never touches it, an invitation by e-mail asks them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from usher.core.cells import guard
from usher.core.reasons import Reason
from usher.lifecycle.joiner import Joiner, NewAccount, Outcome
from usher.methods.csv_import.options import Options
from usher.organizations.models import Organization
from usher.organizations.plans import Method

_NOT_IN_A_NAME = frozenset('"<>@;')  # would read as a part of the address, or as the next person


def is_offered(organization: Organization) -> bool:
    """Whether the organisation may invite by e-mail."""
    return Method.EMAIL_INVITATION in organization.license.plan.methods


def has_account(outcome: Outcome) -> bool:
    return outcome.reason == Reason.HAS_ACCOUNT.code


def as_text(joiners: Sequence[Joiner], options: Options) -> str:
    """The people as one pastes them, ``Name <address>``; as CSV where the file gave a role or groups of its own."""
    chosen = {options.group} if options.group else set()
    if all(joiner.role == options.role and set(joiner.groups) == chosen for joiner in joiners):
        return "\n".join(_line(*_typed(joiner)) for joiner in joiners)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("email", "name", "role", "groups"))
    for joiner in joiners:
        name, email = _typed(joiner)
        writer.writerow([guard(cell) for cell in (email, name, joiner.role, "|".join(joiner.groups))])
    return text.getvalue()


def _typed(joiner: Joiner) -> tuple[str, str]:
    """Name and address of the row."""
    account = joiner.account
    return (account.username, account.email) if isinstance(account, NewAccount) else ("", "")


def _line(name: str, email: str) -> str:
    return email if not name or _NOT_IN_A_NAME.intersection(name) else f"{name} <{email}>"
