"""An LMS that registers Usher by itself: LTI Dynamic Registration 1.0. The admin pastes one address into the LMS; what
comes of it waits for his yes.

The address is the credential: one hour, one use, made by an admin. Whoever holds it can make us ask other machines,
so they are asked by ``core.fetch`` alone, which leads to public addresses only, and not often (security.md H11).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.templatetags.static import static

from usher.core import clock, fetch
from usher.core.errors import UsherError
from usher.core.fetch import FetchError
from usher.core.limits import CONNECTION_LOOKS
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.core.rows import new_id
from usher.core.tokens import new_token, token_hash
from usher.events.types import OPERATOR, Actor
from usher.methods.lti import connect, platforms
from usher.methods.lti.connect import Came, Wish
from usher.methods.lti.models import Platform, RegistrationLink
from usher.methods.lti.presets import family_of, preset_of
from usher.methods.lti.wishes import is_good
from usher.organizations.models import Organization
from usher.people.models import Membership
from usher.protocols.lti13.errors import LtiError
from usher.protocols.lti13.registration import (
    PlatformConfiguration,
    Registered,
    read_configuration,
    read_registration,
    registration_request,
)

PURPOSE: Final = "lti-registration"
LASTS: Final = dt.timedelta(hours=1)
PATIENCE: Final = 15.0  # seconds: the LMS may read our keys before it answers
LIMIT: Final = 500_000  # bytes; Moodle's list of variables alone has some thousands
NAME: Final = "Usher"


@dataclass(frozen=True, slots=True)
class Call:
    """With what the LMS opens the address (section 3.3): where its configuration is, and its own one-time token."""

    configuration_url: str
    token: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.configuration_url).netloc


def new_link(organization: Organization | None, actor: Actor) -> str:
    """The address to paste; without organisation it makes one of the operator's shared platforms.

    Raises UsherError: method_not_in_plan, too_many_platforms.
    """
    connect.check_room(organization)
    token, moment = new_token(), clock.now()
    RegistrationLink.objects.create(
        organization=organization,
        account_id=actor.account_id,
        token_hash=token_hash(token, PURPOSE),
        created_at=moment,
        expires_at=moment + LASTS,
    )
    return f"{settings.USHER_BASE_URL}/lti/register/{token}"


def link_of(token: str) -> RegistrationLink:
    """One that still makes a platform. Raises UsherError: registration_link_over."""
    rows = RegistrationLink.objects.select_related("organization__license")
    found = rows.filter(token_hash=token_hash(token, PURPOSE), expires_at__gt=clock.now(), platform=None).first()
    if found is None or not _may_still(found):
        raise UsherError(Reason.REGISTRATION_LINK_OVER())
    return found


def _may_still(link: RegistrationLink) -> bool:
    """Whoever made it is still an admin there; the operator always is."""
    if link.organization is None or link.account_id is None:
        return True
    admins = Membership.objects.filter(organization=link.organization, role=link.organization.license.plan.admin.slug)
    is_admin = admins.filter(account_id=link.account_id, state=Membership.State.ACTIVE).exists()
    return is_admin and not link.organization.is_suspended


def read_call(configuration_url: str, token: str) -> Call:
    """Raises UsherError: registration_broken."""
    if not is_good(configuration_url, 2000) or len(token) > 10_000 or not (token.isascii() and token.isprintable()):
        raise UsherError(Reason.REGISTRATION_BROKEN())
    return Call(configuration_url, token)


def register(link: RegistrationLink, call: Call) -> Platform:
    """Ask the LMS what it is, tell it what we are, keep what it answered as a draft.

    Two requests, outside of any transaction. Raises UsherError: registration_failed with the reason in words,
    registration_link_over, too_many_tries, and those of ``connect.add``.
    """
    who = str(link.organization_id or link.id)
    if not CONNECTION_LOOKS.take([who]):
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=CONNECTION_LOOKS.wait_minutes(who)))
    future = Platform(id=new_id())
    try:
        configuration = _configuration(call)
        registered = _registered(future, configuration, call, link)
    except (FetchError, LtiError) as error:
        raise UsherError(Reason.REGISTRATION_FAILED(why=error.detail)) from error
    return _kept(link, _wish(configuration, registered), Came(future.id, registered.deployment_id))


def _configuration(call: Call) -> PlatformConfiguration:
    """Section 3.4; the token goes along, for those that keep their configuration to themselves."""
    headers = {"Authorization": f"Bearer {call.token}"} if call.token else {}
    answer = fetch.get(call.configuration_url, headers=headers, limit=LIMIT)
    if answer.status != 200:
        raise LtiError("bad_status", f"The configuration at {call.host} was answered with the status {answer.status}.")
    return read_configuration(answer.json(), call.configuration_url)


def _registered(
    future: Platform, configuration: PlatformConfiguration, call: Call, link: RegistrationLink
) -> Registered:
    """Sections 3.5 to 3.7."""
    launch = platforms.launch_url(future)
    asked = registration_request(
        name=NAME,
        base_url=settings.USHER_BASE_URL,
        login_url=platforms.login_url(future),
        launch_url=launch,
        jwks_uri=platforms.jwks_url(),
        logo_uri=f"{settings.USHER_BASE_URL}{static('favicon.svg')}",
        description=f"{link.organization.name}: {NAME}" if link.organization else NAME,
        domain=urlsplit(launch).netloc,
        configuration=configuration,
    )
    headers = {"Authorization": f"Bearer {call.token}"} if call.token else {}
    answer = fetch.send(
        "POST",
        configuration.registration_endpoint,
        json.dumps(asked).encode(),
        content_type="application/json",
        headers=headers,
        limit=LIMIT,
        seconds=PATIENCE,
    )
    return read_registration(answer.status, answer.body)


def _wish(configuration: PlatformConfiguration, registered: Registered) -> Wish:
    family = family_of(configuration.family)
    audience = configuration.authorization_server or preset_of(family).fixed.get("token_audience", "")
    return Wish(
        family=family.value,
        issuer=configuration.issuer,
        client_id=registered.client_id,
        auth_url=configuration.authorization_endpoint,
        token_url=configuration.token_endpoint,
        token_audience="" if audience == configuration.token_endpoint else audience,
        jwks_url=configuration.jwks_uri,
    )


@retrying
def _kept(link: RegistrationLink, wish: Wish, came: Came) -> Platform:
    """One use: of two that come at once, one is kept. Raises UsherError."""
    with transaction.atomic():
        platform = connect.add(link.organization, wish, actor_of(link), came)
        # The licence is locked by now (lock order); a second one waits there and finds the link used.
        unused = RegistrationLink.objects.filter(id=link.id, platform=None)
        if not unused.update(platform=platform):
            raise UsherError(Reason.REGISTRATION_LINK_OVER())
    return platform


def actor_of(link: RegistrationLink) -> Actor:
    """Who made the link."""
    return Actor("account", link.account_id) if link.account_id else OPERATOR
