"""Google: what its ID tokens say, and what of it counts.

| claim | what Usher makes of it |
|---|---|
| ``sub`` | the identity; Google never gives it to anybody else |
| ``hd`` | the Workspace domain that manages the account; without it the account is private, whatever its address |
| ``email``, ``email_verified`` | the address counts where its domain is one that the organisation has proved |

Sources: "OpenID Connect" of Google Identity (on ``hd``: never ``email`` alone), Classroom API v1 (userProfiles,
courses) and Admin SDK Directory API (users) of Google's developer documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from usher.core import fetch
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.person import Person, address_in, had_second, name_in, seen_at
from usher.methods.sso.provider import Claims, Provider, Way, callback_of, client_of
from usher.organizations import domains
from usher.people.addresses import domain_key
from usher.protocols.oidc.responses import Tokens

LABEL: Final = "Google"
SCOPE: Final = "openid email profile"
_AUTH: Final = "https://www.googleapis.com/auth"
CLASSROOM_SCOPE: Final = f"{_AUTH}/classroom.profile.emails {_AUTH}/classroom.courses.readonly"
DIRECTORY_SCOPE: Final = f"{_AUTH}/admin.directory.user.readonly"
ADMIN: Final = "admin"  # the fact that the account is an admin of its domain; no rule can look at it
ASKS_FOR: Mapping[str, str] = {"classroom": CLASSROOM_SCOPE, ADMIN: DIRECTORY_SCOPE}


def provider(connection: Connection | None, wanted: frozenset[str]) -> Provider:
    scopes = [scope for fact, scope in ASKS_FOR.items() if fact in wanted]
    return Provider(
        label=LABEL,
        issuer=settings.USHER_GOOGLE_ISSUER,
        discovery=f"{settings.USHER_GOOGLE_ISSUER}/.well-known/openid-configuration",
        client=client_of(connection, settings.USHER_GOOGLE_CLIENT, LABEL),
        callback=callback_of(connection, Kind.GOOGLE),
        scope=" ".join([SCOPE, *scopes]),
    )


def hosted_domain(claims: Mapping[str, Any]) -> str:
    """The domain that manages the account. Raises UsherError: personal_account."""
    hosted = claims.get("hd")
    if not isinstance(hosted, str) or not hosted.strip():
        raise UsherError(Reason.PERSONAL_ACCOUNT(provider=LABEL))
    return hosted.strip().lower()


def examine(connection: Connection, claims: Mapping[str, Any]) -> None:
    """Raises UsherError: personal_account, hosted_domain_wrong."""
    hosted = hosted_domain(claims)
    if not domains.answers_for(connection.organization_id, hosted):
        raise UsherError(Reason.HOSTED_DOMAIN_WRONG(domain=hosted, organization=connection.organization.name))


def describe(connection: Connection, signed: Claims) -> Person:
    claims = signed.claims
    address = address_in(claims.get("email"))
    domain = domain_key(address) if address else ""
    is_verified = claims.get("email_verified") is True
    return Person(
        issuer=signed.issuer,
        subject=signed.subject,
        address=address,
        is_vouched=is_verified and bool(domain) and domains.answers_for(connection.organization_id, domain),
        name=name_in(claims),
        facts={"domain": (domain,) if domain else (), "email": (address.lower(),) if address else ()},
        unknown=frozenset({"classroom"}),
        has_second=had_second(claims),
        seen_at=seen_at(claims),
    )


# Classroom and the directory, for what the token does not say


def ask(_connection: Connection, person: Person, tokens: Tokens, wanted: frozenset[str]) -> Person:
    """Whether somebody teaches, by Classroom; whether he runs the domain, by the directory. Unknown where not told."""
    if not tokens.access_token:
        return person
    found = dict(person.facts)
    if "classroom" in wanted and (teaches := _teaches(tokens.access_token)) is not None:
        found["classroom"] = ("teacher",) if teaches else ("student",)
    if ADMIN in wanted and _runs_the_domain(person, tokens.access_token):
        found[ADMIN] = ("true",)
    return replace(person, facts=found, unknown=person.unknown - found.keys())


def _runs_the_domain(person: Person, access_token: str) -> bool:
    """A super admin, by the directory's own word about this very address."""
    return _get(f"{_directory()}/users/{quote(person.address, safe='')}", access_token).get("isAdmin") is True


def _teaches(access_token: str) -> bool | None:
    """A verified teacher, or a teacher of a course; None where Classroom does not say."""
    profile = _get(f"{_classroom()}/v1/userProfiles/me", access_token)
    if profile.get("verifiedTeacher") is True:
        return True
    courses = _get(f"{_classroom()}/v1/courses?teacherId=me&courseStates=ACTIVE&pageSize=1", access_token)
    if courses.get("courses"):
        return True
    return False if "id" in profile and _ANSWERED in courses else None


_ANSWERED: Final = "answered"  # an empty list of courses is an empty object


def _get(url: str, access_token: str) -> Mapping[str, Any]:
    """What the service says, marked as answered; empty where it does not say, mostly for want of consent."""
    with suppress(fetch.FetchError):
        answer = fetch.get(url, headers={"Authorization": f"Bearer {access_token}"})
        body = answer.json() if answer.status == 200 else None
        if isinstance(body, dict):
            return {**body, _ANSWERED: True}
    return {}


def _classroom() -> str:
    return settings.USHER_GOOGLE_APIS or "https://classroom.googleapis.com"


def _directory() -> str:
    return f"{settings.USHER_GOOGLE_APIS or 'https://admin.googleapis.com'}/admin/directory/v1"


WAY = Way(
    kind=Kind.GOOGLE,
    label=LABEL,
    facts={
        "domain": _("Domain of the address"),
        "classroom": _("Classroom (teacher or student)"),
        "email": _("E-mail address"),
    },
    provider=provider,
    examine=examine,
    describe=describe,
    ask=ask,
    asks_for=ASKS_FOR,
)
