"""Microsoft Entra ID: what its ID tokens say, and what of it counts.

| claim | what Usher makes of it |
|---|---|
| ``tid``, ``oid`` | the identity: the tenant and the person in it; neither ever changes |
| ``iss`` | must be the tenant's own, ``…/{tid}/v2.0`` |
| ``email``, ``preferred_username`` | an address to be shown; an admin of the tenant can write any into it ("nOAuth") |
| ``xms_edov`` | Microsoft says that the domain of ``email`` is verified in this tenant: the address counts |
| ``roles`` | app roles: the fact ``app_role`` |
| ``groups``, ``_claim_names``, ``hasgroups`` | group ids; more than 200 are left out and asked of Graph |
| ``acct``, ``idp``, ``#EXT#`` | a guest, whom another tenant vouches for |
| ``wids`` | the person's directory roles, by which a tenant is proved |

Sources: "ID token claims reference", "Configure group claims" and "Secure applications against nOAuth" of the
Microsoft identity platform documentation; ``primaryRole``: educationUser of Microsoft Graph v1.0.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from usher.core import fetch
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.person import Person, address_in, had_second, name_in, seen_at, words
from usher.methods.sso.provider import Claims, Provider, Way, callback_of, client_of
from usher.organizations import domains
from usher.people.addresses import domain_key
from usher.protocols.oidc.id_token import LONGEST_SUBJECT
from usher.protocols.oidc.responses import Tokens

LABEL: Final = "Microsoft"
PERSONAL_TENANT: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"  # every private account, of anybody
SCOPE: Final = "openid profile email"
GROUPS_SCOPE: Final = "GroupMember.Read.All"
SCHOOL_SCOPE: Final = "EduRoster.ReadBasic"
# Directory roles that may consent for a whole tenant, by the id of their template.
TENANT_ADMINS: Final = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",  # Application Administrator
        "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
    }
)
MOST_PAGES: Final = 50  # of groups, a hundred each


def tenant_id(text: str) -> str:
    """A tenant's id in one spelling; "" for anything else."""
    with suppress(ValueError):
        return str(uuid.UUID(text.strip()))
    return ""


def authority(tenant: str) -> str:
    return f"{settings.USHER_MICROSOFT_AUTHORITY}/{tenant}/v2.0"


def provider(connection: Connection | None, wanted: frozenset[str]) -> Provider:
    """Where a tenant's people sign in; without a known tenant, where those of every organisation do."""
    tenant = connection.tenant if connection else ""
    scopes = [scope for fact, scope in ASKS_FOR.items() if fact in wanted]
    return Provider(
        label=LABEL,
        issuer=authority(tenant or "{tenantid}"),
        discovery=f"{authority(tenant or 'organizations')}/.well-known/openid-configuration",
        client=client_of(connection, settings.USHER_MICROSOFT_CLIENT, LABEL),
        callback=callback_of(connection, Kind.MICROSOFT),
        scope=" ".join([SCOPE, *scopes]),
        is_templated=not tenant,
    )


def consent_url(provider: Provider, connection: Connection | None, state: str) -> str:
    """Where an admin lets the application in for the whole tenant, with all that its registration lists.

    Source: "Admin consent on the Microsoft identity platform"; ``.default`` of "Scopes and permissions" there. What
    comes back was said by the browser alone, and proves nothing.
    """
    tenant = connection.tenant if connection else ""
    asked = {
        "client_id": provider.client.id,
        "scope": f"{settings.USHER_MICROSOFT_GRAPH}/.default",
        "redirect_uri": provider.callback,
        "state": state,
    }
    return f"{authority(tenant or 'organizations')}/adminconsent?{urlencode(asked)}"


def examine(connection: Connection, claims: Mapping[str, Any]) -> None:
    """Raises UsherError: personal_account, tenant_wrong, guest_account."""
    tenant = tenant_of(claims)
    if tenant != connection.tenant:
        raise UsherError(Reason.TENANT_WRONG(organization=connection.organization.name))
    if is_guest(claims) and not connection.guests:
        raise UsherError(Reason.GUEST_ACCOUNT(organization=connection.organization.name))


def tenant_of(claims: Mapping[str, Any]) -> str:
    """The tenant that a verified token is of. Raises UsherError: personal_account, sso_not_trusted."""
    tenant = tenant_id(str(claims.get("tid", "")))
    if tenant == PERSONAL_TENANT:
        raise UsherError(Reason.PERSONAL_ACCOUNT(provider=LABEL))
    person = claims.get("oid")
    if not tenant or not isinstance(person, str) or not 0 < len(person) <= LONGEST_SUBJECT:
        raise UsherError(Reason.SSO_NOT_TRUSTED(provider=LABEL))
    return tenant


