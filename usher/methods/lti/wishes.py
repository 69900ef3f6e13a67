"""How an LMS is to be connected, and what of it cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

from usher.core.egress import is_private_host
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.methods.lti.families import Family
from usher.methods.lti.models import Platform
from usher.methods.lti.platforms import PORTS, is_origin
from usher.methods.lti.presets import Preset
from usher.organizations.models import Organization
from usher.protocols.lti13.values import web_url

MOST_ORIGINS: Final = 20
MOST_HOURS: Final = 168
URLS: Final = ("issuer", "auth_url", "token_url", "jwks_url")
TEXTS: Final = ("client_id", "token_audience")  # the second is an address mostly, and need not be one
LONGEST: Final[Mapping[str, int]] = {"issuer": 300, "client_id": 255}
Asks = Platform.Asks


@dataclass(frozen=True, slots=True)
class Wish:
    """How an LMS is to be connected; empty fields are filled in later. ``origins`` as ``https://lms.example``."""

    family: str = Family.OTHER.value
    name: str = ""
    issuer: str = ""
    client_id: str = ""
    auth_url: str = ""
    token_url: str = ""
    token_audience: str = ""
    jwks_url: str = ""
    origins: tuple[str, ...] = ()
    instructor_role: str = ""
    makes_groups: bool = False
    asks: str = Asks.ALIKE.value
    lets_in: bool = True
    roster_hours: int | None = None


def wish_of(platform: Platform) -> Wish:
    """How it is now."""
    now = {name: getattr(platform, name) for name in Wish.__dataclass_fields__}
    return Wish(**now | {"origins": tuple(platform.origins)})


def draft_of(preset: Preset, **typed: str) -> Wish:
    """What is known of an LMS of this kind with these fields; those that nobody typed and nobody knows stay empty."""
    given = {name: value.strip() for name, value in typed.items() if value.strip()}
    whole = {**known_of(preset, given.get("issuer", "")), **given}
    return replace(Wish(family=preset.family.value), **cast("dict[str, Any]", whole))


def known_of(preset: Preset, issuer: str) -> dict[str, str]:
    """What nobody has to type. Of an issuer that cannot be one nothing follows: one refusal says enough."""
    named = issuer or preset.fixed.get("issuer", "")
    return preset.filled(named if is_good(named, is_issuer=True) else "")


def checked(organization: Organization | None, wish: Wish) -> dict[str, Any]:
    """The columns. Raises UsherError with every finding."""
    values: dict[str, Any] = asdict(wish)
    for name in (*URLS, *TEXTS, "name"):
        values[name] = values[name].strip()
    values["name"] = " ".join(values["name"].split())[:60]
    values["origins"] = [one.strip().lower().rstrip("/") for one in wish.origins if one.strip()]
    findings = [*_address_faults(values), *_option_faults(organization, values)]
    if findings:
        raise UsherError(*findings)
    return values


def _address_faults(values: Mapping[str, Any]) -> Iterator[Finding]:
    for name in URLS:
        if values[name] and not is_good(values[name], LONGEST.get(name, 500), is_issuer=name == "issuer"):
            yield Reason.PLATFORM_URL_NOT_ALLOWED(name, given=values[name][:80])
    for name in TEXTS:
        if len(values[name]) > LONGEST.get(name, 500) or not (values[name].isascii() and values[name].isprintable()):
            yield Reason.PLATFORM_URL_NOT_ALLOWED(name, given=values[name][:80])
    if len(values["origins"]) > MOST_ORIGINS:
        yield Reason.FRAME_ORIGIN_NOT_ALLOWED("origins", given=values["origins"][MOST_ORIGINS][:80])
    for one in values["origins"]:
        if not is_origin(one):
            yield Reason.FRAME_ORIGIN_NOT_ALLOWED("origins", given=one[:80])


def is_good(url: str, longest: int = 500, *, is_issuer: bool = False) -> bool:
    """https, or http of a host that the operator named. An issuer has neither query nor fragment (1EdTech Security
    Framework 1.0, section 5.1.2, as OpenID Connect Core 1.0, section 2)."""
    if not web_url(url) or len(url) > longest or (is_issuer and ("?" in url or "#" in url)):
        return False
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or is_private_host(parts.hostname or "", parts.port or PORTS["http"])


def _option_faults(organization: Organization | None, values: Mapping[str, Any]) -> Iterator[Finding]:
    if values["instructor_role"] and not _may_give(organization, values["instructor_role"]):
        yield Reason.PLATFORM_ROLE_NOT_ALLOWED("instructor_role", given=values["instructor_role"][:40])
    hours = values["roster_hours"]
    if hours is not None and not 1 <= hours <= MOST_HOURS:
        yield Reason.ROSTER_HOURS_NOT_ALLOWED("roster_hours", given=hours)


def _may_give(organization: Organization | None, slug: str) -> bool:
    """A role of the plan below the admins'. One of the operator's serves several plans, and takes each as it is."""
    if organization is None:
        return False
    plan = organization.license.plan
    role = plan.role(slug)
    return role is not None and role != plan.admin
