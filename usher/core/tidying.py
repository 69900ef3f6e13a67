"""What the ground floor throws away: drained limits, work long dead, sessions that have ended."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings

from usher.core import jobs, limits
from usher.core.chores import tidies


@tidies
def forget_drained_limits() -> None:
    limits.forget_drained()


@tidies
def throw_away_dead_work() -> None:
    jobs.throw_away()


@tidies
def end_expired_sessions() -> None:
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
