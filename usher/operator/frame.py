"""What stands around every page of the operator, and who acts there."""

from __future__ import annotations

from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from usher.events.types import Actor
from usher.people import members
from usher.people.access import Visit
from usher.people.frame import House, Item


def actor_of(visit: Visit) -> Actor:
    """The operator as organisations read of him; which one it was stays in the event."""
    return Actor("operator", visit.account.id)


def frame(visit: Visit, current: str) -> dict[str, object]:
    """The context of ``layouts/house.html``. ``current`` is "organizations", "search" or "settings"."""
    rooms = (
        ("organizations", "building", _("Organisations")),
        ("search", "search", _("Search")),
        ("settings", "settings", _("Server")),
    )
    return {
        "organization": House(_("Operator"), "", _("All organisations")),
        "organization_url": reverse("operator:organizations"),
        "person": visit.account.username,
        "membership_role": _("Operator"),
        "account_url": reverse("account"),
        "sign_out_url": reverse("sign_out"),
        "switcher": SimpleLazyObject(lambda: members.places_of(visit.account)),
        "nav": [
            *(Item(reverse(f"operator:{name}"), icon, word, name == current) for name, icon, word in rooms),
            Item(reverse("console:home"), "home", _("Home")),
        ],
    }
