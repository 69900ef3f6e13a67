"""Going to a provider and coming back. POST sends somebody there; the return is the one GET that acts, bound to a
one-time state of this browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import Actor
from usher.methods.sso import arrival, finding, identities, questions, returning
from usher.methods.sso.models import Connection, Kind, Purpose, Question
from usher.methods.sso.returning import ReturnError
from usher.methods.sso.trips import Wish, depart, remember
from usher.methods.sso.ways import label_of
from usher.organizations.models import Organization
from usher.people import fresh
from usher.people.access import Lock, Visit, lock, open_to_anyone
from usher.people.models import Account

HOME = "/home"
PROVIDERS = "/account/providers"
asks = require_http_methods(["GET", "HEAD", "POST"])


def clothes(organization: Organization | None) -> dict[str, Any]:
    """What the door wears: the organisation's name and colour, or the house's own."""
    if organization is None:
        return {"organization": None, "sign_in_url": "/"}
    return {
        "organization": organization,
        "accent_url": f"/o/{organization.slug}/accent.css",
        "sign_in_url": f"/o/{organization.slug}/sign-in",
    }


def path_in(wanted: str) -> str:
    """A page of ours that somebody wanted, never another address; his home where he wanted none."""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else HOME


# Going there


@open_to_anyone
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """“Continue with …”: by a connection, or by a kind where the answer will say whose it is."""
    connection = finding.by_id(request.POST["connection"]) if request.POST.get("connection") else None
    kind = connection.kind if connection else request.POST.get("kind", "")
    if kind not in (Kind.MICROSOFT, Kind.GOOGLE) and connection is None:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    wish = Wish(
        Kind(kind),
        connection,
        door=connection.organization if connection else None,
        next=path_in(request.POST.get("next", "")),
        chooses=bool(request.POST.get("chooses")),  # after a "no": the account that was refused is known there
    )
    return go(request, wish)


@open_to_anyone
@require_POST
def by_address(request: HttpRequest) -> HttpResponse:
    """Whoever types an address is sent to the provider of its domain. Where there is none, that is all that is said."""
    typed, wanted = request.POST.get("name", ""), path_in(request.POST.get("next", ""))
    connection = finding.by_address(typed)
    if connection is None:
        messages.info(request, _no_provider(typed))
        return redirect(f"/?{urlencode({'next': wanted, 'name': typed[:254]})}")
    return go(request, Wish(Kind(connection.kind), connection, next=wanted, login_hint=typed.strip()[:254]))


def _no_provider(typed: str) -> str:
    if not typed.strip():
        return _("Type the address of your school or work account first.")
    return _("No single sign-on is known for this address. Use your password.")


def go(request: HttpRequest, wish: Wish) -> HttpResponse:
    """A page that leads on by itself: a redirect after a form would be held back by our own rule for forms."""
    departure = depart(request, wish)
    label = label_of(wish.connection) if wish.connection else Kind(wish.kind).label
    page = {"url": departure.url, "label": label, **clothes(wish.door)}
    response = render(request, "sso/going.html", page)
    remember(response, departure)
    return response


# Coming back


@open_to_anyone
@require_safe
def callback(request: HttpRequest, which: str) -> HttpResponse:
    """Where providers send people back to. One address for each registration."""
    try:
        onward = returning.come_back(request, which, dict(request.GET.lists()))
    except ReturnError as no:
        return _refused(request, no)
    if onward.message:
        messages.success(request, onward.message)
    return redirect(onward.url)


def _refused(request: HttpRequest, no: ReturnError) -> HttpResponse:
    """Why, what to do, and the ways that are left. An admin who tries a connection goes back to its page."""
    trip, connection = no.trip, no.note.connection
    if trip.purpose in (Purpose.TEST, Purpose.CONSENT, Purpose.BIND) and request.user == trip.account:
        for found in no.error.findings:
            messages.error(request, f"{found.sentence} {found.next_step}")
        return redirect(trip.next)
    page = {
        "finding": no.error.findings[0],
        "connection": trip.connection,
        "kind": trip.kind,
        "label": label_of(trip.connection) if trip.connection else Kind(trip.kind).label,
        "next": trip.next,
        "back": trip.next if trip.purpose != Purpose.SIGN_IN else "",
        **clothes(connection.organization if connection else trip.door),
    }
    return render(request, "sso/refused.html", page, status=no.error.status)


# Link or create


@open_to_anyone
@asks
def question(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody resembles an account: his own, which he proves by signing in, or that of somebody else."""
    found = questions.find(request, token)
    if request.method != "POST":
        return _ask(request, found, token)
    act = {"link": _link, "new": _new}.get(request.POST.get("act", ""))
    return act(request, found) if act else _ask(request, found, token)


