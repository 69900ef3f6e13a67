"""The lock of the API: a key of an organisation in the header, its scope, and how often it may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from usher.core import watch
from usher.core.errors import UsherError
from usher.core.limits import API_KEY
from usher.core.reasons import Reason
from usher.events.types import Actor
from usher.lifecycle.opening import why_shut
from usher.organizations import api_keys
from usher.organizations.api_keys import Scope
from usher.organizations.models import ApiKey, Organization
from usher.organizations.plans import Method

LONGEST_BODY = 64 * 1024


class Key(HttpBearer):
    """Opens an operation to keys that have ``scope``; None for any key."""

    def __init__(self, scope: Scope | None) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey:
        """Raises UsherError: see :func:`admit`."""
        return admit(request, self.scope)

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:
        """Part of ninja's class; the header is read by :func:`admit`."""
        return admit(request, self.scope)


def admit(request: HttpRequest, scope: Scope | None) -> ApiKey:
    """The key of a request. Raises UsherError: api_key_missing, api_key_not_valid, api_too_fast, the findings of its
    organisation, api_scope_missing, body_too_large."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise UsherError(Reason.API_KEY_MISSING())
    key = api_keys.find(token.strip())
    if key is None:
        raise UsherError(Reason.API_KEY_NOT_VALID())
    if not API_KEY.take([str(key.id)]):
        raise UsherError(Reason.API_TOO_FAST(seconds=1))
    watch.say(request, organization=key.organization.slug)
    if shut := why_shut(key.organization.license, Method.API):
        raise UsherError(shut)
    if scope and scope.value not in key.scopes:
        raise UsherError(Reason.API_SCOPE_MISSING(scope=scope.value))
    if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        raise UsherError(Reason.BODY_TOO_LARGE(limit=LONGEST_BODY // 1024))
    api_keys.saw(key)
    return key


def key_of(request: HttpRequest) -> ApiKey:
    """The key that :class:`Key` has admitted."""
    return cast(ApiKey, cast(Any, request).auth)


def organization_of(request: HttpRequest) -> Organization:
    return key_of(request).organization


def actor_of(request: HttpRequest) -> Actor:
    return Actor(api_keys.ACTOR, key_of(request).id)


def needs(scope: Scope | None) -> Mapping[str, Any]:
    """The lock of one operation: how it is kept, and how OpenAPI 3.1 tells of it."""
    return {"auth": Key(scope), "openapi_extra": {"security": [{"Key": [scope.value] if scope else []}]}}
