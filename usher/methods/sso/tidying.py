"""Trips that nobody came back from, questions that nobody answered, old sign-ins, and seats of leavers."""

from __future__ import annotations

from usher.core import clock
from usher.core.chores import tidies
from usher.methods.sso import leavers
from usher.methods.sso.attempts import LASTS
from usher.methods.sso.models import Attempt, Question, Trip


@tidies
def forget_trips() -> None:
    """With or without their rows they lead nowhere. A question holds what a provider said of somebody."""
    Trip.objects.filter(expires_at__lte=clock.now()).delete()
    Question.objects.filter(expires_at__lte=clock.now()).delete()


@tidies
def forget_attempts() -> None:
    Attempt.objects.filter(at__lte=clock.now() - LASTS).delete()


@tidies
def free_the_seats_of_leavers() -> None:
    leavers.free_seats()
