"""What Usher writes to the owner of an account: reset, another address, what was changed.

Nothing that a stranger may have typed is quoted to somebody who did not ask for it.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext as _

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.people import links, own_address, recovery
from usher.people.addresses import parse_address
from usher.people.models import Account, OneTimeLink


@letter("reset")
def reset(mail: Mail) -> Letter | None:
    """A link for whoever has forgotten the password, or word that none would open anything, or that there is no account
    with this address."""
    if clock.now() - _at(mail) > recovery.STALE:
        return None
    address = parse_address(mail.to)
    if provider := recovery.provider_of(address, mail.organization_id):
        facts = {"organization": provider.name, "link": _ours(f"/o/{provider.slug}/sign-in")}
        return Letter(_("You sign in without a password"), "reset_by_provider", facts)
    try:
        link = recovery.write_link(mail.id, address, mail.organization_id)
    except UsherError:
        return None
    if link is None:
        return Letter(_("No account with this address"), "no_account", {"address": address.original})
    context = {
        "link": links.address_of(link),
        "sign_in_address": link.account.sign_in,
        "is_claim": link.purpose == OneTimeLink.Purpose.CLAIM,
        "organization": link.account.home.name if link.account.home else "",
        "minutes": recovery.MINUTES,
    }
    return Letter(_("Choose a new password"), "reset", context, to=link.account.email)


@letter("password_changed")
def password_changed(mail: Mail) -> Letter | None:
    account = Account.objects.filter(id__in=[mail.ref]).first()
    if account is None:
        return None
    context = {"at": _at(mail), "sign_in_address": account.sign_in, "forgot_link": _ours("/forgot")}
    return Letter(_("Your password was changed"), "password_changed", context)


@letter("address")
def address(mail: Mail) -> Letter | None:
    """To the mailbox that shall become the account's. If it is another account's already, nothing can be done here."""
    link = own_address.waiting(mail.ref)
    if link is None:
        return None
    context = {
        "name": link.account.username,
        "address": link.address,
        "hours": own_address.LASTS // dt.timedelta(hours=1),
    }
    if own_address.opens_another(link):
        context["forgot_link"] = _ours("/forgot")
        return Letter(_("This address has an account already"), "address_known", context)
    if not links.rewrite(link):
        return None
    return Letter(_("Prove this address"), "address", {**context, "link": links.address_of(link)})


@letter("address_asked")
def address_asked(mail: Mail) -> Letter | None:
    link = own_address.waiting(mail.ref)
    if link is None:
        return None
    context = {"new_address": link.address, "forgot_link": _ours("/forgot")}
    return Letter(_("Another address for your account"), "address_asked", context)


@letter("address_changed")
def address_changed(mail: Mail) -> Letter:
    return Letter(_("Your address was changed"), "address_changed", {"at": _at(mail), "old_address": mail.to})


def _at(mail: Mail) -> dt.datetime:
    """The moment of the change, in UTC: where the reader is, we do not know."""
    return dt.datetime.fromisoformat(mail.data["at"]).astimezone(dt.UTC)


def _ours(path: str) -> str:
    return f"{settings.USHER_BASE_URL}{path}"
