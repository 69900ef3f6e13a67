"""What happens when somebody comes back from a provider, by what the trip was for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events import record
from usher.events.types import SYSTEM, Draft, EventType
from usher.methods.sso import arrival, attempts, connect, questions, simulate
from usher.methods.sso.attempts import Note
from usher.methods.sso.exchange import Answer, Parameters, exchange, state_in
from usher.methods.sso.finding import by_claims
from usher.methods.sso.identities import identity_of, kept_facts
from usher.methods.sso.models import Connection, Kind, Purpose, Trip
from usher.methods.sso.person import Person
from usher.methods.sso.provider import Provider, callback_of
from usher.methods.sso.rules import facts_wanted
from usher.methods.sso.trips import CancelledError, Wish, arrive, depart
from usher.methods.sso.ways import label_of, way_of
from usher.people import fresh
from usher.people import sign_in as door
from usher.people.models import Account, Membership
from usher.people.waiting import SECOND

AGAIN_SECONDS = 300  # how long ago a sign-in that was asked for again may lie


@dataclass(frozen=True, slots=True)
class Onward:
    """Where to go now; ``message`` is said there, when there is one."""

    url: str
    message: str = ""


class ReturnError(Exception):
    """A "no" and the trip it was of, so that the page can offer to try again. ``error`` says why."""

    def __init__(self, error: UsherError, trip: Trip, note: Note) -> None:
        super().__init__(str(error))
        self.error, self.trip, self.note = error, trip, note


def come_back(request: HttpRequest, which: str, parameters: Parameters) -> Onward:
    """The whole way from the provider's redirect to a session, written down for the admins of the organisation.

    Raises UsherError (sso_over) where there is no such trip in this browser, ReturnError for every other "no".
    """
    trip = arrive(request, state_in(parameters))
    note = Note(trip.connection, trip.purpose)
    try:
        _check_place(request, trip, which)
        onward = _ACTS[Purpose(trip.purpose)](request, trip, parameters, note)
    except UsherError as error:
        attempts.write(note, error)
        _record_refusal(note, error)
        raise ReturnError(error, trip, note) from error
    attempts.write(note)
    return onward


def _check_place(request: HttpRequest, trip: Trip, which: str) -> None:
    """At the callback of its own registration, and signed in as whoever began it. Raises UsherError: sso_over."""
    is_here = callback_of(trip.connection, Kind(trip.kind)).endswith(f"/{which}")
    is_same = trip.account is None or trip.account == request.user
    if not (is_here and is_same):
        raise UsherError(Reason.SSO_OVER())


def _provider(trip: Trip) -> Provider:
    return way_of(trip.kind).provider(trip.connection, facts_wanted(trip.connection))


def _answer(trip: Trip, parameters: Parameters, note: Note) -> Answer:
    answer = exchange(trip, _provider(trip), parameters)
    note.claims = answer.signed.claims
    return answer


def _person(connection: Connection, answer: Answer, note: Note) -> Person:
    """The verified person, with what the rules want to know. Raises UsherError: whom the connection is not open to."""
    way, wanted = way_of(connection.kind), facts_wanted(connection)
    way.examine(connection, answer.signed.claims)
    person = way.describe(connection, answer.signed)
    identity = identity_of(connection, person) if wanted & person.unknown else None
    known = {name: found for name, found in kept_facts(identity).items() if name in person.unknown} if identity else {}
    asked_at = identity.facts["at"] if identity and known else clock.now().timestamp()
    person = replace(person, facts={**person.facts, **known}, unknown=person.unknown - known.keys())
    if known or wanted & person.unknown:
        person = replace(person, asked_at=asked_at)
    if wanted & person.unknown:
        person = way.ask(connection, person, answer.tokens, wanted)
    note.person = person
    return person


# Signing in


def _sign_in(request: HttpRequest, trip: Trip, parameters: Parameters, note: Note) -> Onward:
    answer = _answer(trip, parameters, note)
    connection = trip.connection or by_claims(Kind(trip.kind), answer.signed.claims)
    note.connection = connection
    person = _person(connection, answer, note)
    found = arrival.settle(connection, person, trip.next)
    note.result, note.role = found.result, found.role
    if found.account is None:
        return Onward(f"/sso/question/{questions.ask(request, connection, person, trip)}")
    note.account_id = found.account.id
    return Onward(enter(request, connection, person, found.account, trip.next))


def _seconds_ago(person: Person) -> float:
    """When the provider saw the person, as far as it says so: Google never does, Microsoft where it is told to."""
    return clock.now().timestamp() - person.seen_at if person.seen_at else 0


def enter(request: HttpRequest, connection: Connection, person: Person, account: Account, next: str) -> str:  # noqa: A002
    """Begin the session; returns where to go."""
    is_in = door.sign_in_by_provider(
        request, account, connection.organization, connection.id, connection.kind, is_strong=person.has_second
    )
    fresh.age(request, _seconds_ago(person))
    return next if is_in else f"{SECOND}?{urlencode({'next': next})}"


# With somebody who is signed in


def _again(request: HttpRequest, trip: Trip, parameters: Parameters, note: Note) -> Onward:
    """The same person once more. Raises UsherError: sso_off, proved_by_nobody."""
    connection, account = _of_somebody(trip)
    person = _person(connection, _answer(trip, parameters, note), note)
    arrival.check_open(connection)
    identity = identity_of(connection, person)
    if identity is None or identity.account != account or _seconds_ago(person) > AGAIN_SECONDS:
        raise UsherError(Reason.PROVED_BY_NOBODY(provider=label_of(connection)))
    door.prove_again_by_provider(request, account, connection.organization)
    note.result, note.account_id = "proved_again", account.id
    return Onward(trip.next)


def _link(_request: HttpRequest, trip: Trip, parameters: Parameters, note: Note) -> Onward:
    """Whoever is signed in adds this provider. Raises UsherError: identity_of_another, identity_known, the door's."""
    connection, account = _of_somebody(trip)
    person = _person(connection, _answer(trip, parameters, note), note)
    found = arrival.join_account(connection, person, account, trip.next)
    note.result, note.role, note.account_id = found.result, found.role, account.id
    return Onward(trip.next)


