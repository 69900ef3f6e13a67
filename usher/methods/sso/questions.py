"""“Link or create”, asked once: somebody verified who resembles an account here, until he has said which.

What he proves is bound to this browser and to (connection, issuer, subject): nothing else can be linked by it.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.http import HttpRequest

from usher.core import clock, tokens
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.sso.models import Connection, Question, Trip
from usher.methods.sso.person import Person
from usher.methods.sso.trips import BROWSER, COOKIE

LASTS: Final = dt.timedelta(minutes=10)
QUESTION: Final = "sso-question"
PAGE: Final = "/sso/question/"


def ask(request: HttpRequest, connection: Connection, person: Person, trip: Trip) -> str:
    """Keep the person; returns the token of the page that asks."""
    token = tokens.new_token()
    Question.objects.create(
        token_hash=tokens.token_hash(token, QUESTION),
        browser_hash=tokens.token_hash(request.COOKIES.get(COOKIE, ""), BROWSER),
        connection=connection,
        person=person.to_json(),
        next=trip.next,
        expires_at=clock.now() + LASTS,
    )
    return token


def find(request: HttpRequest, token: str) -> Question:
    """The living question, in the browser it was asked in. Uses nothing up. Raises UsherError: question_over."""
    living = Question.objects.select_related("connection__organization__license", "connection__organization__logo")
    found = living.filter(
        token_hash=tokens.token_hash(token, QUESTION),
        browser_hash=tokens.token_hash(request.COOKIES.get(COOKIE, ""), BROWSER),
        expires_at__gt=clock.now(),
    ).first()
    if found is None:
        raise UsherError(Reason.QUESTION_OVER())
    return found


def is_asked(request: HttpRequest, path: str) -> bool:
    """Whether this is the page of a living question of this browser."""
    token = path.removeprefix(PAGE)
    if token == path:
        return False
    try:
        return bool(find(request, token))
    except UsherError:
        return False


def person_of(question: Question) -> Person:
    return Person.from_json(question.person)


def answer(question: Question) -> None:
    """It is answered, and its page is gone. Of two clicks the second one finds what the first one did."""
    Question.objects.filter(id=question.id).delete()
