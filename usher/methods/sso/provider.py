"""What Usher needs of a provider to send somebody there and to believe what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.utils.functional import Promise

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.seal import unseal
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.person import Person
from usher.protocols.oidc.requests import Client
from usher.protocols.oidc.responses import Tokens

SECRET = "connection"  # noqa: S105 - the purpose under which a client secret is sealed


@dataclass(frozen=True, slots=True)
class Provider:
    """Where it is, who we are there, and what we ask for.

    ``issuer`` holds ``{tenantid}`` where the answer alone says which tenant it is (Microsoft's multi-tenant endpoint).
    ``callback`` is our redirect URI, one for each registration: a code for one never comes to another (RFC 9207
    section 1 calls that a mix-up).
    """

    label: str
    issuer: str
    discovery: str
    client: Client
    callback: str
    scope: str
    is_templated: bool = False


class Claims(Protocol):
    """What a person is made of: SignedClaims, or for a simulation what somebody pasted."""

    @property
    def issuer(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def claims(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """One kind of provider: a table, one file for each (microsoft.py, google.py, oidc.py).

    ``facts`` are what rules may look at, each with how people read it; None where any claim may be named.
    ``examine`` raises UsherError for a verified person whom this connection does not open to. ``describe`` makes the
    person of the claims; ``ask`` asks the provider's other services for facts that the rules want.
    """

    kind: Kind
    label: str
    facts: Mapping[str, str | Promise]
    provider: Callable[[Connection | None, frozenset[str]], Provider]
    examine: Callable[[Connection, Mapping[str, Any]], None]
    describe: Callable[[Connection, Claims], Person]
    ask: Callable[[Connection, Person, Tokens, frozenset[str]], Person]
    asks_for: Mapping[str, str] = field(default_factory=dict)  # fact -> the scopes that reading it takes


def client_of(connection: Connection | None, shared: tuple[str, str], label: str) -> Client:
    """The organisation's own registration, else the operator's. Raises UsherError: sso_off."""
    if connection and connection.client_id:
        sealed = connection.sealed_secret
        return Client(connection.client_id, unseal(sealed, SECRET) if sealed else "")
    if not shared[0]:
        whose = connection.organization.name if connection else "Usher"
        raise UsherError(Reason.SSO_OFF(provider=label, organization=whose))
    return Client(*shared)


def callback_of(connection: Connection | None, kind: Kind) -> str:
    """The redirect URI to be registered with the provider, exactly so."""
    which = connection.id if connection and connection.client_id else kind.value
    return f"{settings.USHER_BASE_URL}/sso/callback/{which}"
