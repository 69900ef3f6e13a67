"""An LMS looked at: by its doctor, by a test launch, by the launches of the past, and by usher check."""

from __future__ import annotations

import datetime as dt
import html
import json
from dataclasses import replace
from typing import Any

import pytest
from connecting import ada, at, moodle, opened, page, refused, text_of  # noqa: F401
from django.test import Client
from lms.platform import Lms
from time_machine import Traveller
from world import World, signed_in

from usher.core import checks, chores, clock, fetch
from usher.core.limits import CONNECTION_LOOKS
from usher.events.types import OPERATOR
from usher.methods.lti import connect, doctor, keys, overview, platforms
from usher.methods.lti.connect import Wish
from usher.methods.lti.models import Attempt, Launch, Platform, PlatformUser, Question, Trip

# ruff: noqa: F811
pytestmark = pytest.mark.django_db
NOW = clock.now  # the fixture of that name moves it


def connected(world: World, lms: Lms) -> Platform:
    """By hand, with the fields as the LMS shows them."""
    wish = Wish(
        family="moodle", issuer=lms.issuer, client_id="none yet", auth_url=lms.auth_url, token_url=lms.token_url,
        token_audience="", jwks_url=lms.jwks_url,
    )  # fmt: skip
    made = connect.add(world.cedar.organization, wish, OPERATOR)
    tool = lms.register(platforms.login_url(made), platforms.launch_url(made), jwks=keys.jwks())
    made = connect.change(made, replace(wish, client_id=tool.client_id), OPERATOR)
    connect.add_deployment(made, tool.deployment_id, world.cedar.organization, OPERATOR)
    return connect.switch(made, on=True, actor=OPERATOR)


def found(platform: Platform) -> dict[str, tuple[bool | None, str]]:
    return {one.name: (one.is_good, one.side.value if one.side else "") for one in doctor.look(platform)}


def test_the_doctor_finds_all_well_and_really_asks_for_a_token(world: World, ada: Client, lms: Lms) -> None:
    platform = connected(world, lms)
    good = {name: is_good for name, (is_good, _side) in found(platform).items()}
    assert good == {
        "Keyset": True, "Services": True, "Grades": True, "Rosters": True, "Deployments": True, "Last launches": None,
    }  # fmt: skip
    assert len(lms.asked("/token.php")) == 1
    assert "The LMS knows our key and gives tokens." in text_of(ada.post(at(platform, "doctor")))


def test_the_doctor_says_which_side_is_wrong(world: World, lms: Lms, settings: Any) -> None:
    platform = connected(world, lms)
    lms.switches.jwks, lms.switches.token = "garbage", "refused"
    seen = found(platform)
    assert (seen["Keyset"], seen["Services"]) == ((False, "lms"), (False, "lms"))
    lms.switches.jwks = lms.switches.token = ""
    lms.tool.scopes = lms.tool.scopes[:1]
    assert found(platform)["Rosters"] == (False, "lms")
    settings.USHER_PRIVATE_HOSTS = ()
    seen = found(platform)
    assert (seen["Keyset"], seen["Services"]) == ((False, "usher"), (False, "usher"))
    Attempt.objects.create(platform=platform, result="refused", reason="lti_not_trusted", side="lms", detail="Old.")
    Platform.objects.filter(id=platform.id).update(jwks_url="https://nobody.invalid/keys", token_url="")
    platform.refresh_from_db()
    platform.deployments.update(approved_at=None)
    seen = found(platform)
    assert (seen["Keyset"], seen["Fields"]) == ((False, "network"), (False, "usher"))
    assert (seen["Deployments"], seen["Last launches"]) == ((False, "usher"), (False, "lms"))
    CONNECTION_LOOKS.add(str(platform.organization_id), CONNECTION_LOOKS.capacity)
    assert refused(lambda: doctor.look(platform)) == ["too_many_tries"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Mon, 02 Mar 2026 08:00:40 GMT", "Both clocks agree, to 40 seconds."),
        ("Mon, 02 Mar 2026 08:02:00 GMT", "The clock of the LMS is 120 seconds ahead of ours."),
        ("Mon, 02 Mar 2026 07:30:00 GMT", "The clock of the LMS is 1800 seconds behind ours."),
        ("yesterday", ""),
    ],
)
def test_the_doctor_compares_the_clocks(
    moodle: Platform, clock: Traveller, monkeypatch: pytest.MonkeyPatch, said: str, sentence: str
) -> None:
    clock.move_to(dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC))
    keyset = json.dumps(keys.jwks()).encode()
    monkeypatch.setattr(fetch, "get", lambda _url, **_more: fetch.Answer(200, {"Date": said}, keyset))
    monkeypatch.setattr(fetch, "post_form", lambda _url, _form, **_more: fetch.Answer(401, {}, b"no"))
    seen = {one.name: one for one in doctor.look(moodle)}
    assert (seen["Clock"].sentence if "Clock" in seen else "") == sentence
    assert seen["Keyset"].is_good
    assert seen["Services"].side == "lms"


