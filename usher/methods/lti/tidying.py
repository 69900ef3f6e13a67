"""What is over: launches and what led to them, links and codes for one use, old attempts, keys out of use."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import Model

from usher.core import clock
from usher.core.chores import tidies
from usher.methods.lti import attempts, keys
from usher.methods.lti.models import (
    Attempt,
    Launch,
    LaunchCode,
    LinkCode,
    Platform,
    Question,
    RegistrationLink,
    Trip,
)

AT_ONCE: Final = 1_000  # rows of one statement
ENDING: Final[tuple[type[Model], ...]] = (Trip, LaunchCode, Launch, Question, LinkCode, RegistrationLink)
OLD: Final = dt.timedelta(days=30)


@tidies
def forget_what_is_over() -> None:
    """With or without their rows they lead nowhere. A question holds what an LMS said of somebody."""
    now = clock.now()
    for model in ENDING:
        over = model._base_manager.filter(expires_at__lte=now)
        while some := list(over.values_list("id", flat=True)[:AT_ONCE]):
            model._base_manager.filter(id__in=some).delete()


@tidies
def forget_attempts() -> None:
    """All but the last twenty of each LMS, and of those what is older than a month."""
    Attempt.objects.filter(at__lte=clock.now() - OLD).delete()
    for platform in Platform.objects.filter(attempts__isnull=False).distinct():
        attempts.sweep(platform)


@tidies
def forget_keys() -> None:
    keys.forget_old()