def is_guest(claims: Mapping[str, Any]) -> bool:
    """Invited into the tenant from elsewhere: the token says so (``acct``, an optional claim: 1), another provider
    signs the person in (``idp``), or the name tells."""
    if "1" in words(claims.get("acct")):
        return True
    idp = str(claims.get("idp") or "")
    from_elsewhere = bool(idp) and idp != claims.get("iss") and str(claims.get("tid")) not in idp
    return from_elsewhere or "#ext#" in str(claims.get("preferred_username", "")).lower()


def is_tenant_admin(claims: Mapping[str, Any]) -> bool:
    return bool(TENANT_ADMINS.intersection(word.lower() for word in words(claims.get("wids"))))


def describe(connection: Connection, signed: Claims) -> Person:
    claims = signed.claims
    address = address_in(claims.get("email"), claims.get("preferred_username"))
    groups, unknown = _groups(claims)
    return Person(
        issuer=signed.issuer,
        subject=str(claims["oid"]),
        address=address,
        is_vouched=bool(address) and not is_guest(claims) and _answers_for(connection, claims, address),
        name=name_in(claims),
        facts={"app_role": words(claims.get("roles")), "group": groups, "email": (address.lower(),) if address else ()},
        unknown=unknown | {"primary_role"},
        has_second=had_second(claims),
        seen_at=seen_at(claims),
    )


def _answers_for(connection: Connection, claims: Mapping[str, Any], address: str) -> bool:
    """Microsoft says that the domain of this very address is the tenant's, or the organisation has proved it.

    Of an organisation's own registration only the second counts: whoever owns one can have claims written into it.
    """
    is_verified = str(claims.get("xms_edov", "")).lower() in ("1", "true")
    if is_verified and not connection.is_own and address_in(claims.get("email")) == address:
        return True
    return domains.answers_for(connection.organization_id, domain_key(address))


def _groups(claims: Mapping[str, Any]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The group ids, and whether some are missing: Entra leaves them all out where there are more than 200."""
    named = claims.get("_claim_names")
    is_over = (isinstance(named, dict) and "groups" in named) or str(claims.get("hasgroups", "")).lower() == "true"
    return ((), frozenset({"group"})) if is_over else (words(claims.get("groups")), frozenset())


# Microsoft Graph, for what the token does not say

ASKS_FOR: Mapping[str, str] = {"group": GROUPS_SCOPE, "primary_role": SCHOOL_SCOPE}


def ask(_connection: Connection, person: Person, tokens: Tokens, wanted: frozenset[str]) -> Person:
    """What rules want to know and the token left out. What Graph does not tell stays unknown."""
    if not tokens.access_token:
        return person
    readers = {"group": _all_groups, "primary_role": _primary_role}
    for fact in sorted(wanted & person.unknown & readers.keys()):
        with suppress(fetch.FetchError, UnreadableError):
            found = readers[fact](tokens.access_token)
            person = replace(person, facts={**person.facts, fact: found}, unknown=person.unknown - {fact})
    return person


class UnreadableError(Exception):
    """Graph answered, and not with what was asked: mostly because nobody has consented."""


def _all_groups(access_token: str) -> tuple[str, ...]:
    """Every group id, direct or nested; "List transitiveMemberOf" of Graph v1.0, page by page."""
    first = f"{settings.USHER_MICROSOFT_GRAPH}/v1.0/me/transitiveMemberOf/microsoft.graph.group?$select=id&$top=100"
    return tuple(str(row["id"]) for page in _pages(first, access_token) for row in page if "id" in row)


def _pages(url: str, access_token: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of each page; the link to the next one must stay at Graph."""
    for _page in range(MOST_PAGES):
        answer = _graph(url, access_token)
        yield [row for row in answer.get("value", ()) if isinstance(row, dict)]
        url = str(answer.get("@odata.nextLink") or "")
        if not url:
            return
        if not url.startswith(f"{settings.USHER_MICROSOFT_GRAPH}/"):
            raise UnreadableError
    raise UnreadableError


def _primary_role(access_token: str) -> tuple[str, ...]:
    """``student`` or ``teacher``, as School Data Sync or the school's IT has set it (educationUser)."""
    answer = _graph(f"{settings.USHER_MICROSOFT_GRAPH}/v1.0/education/me?$select=primaryRole", access_token)
    return words(answer.get("primaryRole"))


def _graph(url: str, access_token: str) -> Mapping[str, Any]:
    """Raises FetchError, UnreadableError."""
    answer = fetch.get(url, headers={"Authorization": f"Bearer {access_token}"})
    body = answer.json() if answer.status == 200 else None
    if not isinstance(body, dict):
        raise UnreadableError
    return body


WAY = Way(
    kind=Kind.MICROSOFT,
    label=LABEL,
    facts={
        "app_role": _("App role"),
        "group": _("Group (its object ID)"),
        "primary_role": _("School role (teacher or student)"),
        "email": _("E-mail address"),
    },
    provider=provider,
    examine=examine,
    describe=describe,
    ask=ask,
    asks_for=ASKS_FOR,
)
