"""An LMS as an admin of Cedar connects it, for the tests of its pages."""

from __future__ import annotations

import datetime as dt
import html
from typing import Any

import pytest
from django.test import Client
from world import World, signed_in

from usher.core import clock
from usher.core.errors import UsherError
from usher.events.types import OPERATOR
from usher.methods.lti import connect
from usher.methods.lti.connect import Wish
from usher.methods.lti.models import Deployment, Launch, Platform, PlatformUser, Question, Trip

PAGE = "/o/cedar/settings/integrations"
MOODLE = Wish(
    family="moodle",
    issuer="https://moodle.cedar.example",
    client_id="8NIKK98XbZv5uVs",
    auth_url="https://moodle.cedar.example/mod/lti/auth.php",
    token_url="https://moodle.cedar.example/mod/lti/token.php",
    jwks_url="https://moodle.cedar.example/mod/lti/certs.php",
)


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def moodle(world: World) -> Platform:
    return connect.switch(connect.add(world.cedar.organization, MOODLE, OPERATOR), on=True, actor=OPERATOR)


def page(browser: Client, address: str) -> str:
    return html.unescape(browser.get(address).content.decode())


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def at(platform: Platform, act: str = "") -> str:
    return f"{PAGE}/lti/{platform.id}/{act}"


def refused(act: Any) -> list[str]:
    """The codes of a no."""
    with pytest.raises(UsherError) as no:
        act()
    return [finding.code for finding in no.value.findings]


def opened(world: World, platform: Platform, deployment: Deployment) -> Launch:
    """Tom came from the LMS, and has a page open there."""
    user = PlatformUser.objects.create(
        organization=world.cedar.organization, platform=platform, subject="5", account=world.tom.account, standing="x"
    )
    later = clock.now() + dt.timedelta(hours=1)
    Trip.objects.create(platform=platform, state_hash="s", browser_hash="b", target_link_uri="t", expires_at=later)
    Question.objects.create(deployment=deployment, token_hash="q", caller={}, expires_at=later)
    return Launch.objects.create(
        organization=world.cedar.organization, deployment=deployment, user=user, token_hash="l", expires_at=later
    )
