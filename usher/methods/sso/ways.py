"""The kinds of providers there are; a new one is a file with a table of claims and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from usher.methods.sso import google, microsoft, oidc
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.provider import Way

WAYS: Mapping[str, Way] = {way.kind.value: way for way in (microsoft.WAY, google.WAY, oidc.WAY)}


def way_of(kind: Kind | str) -> Way:
    return WAYS[str(kind)]


def label_of(connection: Connection) -> str:
    """What stands on its button, and in every sentence about it."""
    return connection.name or WAYS[connection.kind].label
