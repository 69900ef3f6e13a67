"""The one lock on every view. The organisation comes from the visitor's membership; the URL only chooses among them.

A view is written as ``@lock(Lock.ADMIN) def users(request, visit): ...``; the ``slug`` of its route is
taken by the lock. A stranger gets 404, the same as for nothing there; a member whose role does not open
the door gets 403; somebody not signed in is asked to sign in.
"""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Callable
from enum import Enum
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from usher.core import watch
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.organizations.models import License, Organization
from usher.organizations.plans import Plan, Role
from usher.people import factors, policies, proved_by, waiting
from usher.people.models import Account, GroupMembership, Membership

P = ParamSpec("P")
SECURITY = "/account/security"


class Lock(Enum):
    """Who may open a view, from everybody to the operator.

    STAFF is a teacher or creator, or above; MANAGER manages the group of the route, or any group where the
    route names none. An admin opens both.
    """

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    MEMBER = "member"
    STAFF = "staff"
    MANAGER = "manager"
    ADMIN = "admin"
    OPERATOR = "operator"


class Visit:
    """Somebody signed in, without an organisation or in one of his."""

    def __init__(self, account: Account, membership: Membership | None = None) -> None:
        self.account = account
        self._membership = membership

    @property
    def membership(self) -> Membership:
        """Raises AttributeError on a page outside every organisation: a mistake in the code, not of the visitor."""
        if self._membership is None:
            raise AttributeError("This view is not locked to an organisation.")
        return self._membership

    @property
    def optional_membership(self) -> Membership | None:
        """None on a page outside every organisation."""
        return self._membership

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @property
    def license(self) -> License:
        return self.organization.license

    @property
    def time_zone(self) -> zoneinfo.ZoneInfo | None:
        """That of the organisation; None, for that of the server, outside of every one."""
        return zoneinfo.ZoneInfo(self._membership.organization.time_zone) if self._membership else None

    @cached_property
    def plan(self) -> Plan:
        return self.license.plan

    @cached_property
    def role(self) -> Role:
        return self.plan.role(self.membership.role) or self.plan.lowest

    @property
    def is_admin(self) -> bool:
        return self.role is self.plan.admin

    @property
    def is_staff(self) -> bool:
        return self.role is not self.plan.lowest

    @cached_property
    def managed(self) -> frozenset[uuid.UUID]:
        """The ids of the groups this member manages."""
        links = GroupMembership.objects.filter(
            membership=self.membership, right=GroupMembership.Right.MANAGER, group__state__in=("open", "closed")
        )
        return frozenset(links.values_list("group_id", flat=True))


def lock(
    what: Lock,
) -> Callable[[Callable[Concatenate[HttpRequest, Visit, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Lock a view that takes ``(request, visit, ...)``; see :func:`open_to_anyone` for the rest."""

    def wrap(
        view: Callable[Concatenate[HttpRequest, Visit, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def locked(request: HttpRequest, *args: Any, slug: str = "", **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, Account):
                return to_sign_in(request, slug)
            if request.user.must_change_password and not getattr(view, "usher_first_password", False):
                return go(request, "/first-password")
            visit = _admit(what, request.user, slug)
            if visit is None:
                return _moved(request, request.user, slug)
            if elsewhere := _to_prove_more(request, visit):
                return elsewhere
            if not _opens(what, visit, kwargs.get("group_id")):
                raise PermissionDenied
            watch.say(request, organization=slug)  # only now: till here it is what anybody may have typed
            with timezone.override(visit.time_zone):
                return view(request, visit, *args, **kwargs)

        locked.usher_lock = what  # type: ignore[attr-defined]
        return locked

    return wrap


def open_to_anyone(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Says of a view that it needs no lock, so that the absence of one is never an oversight."""
    view.usher_lock = Lock.ANYONE  # type: ignore[attr-defined]
    return view


def _admit(what: Lock, account: Account, slug: str) -> Visit | None:
    """None for who is no member of an organisation of that name."""
    if what is Lock.SIGNED_IN:
        return Visit(account)
    if what is Lock.OPERATOR:
        if not account.is_operator:
            raise Http404
        return Visit(account)
    membership = (
        Membership.objects.select_related("organization__license", "organization__logo")
        .defer("organization__logo__content")
        .filter(account=account, organization__slug=slug, state=Membership.State.ACTIVE)
        .first()
    )
    if membership is None:
        return None
    if membership.organization.is_suspended:
        raise UsherError(Reason.ORGANIZATION_SUSPENDED())
    return Visit(account, membership)


def _to_prove_more(request: HttpRequest, visit: Visit) -> HttpResponse | None:
    """Where a member goes first who is not proved as his organisation wants it (policies.py); None for who is.

    To its sign-in page where it takes nobody but by its own identity provider, to the page of his factors where it
    asks for a second one. Those pages say why. No query where the organisation has no such policy.
    """
    member = visit.optional_membership
    if member is None:
        return None
    organization, notes = member.organization, proved_by.of(request)
    needs_provider = policies.needs_single_sign_on(
        organization.passwords_for, is_admin=visit.is_admin, keeps_password=member.keeps_password
    )
    is_kept_out = needs_provider and str(organization.id) not in notes.by
    if is_kept_out or proved_by.is_word_of_others(request, visit.account, organization.id):
        return _to(request, f"/o/{organization.slug}/sign-in")
    asks = policies.asks_second_factor(organization.second_factor_for, is_admin=visit.is_admin, is_staff=visit.is_staff)
    if asks and str(organization.id) not in notes.strongly and not factors.has_second(visit.account):
        return _to(request, SECURITY)
    return None


def _moved(request: HttpRequest, account: Account, slug: str) -> HttpResponse:
    """To the same page where the organisation is now, for its members; everybody else finds nothing."""
    here = Membership.objects.filter(account=account, state=Membership.State.ACTIVE)
    now = here.filter(organization__old_slugs__slug=slug).values_list("organization__slug", flat=True).first()
    if now is None:
        raise Http404
    return to_new_slug(request, slug, now)


def to_new_slug(request: HttpRequest, old: str, now: str) -> HttpResponse:
    """The same page, and what was sent to it. Never a lasting redirect: a short name can be taken back."""
    address = f"/o/{now}{request.get_full_path().removeprefix(f'/o/{old}')}"
    return redirect(address, preserve_request=request.method not in ("GET", "HEAD"))


def _opens(what: Lock, visit: Visit, group_id: uuid.UUID | None) -> bool:
    if visit.optional_membership is None or what is Lock.MEMBER or visit.is_admin:
        return True
    if what is Lock.STAFF:
        return visit.is_staff
    if what is Lock.MANAGER:
        return group_id in visit.managed if group_id else bool(visit.managed)
    return False


def to_sign_in(request: HttpRequest, slug: str = "") -> HttpResponse:
    """To the sign-in page of the organisation the route names (or the common one), and back afterwards.

    Who has given the first proof already is asked for the second one.
    """
    page = f"/o/{slug}/sign-in" if slug else "/"
    if waiting.is_waiting(request):
        page = waiting.SECOND
    return _to(request, page)


def _to(request: HttpRequest, page: str) -> HttpResponse:
    """To a page, and back here afterwards where that can be: what was sent with a form is not sent again."""
    back = f"?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" else ""
    return go(request, page + back)


def go(request: HttpRequest, address: str) -> HttpResponse:
    """A redirect that htmx follows as a whole page too."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
