"""Keys by which an organisation's own applications ask the API: made, shown once, found, revoked.

A key reads ``usher_<prefix>_<secret>``: the prefix tells keys apart, the secret has 256 random bits. Of the whole only
the hash is kept; it is found by that hash, so an unknown key costs the same one question as a known one.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usher.core import clock, mail
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Finding, Reason
from usher.core.retry import retrying
from usher.core.tokens import new_token, token_hash
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.create import check_name
from usher.organizations.models import ApiKey, License, Organization

PURPOSE: Final = "api_key"
LETTER: Final = "api_key"
ACTOR: Final = "api_key"  # the kind of actor that a key is, in events
LONGEST_NAME: Final = 60
LONGEST_KEY: Final = 200
MOST: Final = 50  # living ones of an organisation
SEEN_EVERY: Final = dt.timedelta(minutes=5)
_PREFIX_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class Scope(StrEnum):
    """What a key may do. Public: part of the API."""

    ACTIVITIES = "activities"
    SCORES = "scores"
    LAUNCHES = "launches"


SCOPES: Mapping[Scope, str | Promise] = {
    Scope.ACTIVITIES: _("Read, make and change activities"),
    Scope.SCORES: _("Read and put scores of people in activities"),
    Scope.LAUNCHES: _("Learn who opened an activity, by the code of a launch"),
}


@dataclass(frozen=True, slots=True)
class Made:
    """A new key. ``token`` is the key itself, seen now and never again."""

    key: ApiKey
    token: str = field(repr=False)


# Reading


def of_organization(organization: Organization) -> list[ApiKey]:
    """The living ones, the newest first, then those that are over."""
    return sorted(
        ApiKey.objects.filter(organization=organization).select_related("organization").order_by("-id"),
        key=lambda key: not is_living(key),
    )


def is_living(key: ApiKey) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > clock.now())


def find(token: str) -> ApiKey | None:
    """The living key, with its organisation and licence; None for every other text. One query."""
    if len(token) > LONGEST_KEY:
        return None
    keys = ApiKey.objects.select_related("organization__license")
    found = keys.filter(key_hash=token_hash(token, PURPOSE), revoked_at=None).first()
    return found if found and is_living(found) else None


def saw(key: ApiKey) -> None:
    """Note that it is in use, at most every five minutes."""
    now = clock.now()
    if key.last_used_at is None or key.last_used_at <= now - SEEN_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - SEEN_EVERY)
        ApiKey.objects.filter(stale, id=key.id).update(last_used_at=now)


# Changing


@retrying
def add(
    organization: Organization, name: str, scopes: Sequence[str], actor: Actor, *, last_day: dt.date | None = None
) -> Made:
    """A new key; all admins get a mail. ``last_day`` is the last one on which it opens something, in the
    organisation's time zone; None for as long as it is not revoked.

    Raises UsherError: name_missing, name_too_long, name_hidden_characters, api_key_needs_scope, api_key_ended_before,
    too_many_api_keys.
    """
    cleaned, ends = " ".join(name.split()), _end_of(organization, last_day)
    if findings := _faults(cleaned, scopes, ends):
        raise UsherError(*findings)
    prefix = "usher_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
    token = f"{prefix}_{new_token()}"
    with transaction.atomic():
        License.objects.select_for_update().get(organization=organization)
        _check_count(organization)
        key = ApiKey.objects.create(
            organization=organization,
            name=cleaned,
            prefix=prefix,
            key_hash=token_hash(token, PURPOSE),
            scopes=[scope.value for scope in Scope if scope.value in scopes],
            made_by_account_id=actor.account_id,
            expires_at=ends,
        )
        _tell(EventType.API_KEY_CREATED, key, actor)
        # To nobody yet: the letter finds the admins when it is written (lifecycle/letters.py).
        mail.post_once(LETTER, "", Envelope(organization.id, ref=key.id), key=f"{LETTER}:{key.id}")
    return Made(key, token)


@retrying
def revoke(organization: Organization, key_id: uuid.UUID, actor: Actor) -> ApiKey:
    """It opens nothing from now on; one that is revoked already stays so. Raises UsherError: unknown_api_key."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(organization=organization, id=key_id).first()
        if key is None:
            raise UsherError(Reason.UNKNOWN_API_KEY())
        if key.revoked_at is None:
            key.revoked_at = clock.now()
            key.save(update_fields=["revoked_at"])
            _tell(EventType.API_KEY_REVOKED, key, actor)
    return key


def _faults(name: str, scopes: Sequence[str], ends: dt.datetime | None) -> list[Finding]:
    findings = list(_name_faults(name))
    if not set(scopes) & {scope.value for scope in Scope}:
        findings.append(Reason.API_KEY_NEEDS_SCOPE("scopes"))
    if ends and ends <= clock.now():
        findings.append(Reason.API_KEY_ENDED_BEFORE("last_day"))
    return findings


def _name_faults(name: str) -> Sequence[Finding]:
    if not name:
        return [Reason.NAME_MISSING("name")]
    if len(name) > LONGEST_NAME:
        return [Reason.NAME_TOO_LONG("name", length=len(name), limit=LONGEST_NAME)]
    try:
        check_name(name)
    except UsherError as no:
        return no.findings
    return []


def _end_of(organization: Organization, day: dt.date | None) -> dt.datetime | None:
    """The midnight after the last day."""
    if day is None:
        return None
    zone = zoneinfo.ZoneInfo(organization.time_zone)
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone) if day < dt.date.max else None


def _check_count(organization: Organization) -> None:
    keys = ApiKey.objects.filter(organization=organization, revoked_at=None)
    living = keys.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()))
    if living.count() >= MOST:
        raise UsherError(Reason.TOO_MANY_API_KEYS(limit=MOST))


def _tell(kind: EventType, key: ApiKey, actor: Actor) -> None:
    facts = {"key": str(key.id), "name": key.name, "prefix": key.prefix, "scopes": key.scopes}
    record.record(Draft(kind, key.organization_id, actor, data=facts))