def _ask(request: HttpRequest, found: Question, token: str) -> HttpResponse:
    account = request.user if isinstance(request.user, Account) else None
    page = {
        "person": questions.person_of(found),
        "label": label_of(found.connection),
        "account": account,
        "here": f"/sso/question/{token}",
        **clothes(found.connection.organization),
    }
    return render(request, "sso/question.html", page)


def _link(request: HttpRequest, found: Question) -> HttpResponse:
    """Whoever has signed in the old way says that he is the one who came."""
    if not isinstance(request.user, Account):
        return redirect(clothes(found.connection.organization)["sign_in_url"])
    if not fresh.is_fresh(request):  # whoever sat here before may have left his session open
        return fresh.ask(request)
    person, connection = questions.person_of(found), found.connection
    arrived = arrival.join_account(connection, person, request.user, found.next)
    questions.answer(found)
    return _enter(request, connection, found, arrived)


def _new(request: HttpRequest, found: Question) -> HttpResponse:
    person, connection = questions.person_of(found), found.connection
    arrived = arrival.go_on_new(connection, person, found.next)
    questions.answer(found)
    return _enter(request, connection, found, arrived)


def _enter(request: HttpRequest, connection: Connection, found: Question, arrived: arrival.Arrival) -> HttpResponse:
    if arrived.account is None:
        raise UsherError(Reason.QUESTION_OVER())
    person = questions.person_of(found)
    return redirect(returning.enter(request, connection, person, arrived.account, path_in(found.next)))


# With somebody who is signed in


@lock(Lock.SIGNED_IN)
@require_POST
def again(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Prove it once more by the provider (people/fresh.py)."""
    mine = identities.one_of(visit.account, request.POST.get("identity", ""))
    if mine is None:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    wish = Wish(
        Kind(mine.connection.kind),
        mine.connection,
        Purpose.AGAIN,
        visit.account,
        next=path_in(request.POST.get("next", "")),
        login_hint=mine.identity.address,
    )
    return go(request, wish)


@lock(Lock.SIGNED_IN)
@require_safe
def providers(request: HttpRequest, visit: Visit) -> HttpResponse:
    """By which providers one's own account is opened, and by which it could be."""
    mine, offered = identities.of_account(visit.account), identities.offered_to(visit.account)
    page = {"tab": "security", "mine": mine, "offered": offered}
    return render(request, "sso/providers.html", page)


@lock(Lock.SIGNED_IN)
@fresh.fresh
@require_POST
def link(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Add one: to the provider and back."""
    connection = finding.by_id(request.POST.get("connection", ""))
    if connection is None:
        raise UsherError(Reason.UNKNOWN_CONNECTION())
    return go(request, Wish(Kind(connection.kind), connection, Purpose.LINK, visit.account, next=PROVIDERS))


@lock(Lock.SIGNED_IN)
@fresh.fresh
@require_POST
def unlink(request: HttpRequest, visit: Visit) -> HttpResponse:
    mine = identities.one_of(visit.account, request.POST.get("identity", ""))
    if mine and identities.unlink(visit.account, mine.identity.id, Actor("account", visit.account.id)):
        messages.success(request, _("It opens your account no more."))
    return redirect(PROVIDERS)
