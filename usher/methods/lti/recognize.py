"""Whom a person of an LMS is here: known, somebody alike, or new. An address or a name leads to a question, no more."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from usher.methods.lti.callers import Caller
from usher.methods.lti.models import Platform, PlatformUser
from usher.organizations.models import Organization
from usher.people.models import Membership
from usher.people.names import name_key, sort_key

LOOKED_AT = 50  # members of one sort key


@dataclass(frozen=True, slots=True)
class Place:
    """Which LMS, for which organisation."""

    platform: Platform
    organization: Organization


def user_of(place: Place, subject: str) -> PlatformUser | None:
    """By which the LMS knows the account. Keyed by platform, organisation and subject alone."""
    mine = PlatformUser.objects.filter(platform=place.platform, organization=place.organization, subject=subject)
    return mine.first()


def is_asked(place: Place, caller: Caller) -> bool:
    """Whether somebody new may have been here before, and is asked once."""
    return place.platform.asks == Platform.Asks.ALWAYS or resembles_somebody(place, caller)


def resembles_somebody(place: Place, caller: Caller) -> bool:
    """A member of this organisation with that address, or that name, whom this LMS does not know yet.

    Whether somebody elsewhere has an account is nobody's business who can make an LMS say any address.
    """
    return _has_address(place, caller.key) or _has_name(place, caller.name)


def _has_address(place: Place, key: str) -> bool:
    here = Membership.objects.filter(organization=place.organization, account__sign_in_key=key)
    return bool(key) and here.exclude(account__in=_linked(place)).exists()


def _has_name(place: Place, name: str) -> bool:
    """By the index of the list of members, whose key is cut; then by the whole name."""
    if not name:
        return False
    here = Membership.objects.filter(organization=place.organization, sort_name=sort_key(name))
    names = here.exclude(account__in=_linked(place)).values_list("account__username", flat=True)
    return any(name_key(one) == name_key(name) for one in names[:LOOKED_AT])


def was_sent_away(place: Place, caller: Caller) -> bool:
    """Whether the only members here with that address were deactivated: coming back is an admin's act."""
    here = Membership.objects.filter(organization=place.organization, account__sign_in_key=caller.key)
    states = set(here.values_list("state", flat=True)) if caller.key else set()
    return states == {Membership.State.INACTIVE.value}


def _linked(place: Place) -> QuerySet[Any, Any]:
    mine = PlatformUser.objects.filter(platform=place.platform, organization=place.organization)
    return mine.values_list("account_id", flat=True)


def others_of(place: Place, caller: Caller, account_id: uuid.UUID) -> bool:
    """Whether the account is opened by another person of this LMS already."""
    mine = PlatformUser.objects.filter(platform=place.platform, organization=place.organization, account=account_id)
    return mine.exclude(subject=caller.subject).exists()
