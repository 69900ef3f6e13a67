"""What the pages at the door share: what they wear, where they lead, which methods they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from usher.organizations.models import Organization
from usher.people import credentials
from usher.people.models import Account
from usher.signin import forms

V = TypeVar("V", bound=Callable[..., HttpResponse])

HOME = "/home"
asks = require_http_methods(["GET", "HEAD", "POST"])
hides = sensitive_post_parameters("password", "again", "old", "code", "credential")


def before_first_password(view: V) -> V:
    """The lock sends whoever has to choose a first password here, and therefore lets him in here alone."""
    view.usher_first_password = True  # type: ignore[attr-defined]
    return view


def posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def after(wanted: str) -> str:
    """Where the person wanted to go, if that is a page of ours: a path, never another address."""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else HOME


def clothes(organization: Organization | None) -> dict[str, Any]:
    """What the door wears: the organisation's name and colour, or the house's own."""
    if organization is None:
        return {"organization": None, "forgot_url": "/forgot", "sign_in_url": "/"}
    door_url = f"/o/{organization.slug}/"
    return {
        "organization": organization,
        "accent_url": f"{door_url}accent.css",
        "forgot_url": f"{door_url}forgot",
        "sign_in_url": f"{door_url}sign-in",
    }


def password_page(form: forms.ChosenPasswordForm, account: Account) -> dict[str, Any]:
    page = {"form": form, "account": account, "least": credentials.least_length(account), "home_url": HOME}
    return {**page, **clothes(account.home)}
