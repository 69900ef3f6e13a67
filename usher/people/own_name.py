"""The name of one's own account, as others see it."""

from __future__ import annotations

from django.db import transaction

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.people.members import who_hears
from usher.people.models import Account
from usher.people.names import clean_name
from usher.people.search import reindex


def rename(account: Account, typed: str) -> bool:
    """Take another name; False when it is the one there is. Raises UsherError: the findings of names, name_kept_by.

    The name of an account that nobody proved stands in its organisation's books, on cards and lists: it is
    corrected there.
    """
    if account.home:
        raise UsherError(Reason.NAME_KEPT_BY("username", organization=account.home.name))
    return _rename(account, clean_name(typed))


@retrying
def _rename(account: Account, name: str) -> bool:
    with transaction.atomic():
        mine = Account.objects.select_for_update().get(id=account.id)
        before = mine.username
        if name == before:
            return False
        mine.username = name
        mine.save(update_fields=["username"])
        reindex(mine)
        for organization_id in who_hears(mine):
            told = Draft(
                EventType.ACCOUNT_CORRECTED,
                organization_id,
                Actor("account", mine.id),
                account_id=mine.id,
                address=mine.sign_in_key,
                personal={"from": {"username": before}, "to": {"username": name}},
            )
            record.record(told)
    return True
