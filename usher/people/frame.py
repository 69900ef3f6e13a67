"""What the frame around every page of an organisation shows: whose house it is, who is here, which rooms open."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from usher.organizations.plans import Method
from usher.people import asks, members
from usher.people.access import Visit


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the rail."""

    url: str
    icon: str
    label: str | Promise
    current: bool = False
    count: int = 0  # how many wait there


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
ACTIVITIES = _Room("activities", icon="list-check", label=_("Activities"))
LICENSE = _Room("licence", icon="certificate", label=_("Licence"))
EVENTS = _Room("events", icon="history", label=_("Events"))
SETTINGS = _Room("settings", icon="settings", label=_("Settings"))
ASKS = _Room("asks", icon="hand-stop", label=_("Who waits"))


def frame(visit: Visit, current: str) -> dict[str, object]:
    """The context of ``layouts/house.html``. ``current`` is the room: "", "users", "groups", "activities", "licence",
    "events", "settings" or "asks"; who waits is an entry only while somebody waits.
    """
    organization, waiting = visit.organization, asks.count(visit)
    base = f"/o/{organization.slug}/"
    return {
        "organization": House(organization.name, organization.slug, str(visit.plan.name), organization.logo_url),
        "organization_url": base,
        "accent_url": f"{base}accent.css",
        "person": visit.account.username,
        "is_admin": visit.is_admin,
        "methods": visit.plan.methods,
        "membership_role": str(visit.role.label),
        "account_url": "/account",
        "sign_out_url": "/sign-out",
        "nav": _nav(visit, base, current, waiting),
        "switcher": SimpleLazyObject(lambda: members.places_of(visit.account)),
        "waiting": waiting,
    }


def _nav(visit: Visit, base: str, current: str, waiting: int) -> list[Item]:
    rooms = [room for room in _rooms(visit) if room is not ASKS or waiting or current == ASKS.name]
    here = [
        Item(base + room.name, room.icon, room.label, room.name == current, waiting if room is ASKS else 0)
        for room in rooms
    ]
    return [*here, Item("/operator/", "terminal-2", _("Operator"))] if visit.account.is_operator else here


def _rooms(visit: Visit) -> list[_Room]:
    groups = [GROUPS] if visit.plan.groups and (visit.is_admin or visit.managed) else []
    if not visit.is_admin:
        return [HOME, ASKS, *groups]
    # What is done there comes from an LMS or from an application.
    activities = [ACTIVITIES] if visit.plan.methods & {Method.LTI, Method.API} else []
    return [HOME, ASKS, USERS, *groups, *activities, LICENSE, EVENTS, SETTINGS]