def test_a_test_launch_is_on_for_ten_minutes_and_the_page_looks_again(
    world: World, moodle: Platform, clock: Traveller
) -> None:
    ada = signed_in(world.ada)
    assert 'hx-trigger="every 3s"' not in page(ada, at(moodle))
    assert "A test is on." in text_of(ada.post(at(moodle, "test"), {"to": "on"}, follow=True))
    moodle.refresh_from_db()
    assert moodle.test_until == NOW() + dt.timedelta(minutes=10)
    assert 'hx-trigger="every 3s"' in page(ada, at(moodle, "launches"))
    clock.shift(dt.timedelta(minutes=10))
    assert "A test is on." not in page(ada, at(moodle, "launches"))


def test_past_launches_are_decoded_with_verdict_side_and_a_line_to_copy(ada: Client, moodle: Platform) -> None:
    claims = {"name": "Stina <b>Berg", "iat": 1_795_331_744, "sub": "5", "https://purl.imsglobal.org/x": {"id": "2"}}
    Attempt.objects.create(platform=moodle, result="created", claims=claims, message="LtiResourceLinkRequest")
    no = Attempt.objects.create(
        platform=moodle, result="refused", reason="lti_not_trusted", side="lms", detail="The token ended.", claims={}
    )
    raw = ada.get(at(moodle)).content.decode()
    assert "Stina &lt;b&gt;Berg" in raw
    text = html.unescape(raw)
    for word in ("New here, and in", "What Moodle (moodle.cedar.example) sent cannot be believed.", "The token ended.",
                 "The LMS is to be mended", f'launch="{no.id}"', '{"id": "2"}', "1795331744 ("):  # fmt: skip
        assert word in text


def test_the_check_tells_of_launches_that_are_refused_and_of_what_waits(moodle: Platform) -> None:
    for _one in range(3):
        Attempt.objects.create(platform=moodle, result="refused", reason="lti_over")
    connect.note_deployment(moodle, "9")
    verdicts = checks.run(one for one in checks.everything() if one.code in ("V13", "platforms"))
    assert verdicts.ok
    told = " ".join(case for verdict in verdicts.warnings for case in verdict.cases)
    assert "were refused (lti_over)" in told
    assert "The deployment 9 of" in told


def test_the_check_finds_what_must_not_be(world: World, moodle: Platform) -> None:
    deployment = connect.add_deployment(moodle, "1", world.cedar.organization, OPERATOR)
    opened(world, moodle, deployment)
    user = PlatformUser.objects.get()
    ours = [one for one in checks.everything() if one.code == "V13"]
    breaks: list[tuple[Any, dict[str, Any], str]] = [
        (user, {"account": world.bob.account}, "has no place in its organisation"),
        (user, {"account": world.bob.account, "organization": world.birch.organization}, "than its platform"),
        (deployment, {"organization": None}, "leads nowhere"),
        (deployment, {"organization": world.birch.organization}, "to another organisation"),
        (moodle, {"token_url": ""}, "lacks: token_url"),
    ]
    assert checks.run(ours).ok
    for row, wrong, words in breaks:
        right = {name: getattr(row, name) for name in wrong}
        type(row).objects.filter(id=row.id).update(**wrong)
        told = [case for verdict in checks.run(ours).invariants for case in verdict.cases]
        assert [words in case for case in told] == [True], (wrong, told)
        type(row).objects.filter(id=row.id).update(**right)


def test_what_is_over_is_tidied_away(world: World, moodle: Platform, clock: Traveller) -> None:
    opened(world, moodle, connect.add_deployment(moodle, "1", world.cedar.organization, OPERATOR))
    for _one in range(25):
        Attempt.objects.create(platform=moodle, result="tested")
    clock.shift(dt.timedelta(hours=2))
    chores.run_all()
    assert [model.objects.count() for model in (Launch, Question, Trip, PlatformUser)] == [0, 0, 0, 1]
    assert Attempt.objects.count() == 20
    clock.shift(dt.timedelta(days=31))
    chores.run_all()
    assert not Attempt.objects.exists()
    assert overview.View(moodle).past == []