def _of_somebody(trip: Trip) -> tuple[Connection, Account]:
    if trip.connection is None or trip.account is None:
        raise UsherError(Reason.SSO_OVER())
    return trip.connection, trip.account


# With an admin who sets it up


def _of_admin(trip: Trip) -> tuple[Connection, Account]:
    """Whoever was an admin when he set off, and is no more, proves and tries nothing. Raises UsherError: sso_over."""
    connection, account = _of_somebody(trip)
    admin = connection.organization.license.plan.admin.slug
    mine = Membership.objects.filter(account=account, organization=connection.organization, role=admin)
    if not mine.filter(state=Membership.State.ACTIVE).exists():
        raise UsherError(Reason.SSO_OVER())
    return connection, account


def _test(_request: HttpRequest, trip: Trip, parameters: Parameters, note: Note) -> Onward:
    """What would become of this person; nobody is let in by it."""
    connection, _account = _of_admin(trip)
    person = _person(connection, _answer(trip, parameters, note), note)
    found = simulate.simulate(connection, person)
    note.result, note.role = found.result, found.role
    if found.findings:
        raise UsherError(*found.findings)
    connect.mark_tested(connection)
    return Onward(trip.next, _("The test worked. Nobody was let in by it; below is what would have happened."))


def _consent(request: HttpRequest, trip: Trip, parameters: Parameters, note: Note) -> Onward:
    """A tenant's admin has let the application in. That was said by the browser alone: now he signs in to prove it.

    Source: "Admin consent protocol" of the Microsoft identity platform.
    """
    connection, account = _of_admin(trip)
    if parameters.get("error") or parameters.get("admin_consent", ["False"])[0].lower() != "true":
        raise CancelledError(_provider(trip), " ".join(parameters.get("error_description", ()))[:500])
    note.result = "consented"
    wish = Wish(Kind(trip.kind), connection, Purpose.BIND, account, next=trip.next)
    return Onward(depart(request, wish).url)


def _bind(request: HttpRequest, trip: Trip, parameters: Parameters, note: Note) -> Onward:
    """An admin of the tenant or the domain signs in, and with that it is this organisation's."""
    connection, account = _of_admin(trip)
    answer = _answer(trip, parameters, note)
    connect.bind(connection, answer, account)
    note.result = "proved"
    return Onward(trip.next, _("Proved: an admin of the other side signed in."))


Act = Callable[[HttpRequest, Trip, Parameters, Note], Onward]
_ACTS: Mapping[Purpose, Act] = {
    Purpose.SIGN_IN: _sign_in,
    Purpose.AGAIN: _again,
    Purpose.LINK: _link,
    Purpose.TEST: _test,
    Purpose.CONSENT: _consent,
    Purpose.BIND: _bind,
}


def _record_refusal(note: Note, error: UsherError) -> None:
    """For "why is this person not in", where somebody verified was refused before the door, which tells by itself."""
    if note.connection is None or note.person is None or note.purpose != Purpose.SIGN_IN:
        return
    if isinstance(error, arrival.DoorError):
        return
    finding = error.findings[0]
    record.record(
        Draft(
            EventType.SIGN_IN_REFUSED,
            note.connection.organization_id,
            SYSTEM,
            address=note.person.key,
            method=note.connection.kind,
            reason=finding.code,
            data={"provider": label_of(note.connection)},
            personal={"findings": [(one.code, one.column, dict(one.facts)) for one in error.findings]},
        )
    )
