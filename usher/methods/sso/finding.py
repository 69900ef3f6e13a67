"""Which connection a sign-in is by: chosen on a page, found by a typed address, or by what the provider says."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.sso import google, microsoft
from usher.methods.sso.models import Connection, Kind
from usher.methods.sso.ways import label_of
from usher.organizations import domains
from usher.organizations.models import Organization
from usher.people.addresses import parse_address


def connections() -> QuerySet[Connection]:
    whole = Connection.objects.select_related("organization__license", "organization__logo")
    return whole.defer("organization__logo__content")


def by_id(connection_id: uuid.UUID | str) -> Connection | None:
    """One that people can use now."""
    try:
        wanted = uuid.UUID(str(connection_id))
    except ValueError:
        return None
    return connections().filter(id=wanted, state=Connection.State.ON).first()


def by_claims(kind: Kind, claims: Mapping[str, Any]) -> Connection:
    """Whose the person is, where the sign-in began on the common page.

    Raises UsherError: personal_account, tenant_unknown, hosted_domain_unknown, sso_off, sso_not_trusted.
    """
    found = _by_tenant(claims) if kind == Kind.MICROSOFT else _by_hosted_domain(claims)
    if found.state != Connection.State.ON:
        raise UsherError(Reason.SSO_OFF(organization=found.organization.name, provider=label_of(found)))
    return found


def _by_tenant(claims: Mapping[str, Any]) -> Connection:
    tenant = microsoft.tenant_of(claims)
    found = connections().filter(kind=Kind.MICROSOFT, tenant=tenant, proved_at__isnull=False).first()
    if found is None:
        raise UsherError(Reason.TENANT_UNKNOWN())
    return found


def _by_hosted_domain(claims: Mapping[str, Any]) -> Connection:
    hosted = google.hosted_domain(claims)
    owner = domains.owner_of(hosted)
    found = _best(connections().filter(kind=Kind.GOOGLE, organization=owner)) if owner else None
    if found is None:
        raise UsherError(Reason.HOSTED_DOMAIN_UNKNOWN(domain=hosted))
    return found


def by_address(typed: str) -> Connection | None:
    """The provider of an address, by the domain that an organisation has proved (home realm discovery)."""
    try:
        address = parse_address(typed)
    except UsherError:
        return None
    owner = domains.owner_of(address.key)
    found = _best(connections().filter(organization=owner)) if owner and not owner.is_suspended else None
    return found if found and found.state == Connection.State.ON else None


def _best(some: QuerySet[Connection]) -> Connection | None:
    """The one that is on; of several the oldest."""
    return min(some, key=lambda one: (one.state != Connection.State.ON, one.id), default=None)


def own(organization: Organization, connection_id: uuid.UUID) -> Connection:
    """One of the organisation's, in whatever state. Raises UsherError: unknown_connection."""
    found = connections().filter(organization=organization, id=connection_id).first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    return found


def typed(organization: Organization, text: str) -> Connection:
    """By its id, or by its kind where there is one of that kind. Raises UsherError: unknown_connection."""
    found = of_organization(organization)
    named = [one for one in found if str(one.id) == text.strip().lower()] or [one for one in found if one.kind == text]
    if len(named) != 1:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    return named[0]


def of_organization(organization: Organization) -> list[Connection]:
    """All of them, the oldest first."""
    return list(connections().filter(organization=organization).order_by("id"))
