"""What the frame around every page of an organisation shows: whose house it is, who is here, which rooms open."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usher.people.access import Visit


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the rail."""

    url: str
    icon: str
    label: str | Promise
    current: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """The organisation as the frame names it."""

    name: str
    slug: str
    plan_name: str
    logo_url: str = ""


@dataclass(frozen=True, slots=True)
class _Room:
    name: str  # what pages call themselves by, and the last part of the address
    icon: str
    label: str | Promise


HOME = _Room("", icon="home", label=_("Home"))
USERS = _Room("users", icon="users", label=_("Users"))
GROUPS = _Room("groups", icon="users-group", label=_("Groups"))
LICENSE = _Room("licence", icon="certificate", label=_("Licence"))
EVENTS = _Room("events", icon="history", label=_("Events"))


def frame(visit: Visit, current: str) -> dict[str, object]:
    """The context of ``layouts/house.html``. ``current`` is the room: "", "users", "groups", "licence", "events"."""
    organization = visit.organization
    base = f"/o/{organization.slug}/"
    return {
        "organization": House(organization.name, organization.slug, str(visit.plan.name)),
        "organization_url": base,
        "accent_url": f"{base}accent.css",
        "person": visit.account.username,
        "membership_role": str(visit.role.label),
        "account_url": "/password",
        "sign_out_url": "/sign-out",
        "nav": [Item(base + room.name, room.icon, room.label, room.name == current) for room in _rooms(visit)],
    }


def _rooms(visit: Visit) -> list[_Room]:
    groups = [GROUPS] if visit.plan.groups and (visit.is_admin or visit.managed) else []
    return [HOME, USERS, *groups, LICENSE, EVENTS] if visit.is_admin else [HOME, *groups]
