"""What an organisation says about itself: its name and short name, colour, time zone, language and how it invites."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.create import check_name, check_slug
from usher.organizations.models import License, OldSlug, Organization

MOST_DAYS = 90  # of an invitation by e-mail
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
# The continents and oceans of the time zone database; its other names are old ones.
REGIONS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, as wanted or as it is."""

    name: str
    slug: str
    accent: str
    time_zone: str
    language: str
    invitation_days: int


def settings_of(organization: Organization) -> Settings:
    return Settings(
        name=organization.name,
        slug=organization.slug,
        accent=organization.accent,
        time_zone=organization.time_zone,
        language=organization.language,
        invitation_days=organization.invitation_days,
    )


def old_slugs(organization: Organization) -> list[str]:
    """The short names it had before, which lead here; the latest first."""
    return list(organization.old_slugs.order_by("-at").values_list("slug", flat=True))


@retrying
def change(organization: Organization, wanted: Settings, actor: Actor) -> Organization:
    """Make it so; one event tells what is different. Returns the organisation as it is now.

    An old short name leads here for ever, and nobody else gets it. Made sign-in names stay under the first one.
    Raises UsherError with all that is wrong: name_missing, name_too_long, name_hidden_characters, slug_not_allowed,
    not_a_color, unknown_time_zone, unknown_language, invitation_days; or slug_taken.
    """
    cleaned = _checked(wanted, settings_of(organization))
    try:
        with transaction.atomic():
            License.objects.select_for_update().get(organization=organization)
            held = Organization.objects.get(id=organization.id)
            before = asdict(settings_of(held))
            changes = {key: value for key, value in asdict(cleaned).items() if before[key] != value}
            if changes:
                _write(held, changes)
                record.record(_event(held, changes, before, actor))
    except IntegrityError as error:
        raise UsherError(Reason.SLUG_TAKEN("slug", slug=cleaned.slug)) from error
    return held


def _checked(wanted: Settings, now: Settings) -> Settings:
    """What is wanted in its one spelling. What is not changed is not judged: rules may have become stricter."""
    cleaned = Settings(
        name=" ".join(wanted.name.split()),
        slug=wanted.slug.strip().lower(),
        accent=wanted.accent.strip().lower(),
        time_zone=wanted.time_zone,
        language=wanted.language,
        invitation_days=wanted.invitation_days,
    )
    findings = [
        finding for key, finding in _faults(cleaned).items() if finding and getattr(cleaned, key) != getattr(now, key)
    ]
    if findings:
        raise UsherError(*findings)
    return cleaned


def _faults(wanted: Settings) -> dict[str, Finding | None]:
    return {
        "name": _no_of(check_name, wanted.name) if wanted.name else Reason.NAME_MISSING("name"),
        "slug": _no_of(check_slug, wanted.slug),
        "accent": None if COLOR.fullmatch(wanted.accent) else Reason.NOT_A_COLOR("accent", given=wanted.accent),
        "time_zone": None
        if wanted.time_zone in all_time_zones()
        else Reason.UNKNOWN_TIME_ZONE("time_zone", given=wanted.time_zone),
        "language": None
        if wanted.language in dict(settings.LANGUAGES)
        else Reason.UNKNOWN_LANGUAGE("language", given=wanted.language),
        "invitation_days": None
        if 1 <= wanted.invitation_days <= MOST_DAYS
        else Reason.INVITATION_DAYS("invitation_days", given=wanted.invitation_days, limit=MOST_DAYS),
    }


def _no_of(check: Any, text: str) -> Finding | None:
    try:
        check(text)
    except UsherError as no:
        return no.findings[0]
    return None


def _write(held: Organization, changes: dict[str, Any]) -> None:
    if "slug" in changes:
        _move(held, changes["slug"])
    for column, value in changes.items():
        setattr(held, column, value)
    held.save(update_fields=[*changes, "made_under"])
    # Asked after the update, which waits for whoever is just giving this name up.
    if "slug" in changes and OldSlug.objects.filter(slug=held.slug).exclude(organization=held).exists():
        raise UsherError(Reason.SLUG_TAKEN("slug", slug=held.slug))


def _move(held: Organization, slug: str) -> None:
    """Remember the name that is given up; one of its own it may take back."""
    held.made_under = held.names_under
    OldSlug.objects.filter(slug=slug, organization=held).delete()
    OldSlug.objects.create(slug=held.slug, organization=held, at=clock.now())


def _event(held: Organization, changes: dict[str, Any], before: dict[str, Any], actor: Actor) -> Draft:
    """What was typed as a name may be that of a person, who may want it erased."""
    data: dict[str, Any] = {key: value for key, value in changes.items() if key != "name"}
    if "slug" in changes:
        data["old_slug"] = before["slug"]
    return Draft(
        EventType.ORGANIZATION_CHANGED,
        held.id,
        actor,
        data={"changed": list(changes), **data},
        personal={"name": changes["name"]} if "name" in changes else None,
    )


# Time zones


@lru_cache(maxsize=1)
def all_time_zones() -> frozenset[str]:
    """Every name this machine knows, old spellings too."""
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=1)
def time_zones() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The names to choose from, by region and then by place."""
    known = sorted(_of_today() & all_time_zones() or all_time_zones())
    regions = [(region, tuple(name for name in known if name.startswith(f"{region}/"))) for region in REGIONS]
    return (("", ("UTC",)), *regions)


def _of_today() -> set[str]:
    """The names that the database itself offers to be chosen from, without old spellings; none where it has no list."""
    tables = [table for folder in zoneinfo.TZPATH if (table := Path(folder, "zone.tab")).is_file()]
    lines = tables[0].read_text().splitlines() if tables else []
    return {line.split("\t")[2] for line in lines if line and not line.startswith("#")}
