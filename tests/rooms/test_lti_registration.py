"""LTI Dynamic Registration: one address pasted into the LMS, and one yes in Usher. security.md H11."""

from __future__ import annotations

import datetime as dt
import html
import re
import socket
from typing import Any

import pytest
from django.test import Client
from lms.fixtures import MakeLms
from lms.platform import Lms
from lms.words import TOOL_CONFIGURATION
from time_machine import Traveller
from world import World, signed_in

from usher.core import fetch
from usher.core.limits import CONNECTION_LOOKS
from usher.core.models import Mail
from usher.events.types import EventType
from usher.methods.lti import platforms
from usher.methods.lti.models import Platform, RegistrationLink
from usher.people.models import Membership

pytestmark = pytest.mark.django_db
PAGE = "/o/cedar/settings/integrations/lti"


@pytest.fixture
def link(world: World) -> str:
    """The path of a registration URL that Ada made."""
    return new_link(signed_in(world.ada))


def new_link(ada: Client) -> str:
    text = ada.post(f"{PAGE}/new/moodle/link").content.decode()
    found = re.search(r'data-copy="(http[^"]+/lti/register/[^"]+)"', text)
    assert found, text
    return "/" + found[1].split("/", 3)[3]


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_from_the_link_to_the_yes(world: World, lms: Lms, link: str, client: Client) -> None:
    query = lms.registration()
    shown = client.get(link, query)
    assert "Connect this LMS with <bdi>Cedar School</bdi>" in text_of(shown)
    assert not Platform.objects.exists()
    assert lms.requests == []
    done = client.post(link, query)
    assert "Connected. One yes is missing." in text_of(done)
    assert "data-lti-close" in text_of(done)
    (made,) = platforms.of_organization(world.cedar.organization)
    (tool,) = lms.tools.values()
    assert (made.family, made.state, made.is_registered) == ("moodle", "draft", True)
    assert (made.issuer, made.client_id, made.auth_url) == (lms.issuer, tool.client_id, lms.auth_url)
    assert (made.token_url, made.token_audience, made.jwks_url) == (lms.token_url, "", lms.jwks_url)
    assert (tool.login_url, tool.launch_url) == (platforms.login_url(made), platforms.launch_url(made))
    said = lms.asked("/openid-registration.php")[0]
    assert said.bearer == query["registration_token"]
    (deployment,) = made.deployments.all()
    assert (deployment.deployment_id, deployment.approved_at) == (tool.deployment_id, None)
    (event,) = world.cedar.events(EventType.PLATFORM_REGISTERED)
    assert event.actor_id == world.ada.account_id
    assert Mail.objects.get(kind="platform").data["what"] == EventType.PLATFORM_REGISTERED
    # One yes
    ada = signed_in(world.ada)
    assert "registered itself by your URL" in text_of(ada.get(f"{PAGE}/{made.id}/"))
    ada.post(f"{PAGE}/{made.id}/approve")
    made.refresh_from_db()
    deployment.refresh_from_db()
    assert (made.state, deployment.organization) == ("on", made.organization)
    assert deployment.approved_at


def test_brightspace_names_another_audience(world: World, make_lms: MakeLms, link: str, client: Client) -> None:
    lms = make_lms("brightspace")
    client.post(link, lms.registration())
    made = Platform.objects.get()
    assert (made.family, made.token_audience) == ("brightspace", "https://api.brightspace.com/auth/token")


def test_what_is_asked_is_what_is_needed(lms: Lms, link: str, client: Client) -> None:
    client.post(link, lms.registration())
    (tool,) = lms.tools.values()
    assert tool.names
    assert tool.emails
    assert len(tool.scopes) == 5
    assert tool.registered[TOOL_CONFIGURATION]["domain"] in tool.launch_url
    assert tool.deep_link_url


def test_only_the_lms_that_is_connected_may_frame_the_page(lms: Lms, link: str, client: Client) -> None:
    for answer in (client.get(link, lms.registration()), client.post(link, lms.registration())):
        policy = answer["Content-Security-Policy"]
        (ancestors,) = [part for part in policy.split("; ") if part.startswith("frame-ancestors")]
        assert ancestors == f"frame-ancestors 'self' {lms.url}"
        assert "X-Frame-Options" not in answer
        assert answer["Cache-Control"] == "no-store, private"
    for given in ("https://x; script-src *", "javascript:x", "", "http://plain.example/x"):
        answer = client.get(link, {"openid_configuration": given})
        assert answer.status_code in (400, 410)
        assert "script-src *" not in answer["Content-Security-Policy"]
        assert "plain.example" not in answer["Content-Security-Policy"]


