"""Registrations that came to their end, one way or the other: with them go the name and the address of strangers.

And what was noted about sessions that are gone.
"""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Q

from usher.core import clock
from usher.core.chores import tidies
from usher.core.sessions import delete_piecewise
from usher.people.models import Registration


@tidies
def forget_registrations() -> None:
    """Used, or not used in time. A link of them is dead with or without its row."""
    Registration.objects.filter(Q(expires_at__lte=clock.now()) | Q(consumed_at__isnull=False)).delete()


@tidies
def forget_ended_sessions() -> None:
    """Where somebody was signed in (people/sessions.py) is nobody's business afterwards."""
    delete_piecewise(UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")))
