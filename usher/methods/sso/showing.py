"""The buttons of single sign-on at the doors, and whether an organisation has any."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.ways import WAYS, label_of
from usher.organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Button:
    """“Continue with …”. By a connection of the organisation, or by the kind where the answer says whose it is."""

    label: str
    connection_id: uuid.UUID | None = None
    kind: str = ""


def has_active(organization: Organization) -> bool:
    """Whether its people can sign in by a provider."""
    return Connection.objects.filter(organization=organization, state=Connection.State.ON).exists()


def buttons(organization: Organization | None) -> Sequence[Button]:
    """At an organisation's own door only its own; at the common one those of the operator's registrations."""
    if organization is None:
        return [Button(WAYS[kind].label, kind=kind) for kind, client in _shared().items() if client[0]]
    mine = Connection.objects.filter(organization=organization, state=Connection.State.ON).order_by("id")
    return [Button(label_of(one), connection_id=one.id) for one in mine]


def has_shared(kind: Kind) -> bool:
    """Whether the operator has registered Usher with this provider."""
    return bool(_shared().get(kind.value, ("", ""))[0])


def is_any_active() -> bool:
    """Whether a typed address could lead to a provider at all."""
    return Connection.objects.filter(state=Connection.State.ON).exists()


def _shared() -> dict[str, tuple[str, str]]:
    return {Kind.MICROSOFT.value: settings.USHER_MICROSOFT_CLIENT, Kind.GOOGLE.value: settings.USHER_GOOGLE_CLIENT}
