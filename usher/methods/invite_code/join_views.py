"""The pages of those who come by a code: typed, opened as a link, or scanned. GET shows, POST takes to the door.

A wrong guess is counted whichever way it was made: whoever could try codes by opening links would need no form.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from usher.core.errors import UsherError
from usher.core.limits import network_of
from usher.core.middleware import client_ip
from usher.methods.invite_code import arrivals, at_once, guesses, join_forms
from usher.methods.invite_code.answers import after, clothes
from usher.methods.invite_code.arrivals import Way
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import CodeUse
from usher.methods.invite_code.ticket import FormUsedError
from usher.people.access import open_to_anyone
from usher.people.made_names import short
from usher.people.models import Account, Membership
from usher.people.sign_in import sign_in_account

asks = require_http_methods(["GET", "HEAD", "POST"])


@open_to_anyone
@asks
def type_code(request: HttpRequest) -> HttpResponse:
    """Use an invite code: type it, and go on to its page."""
    form, status = join_forms.CodeForm(_posted(request)), 200
    if form.is_valid():
        try:
            return redirect("invite_code:join", guesses.find(request, form.cleaned_data["code"]).code)
        except UsherError as error:
            status = join_forms.show(form, error)
    return render(request, "invite_code/type_code.html", {"form": form}, status=status)


@open_to_anyone
@asks
@sensitive_post_parameters("password")
def join(request: HttpRequest, code: str) -> HttpResponse:
    """The page of one code."""
    if isinstance(request.user, Account):
        if request.user.must_change_password:
            return redirect("/first-password")
        return _of_account(request, request.user, code)
    use = arrivals.of_form(request.POST.get("form", "")) if request.method == "POST" else None
    if use:
        return _again(request, use, arrivals.way_of(use.code))
    try:
        found = guesses.find(request, code)
    except UsherError as error:
        return _dead(request, code, error)
    way = arrivals.way_of(found)
    return _child(request, way) if way.at_once else _ways(request, way)


def _dead(request: HttpRequest, code: str, error: UsherError) -> HttpResponse:
    """The form for a code, with what is wrong with this one."""
    form = join_forms.CodeForm({"code": code})
    form.is_valid()
    status = join_forms.show(form, error)
    return render(request, "invite_code/type_code.html", {"form": form}, status=status)


# Signed in


def _of_account(request: HttpRequest, account: Account, typed: str) -> HttpResponse:
    came = arrivals.came_by(account, typed)
    # Whatever became of the code since: whoever took its last use reads that he is in.
    if came and _has_all(came.membership, way := arrivals.way_of(came.code)):
        return _standing(request, way, came.membership, account)
    try:
        way = arrivals.way_of(guesses.find(request, typed))
    except UsherError as error:
        return _dead(request, typed, error)
    if request.method == "POST":
        return after(request, way, enter(way.code, account.id))
    membership = arrivals.here(account, way.code)
    if membership and _has_all(membership, way):
        return _standing(request, way, membership, account)
    return render(request, "invite_code/join.html", {**clothes(way.organization), "way": way, "is_here": membership})


def _has_all(membership: Membership, way: Way) -> bool:
    """Whether the code would change nothing for this member, or for one who waits."""
    if membership.state == Membership.State.ACTIVE:
        return arrivals.has_every_place(membership, way)
    return bool(membership.state == Membership.State.WAITING)


def _standing(request: HttpRequest, way: Way, membership: Membership, account: Account) -> HttpResponse:
    """In already, or waiting; no POST changes that."""
    is_in = membership.state == Membership.State.ACTIVE
    return render(request, f"invite_code/{'in' if is_in else 'waiting'}.html", _card(way, account))


def _card(way: Way, account: Account) -> dict[str, Any]:
    """What somebody has to keep who has a made sign-in name."""
    made = "" if account.email else short(account.sign_in_key, way.organization.names_under)
    return {**clothes(way.organization), "way": way, "account": account, "made_name": made}


# Not signed in


def _ways(request: HttpRequest, way: Way) -> HttpResponse:
    """New here, or with an account: the address is proved first."""
    return render(request, "invite_code/ways.html", {**clothes(way.organization), "way": way})


def _child(request: HttpRequest, way: Way) -> HttpResponse:
    """Name and password, and in."""
    form = join_forms.ChildForm(_posted(request), initial={"form": join_forms.new_form_token()})
    status = 400 if form.is_bound else 200
    if form.is_valid():
        child = form.child()
        try:
            use = at_once.come_in(way.code, child)
        except UsherError as error:
            status = join_forms.show_to_child(form, error)
        except FormUsedError:  # pressed twice, and the other one was faster
            return _again(request, arrivals.of_form(child.form), way)
        else:
            at_once.prove_address(use, child, network_of(client_ip(request)))
            return _arrive(request, use)
    return _child_page(request, way, form, status)


def _child_page(request: HttpRequest, way: Way, form: join_forms.ChildForm, status: int) -> HttpResponse:
    context = {**clothes(way.organization), "way": way, "form": form}
    return render(request, "invite_code/at_once.html", context, status=status)


def _again(request: HttpRequest, use: CodeUse | None, way: Way) -> HttpResponse:
    """This form has brought somebody in: the same child is let in again, and nobody else by it."""
    if use and at_once.is_the_same(use, request.POST.get("password", "")):
        return _arrive(request, use)
    form = join_forms.ChildForm({**request.POST.dict(), "form": join_forms.new_form_token()})
    form.is_valid()
    form.add_error(None, _("Somebody came in by this page already. Was it you? Then sign in below. If not, go on."))
    return _child_page(request, way, form, 409)


def _arrive(request: HttpRequest, use: CodeUse) -> HttpResponse:
    """Signed in, and on to the page that says the sign-in name; whoever has to wait reads it at once."""
    if use.membership.state == Membership.State.WAITING:
        card = _card(arrivals.way_of(use.code), use.membership.account)
        return render(request, "invite_code/waiting.html", card)
    sign_in_account(request, use.membership.account, use.code.organization)
    return redirect("invite_code:join", use.code.code)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None