def test_the_link_works_once_for_one_hour_and_by_an_admin(
    world: World, lms: Lms, clock: Traveller, client: Client
) -> None:
    ada = signed_in(world.ada)
    used, late, demoted = (new_link(ada) for _one in range(3))
    assert client.post(used, lms.registration()).status_code == 200
    again = client.post(used, lms.registration())
    assert again.status_code == 410
    assert "was used already, or is older than an hour" in text_of(again)
    clock.shift(dt.timedelta(minutes=59))
    assert client.get(late, lms.registration()).status_code == 200
    Membership.objects.filter(id=world.ada.membership.id).update(role="teacher")
    assert client.get(demoted, lms.registration()).status_code == 410
    Membership.objects.filter(id=world.ada.membership.id).update(role="admin")
    clock.shift(dt.timedelta(minutes=1))
    assert client.get(late, lms.registration()).status_code == 410
    assert client.get("/lti/register/nobody", lms.registration()).status_code == 410
    assert not RegistrationLink.objects.filter(token_hash__in=[used, late]).exists()
    assert Platform.objects.count() == 1


FAULTS = [
    ({"configuration": "down"}, "was answered with the status 503"),
    ({"configuration": "garbage"}, "is not JSON"),
    ({"configuration": "other_issuer"}, "its issuer is “https://evil.example”"),
    ({"configuration": "no_registration"}, "has no “registration_endpoint”"),
    ({"registration": "down"}, "answered with 503"),
    ({"registration": "garbage"}, "no JSON object"),
    ({"registration": "no_client_id"}, "has no “client_id”"),
]


def test_each_fault_is_one_sentence_and_the_link_stays_good(lms: Lms, link: str, client: Client) -> None:
    for switches, words in FAULTS:
        for name, value in switches.items():
            setattr(lms.switches, name, value)
        answer = client.post(link, lms.registration())
        assert answer.status_code == 400
        assert words in text_of(answer), (switches, text_of(answer))
        for name in switches:
            setattr(lms.switches, name, "")
    assert not Platform.objects.exists()
    lms.switches.registration = "no_deployment"
    assert client.post(link, lms.registration()).status_code == 200
    assert not Platform.objects.get().deployments.exists()


def test_h11_a_registration_leads_to_nothing_inside(
    lms: Lms, link: str, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its address, by a name, by an endpoint that the configuration names, by a redirect, or in another scheme."""
    settings.USHER_PRIVATE_HOSTS = (lms.url.removeprefix("http://"),)  # this LMS, and nothing beside it
    asked: list[str] = []
    real = fetch._ask

    def noted(method: str, url: str, *rest: Any) -> fetch.Answer:
        asked.append(url)
        return real(method, url, *rest)

    monkeypatch.setattr(fetch, "_ask", noted)
    inside = (
        "https://127.0.0.1/x", "https://169.254.169.254/latest/meta-data/", "https://[::1]/x", "https://10.0.0.1/x",
        "https://[::ffff:127.0.0.1]/x", "https://2130706433/x", "https://localhost/x",
    )  # fmt: skip
    for url in inside:
        answer = client.post(link, {"openid_configuration": url, "registration_token": "t"})
        assert (answer.status_code, "not public" in text_of(answer)) == (400, True), url
    for url in ("http://169.254.169.254/", "file:///etc/passwd", "gopher://x/", "http://lms.example/", "//x"):
        answer = client.post(link, {"openid_configuration": url, "registration_token": "t"})
        assert "did not say where its configuration is" in text_of(answer), url
    assert asked == list(inside)
    lms.switches.configuration = "foreign_endpoint"
    for target in ("http://169.254.169.254/latest/", "http://localhost:1/"):
        lms.switches.redirect_to = target
        assert client.post(link, lms.registration()).status_code == 400
    assert lms.asked(method="POST") == []
    # A name that says something else at the second question: the address that was checked is the one that is asked.
    resolved = [(2, 1, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: resolved)
    rebound = {"openid_configuration": "https://rebind.example/", "registration_token": "t"}
    assert "not public" in text_of(client.post(link, rebound))
    assert not Platform.objects.exists()


def test_h11_who_holds_the_link_asks_not_often(lms: Lms, link: str, client: Client) -> None:
    lms.switches.configuration = "down"
    for _one in range(CONNECTION_LOOKS.capacity):
        client.post(link, lms.registration())
    asked = len(lms.requests)
    assert client.post(link, lms.registration()).status_code == 429
    assert (asked, len(lms.requests)) == (CONNECTION_LOOKS.capacity, CONNECTION_LOOKS.capacity)
