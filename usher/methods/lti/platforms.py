"""Which LMSs there are, what they are called, and what follows from how one is set: addresses, frames, roles."""

from __future__ import annotations

import re
import uuid
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet

from usher.core.egress import is_private_host
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.lti.families import Family
from usher.methods.lti.models import Deployment, Platform
from usher.methods.lti.presets import preset_of
from usher.organizations.models import Organization
from usher.protocols.lti13.roles import Standing

PORTS: Final = {"https": 443, "http": 80}
# An origin as CSP writes it (Content Security Policy Level 3, section 2.3.1), with a star for names below.
ORIGIN: Final = re.compile(r"(https?)://(\*\.)?((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?")
LONGEST_LABEL: Final = 60


def platforms() -> QuerySet[Platform]:
    """Without the logo, which few of those who ask show: a launch is a redirect."""
    return Platform.objects.select_related("organization__license")


def by_id(platform_id: uuid.UUID | str) -> Platform | None:
    """Of anybody, in whatever state."""
    try:
        wanted = uuid.UUID(str(platform_id))
    except ValueError:
        return None
    return platforms().filter(id=wanted).first()


def own(organization: Organization | None, platform_id: uuid.UUID | str) -> Platform:
    """One of the organisation's; of the operator's shared ones without one. Raises UsherError: unknown_platform."""
    found = by_id(platform_id)
    if found is None or found.organization_id != (organization.id if organization else None):
        raise UsherError(Reason.UNKNOWN_PLATFORM())
    return found


def typed(organization: Organization | None, text: str) -> Platform:
    """By its id, or by its family where there is one of that. Raises UsherError: unknown_platform."""
    found = of_organization(organization) if organization else shared()
    named = [one for one in found if str(one.id) == text.strip().lower()]
    named = named or [one for one in found if one.family == text]
    if len(named) != 1:
        raise UsherError(Reason.UNKNOWN_PLATFORM())
    return named[0]


def of_organization(organization: Organization) -> list[Platform]:
    """Its own ones, the oldest first."""
    return list(platforms().filter(organization=organization).order_by("id"))


def shared() -> list[Platform]:
    """Those of the operator, which serve several organisations by their deployments."""
    return list(platforms().filter(organization=None).order_by("id"))


def serving(organization: Organization) -> list[Platform]:
    """Its own ones, and the operator's with a deployment of it; the oldest first."""
    its = Q(organization=organization) | Q(organization=None, deployments__organization=organization)
    return list(platforms().filter(its).distinct().order_by("id"))


def deployment_by_id(platform: Platform, deployment_id: uuid.UUID | str) -> Deployment:
    """By the id of its row. Raises UsherError: unknown_deployment."""
    try:
        found = platform.deployments.select_related("organization").filter(id=uuid.UUID(str(deployment_id))).first()
    except ValueError:
        found = None
    if found is None:
        raise UsherError(Reason.UNKNOWN_DEPLOYMENT())
    return found


def label_of(platform: Platform) -> str:
    """What people call it: its own name, else what it is and where."""
    if platform.name:
        return platform.name
    family, host = str(Family(platform.family).label), urlsplit(platform.issuer).hostname or ""
    if not host or "issuer" in preset_of(platform.family).fixed:
        return family
    return f"{family} ({host})"[:LONGEST_LABEL]


# Addresses


def login_url(platform: Platform) -> str:
    return f"{settings.USHER_BASE_URL}/lti/{platform.id}/login"


def launch_url(platform: Platform) -> str:
    """Where the LMS sends people: redirect URL and tool URL in one."""
    return f"{settings.USHER_BASE_URL}/lti/{platform.id}/launch"


def jwks_url(_platform: Platform | None = None) -> str:
    """The same for all."""
    return f"{settings.USHER_BASE_URL}/lti/jwks"


# Frames


def origins_of(platform: Platform) -> tuple[str, ...]:
    """Whose pages may show ours in a frame: for ``frame-ancestors``. Each once, in no need of quoting."""
    told = [origin_of(platform.issuer), origin_of(platform.auth_url), *platform.origins]
    told += preset_of(platform.family).origins
    return tuple(dict.fromkeys(one for one in told if is_origin(one)))


def origin_of(url: str) -> str:
    """Scheme, host and port; "" for what is no address."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in PORTS or not host:
        return ""
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port and port != PORTS[parts.scheme] else "")


def is_origin(text: object) -> bool:
    """https, or http of a host that the operator has named as his own."""
    found = ORIGIN.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return False
    scheme, star, host, port = found.groups()
    number = int(port) if port else PORTS[scheme]
    return number < 2**16 and (scheme == "https" or (not star and is_private_host(host, number)))


# Roles


def role_for(platform: Platform, organization: Organization, standing: str) -> str:
    """What somebody of this standing in a course becomes here (the slug of a role of the plan), and never an admin.

    Instructors get what the platform says, else the role above that of learners; all others the lowest.
    """
    plan = organization.license.plan
    if standing != Standing.INSTRUCTOR:
        return plan.lowest.slug
    wanted = plan.role(platform.instructor_role) if platform.instructor_role else None
    if wanted and wanted != plan.admin:
        return wanted.slug
    return next((role.slug for role in plan.roles[1:] if role != plan.admin), plan.lowest.slug)
