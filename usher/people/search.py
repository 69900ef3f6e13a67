"""The search words and the sort name of members, made again when a name or an address has changed."""

from __future__ import annotations

from usher.people.models import Account, Membership, SearchWord
from usher.people.names import search_words, sort_key


def reindex(account: Account) -> None:
    """Make the words by which the account's memberships are found, and sorted, fit its name. Needs a transaction."""
    memberships = Membership.objects.filter(account=account)
    memberships.update(sort_name=sort_key(account.username))
    SearchWord.objects.filter(membership__account=account).delete()
    SearchWord.objects.bulk_create(
        SearchWord(membership_id=membership_id, organization_id=organization_id, word=word)
        for membership_id, organization_id in memberships.values_list("id", "organization_id")
        for word in search_words(account.username, account.sign_in)
    )
