"""Any other OpenID provider (Okta, Keycloak, ADFS, ...): the standard's own claims, and rules on any of them.

| claim | what Usher makes of it |
|---|---|
| ``iss``, ``sub`` | the identity (OpenID Connect Core 1.0 section 2) |
| ``email``, ``email_verified`` | the address counts where its domain is one that the organisation has proved |
| any other | a fact under its own name; ``realm_access.roles`` is looked for inside |

What a provider calls verified is its own word: whoever registers an issuer can make one that says anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.person import Person, address_in, had_second, name_in, seen_at, words
from usher.methods.sso.provider import Claims, Provider, Way, callback_of, client_of
from usher.organizations import domains
from usher.people.addresses import domain_key
from usher.protocols.oidc.metadata import well_known
from usher.protocols.oidc.responses import Tokens

LABEL: Final = "OpenID Connect"
SCOPE: Final = "openid email profile"
DEEPEST: Final = 4  # levels of a claim that is an object


def provider(connection: Connection | None, _wanted: frozenset[str]) -> Provider:
    """There is none without a connection: the issuer is the organisation's own."""
    if connection is None:
        raise ValueError("An OpenID provider is always an organisation's own.")
    return Provider(
        label=connection.name or LABEL,
        issuer=connection.issuer,
        discovery=well_known(connection.issuer),
        client=client_of(connection, ("", ""), LABEL),
        callback=callback_of(connection, Kind.OIDC),
        scope=SCOPE,
    )


def examine(_connection: Connection, _claims: Mapping[str, Any]) -> None:
    """The issuer is the organisation's own, so everybody whom it signs in is one of its people."""


def describe(connection: Connection, signed: Claims) -> Person:
    claims = signed.claims
    address = address_in(claims.get("email"))
    domain = domain_key(address) if address else ""
    return Person(
        issuer=signed.issuer,
        subject=signed.subject,
        address=address,
        is_vouched=claims.get("email_verified") is True
        and bool(domain)
        and domains.answers_for(connection.organization_id, domain),
        name=name_in(claims),
        facts={**dict(_facts(claims, DEEPEST)), "domain": (domain,) if domain else ()},
        has_second=had_second(claims),
        seen_at=seen_at(claims),
    )


def _facts(claims: Mapping[str, Any], deep: int, above: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every claim that is a text or a list of texts, by its path: ``realm_access.roles``."""
    for name, value in claims.items():
        path = f"{above}{name}"[:100]
        if isinstance(value, dict) and deep:
            yield from _facts(value, deep - 1, f"{path}.")
        elif found := words(value):
            yield path, found


def ask(_connection: Connection, person: Person, _tokens: Tokens, _wanted: frozenset[str]) -> Person:
    return person


WAY = Way(
    kind=Kind.OIDC,
    label=LABEL,
    facts={"domain": _("Domain of the address"), "email": _("E-mail address")},
    provider=provider,
    examine=examine,
    describe=describe,
    ask=ask,
)
