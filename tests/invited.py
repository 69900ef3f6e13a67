"""People who are invited, before the page of their invitation: what they send, and what came of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client
from inviting import ZOE, token_of
from world import World

from usher.core.models import Mail
from usher.events.models import Event
from usher.methods.email_invitation import changes
from usher.methods.email_invitation.models import Invitation, Suppression
from usher.people.models import Account, Membership, OneTimeLink

OWN = "four words in a row"
EVE = "eve@elsewhere.example"


def page_of(invitation: Invitation) -> str:
    """The path that its mail brings now."""
    invitation.refresh_from_db()
    return f"/invitation/{token_of(invitation)}"


def copied(world: World, invitation: Invitation, *, unproved: bool) -> str:
    link = changes.copy_link(world.cedar.organization, invitation.id, world.ada.by, unproved=unproved)
    return f"/invitation/{link.rpartition('/')[2]}"


def register(client: Client, path: str, password: str = OWN, username: str = "Zoë Zimt", **more: str) -> HttpResponse:
    answer = client.post(path, {"act": "register", "username": username, "password": password, **more})
    assert isinstance(answer, HttpResponse)
    return answer


def press(client: Client, path: str, act: str = "accept") -> HttpResponse:
    answer = client.post(path, {"act": act})
    assert isinstance(answer, HttpResponse)
    return answer


def to(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("Location", "")


IN = (302, "/o/cedar/")


def members(email: str = ZOE) -> list[Membership]:
    return list(Membership.objects.filter(account__sign_in_key=email, state="active"))


def state() -> list[object]:
    """What nobody may change by looking, nor by sending a form without typing."""
    tables = (Invitation, Account, Membership, Suppression, OneTimeLink)
    return [list(table._default_manager.order_by("pk").values_list()) for table in tables] + [
        Event.objects.count(),
        Mail.objects.count(),
    ]
