"""usher platform: an LMS connected, approved, looked at and taken away from a terminal, as on the pages."""

from __future__ import annotations

import pytest
from command import Usher
from django.conf import settings
from django.test import Client
from lms.platform import Lms
from world import World

from usher.events.types import EventType
from usher.methods.lti.models import Attempt, Platform
from usher.methods.lti.platforms import launch_url, login_url

HERE = ("--org", "cedar")
MOODLE = ("--family", "moodle", "--issuer", "https://moodle.cedar.example", "--client-id", "8NIKK98XbZv5uVs")


def test_by_hand_from_add_to_remove(world: World, usher: Usher) -> None:
    ran = usher("platform", "add", *HERE, *MOODLE, "--groups", "--roster-hours", 6)
    made = Platform.objects.get()
    for line in (
        f"into the LMS: Initiate login URL\t{login_url(made)}",
        f"into the LMS: Tool URL\t{launch_url(made)}",
        f"into the LMS: Public keyset\t{settings.USHER_BASE_URL}/lti/jwks",
        "Platform ID\thttps://moodle.cedar.example",
        "Public keyset URL\thttps://moodle.cedar.example/mod/lti/certs.php",
        "instructors become\tTeacher",
        "rosters\tevery 6 hours",
    ):
        assert f"{line}\n" in ran.out
    assert f"Next: usher platform approve --org cedar {made.id}" in ran.err
    told = usher("platform", "change", *HERE, "moodle", "--roster-hours", 0, "--no-new-people", "--json").document
    assert (told["roster_hours"], told["new_people"], told["groups"], told["stage"]) == (None, False, True, "approve")
    added = usher("platform", "deployment", "add", *HERE, "moodle", "3", "--json").document
    assert (added["deployment_id"], added["organization"]) == ("3", "cedar")
    assert usher("platform", "approve", *HERE, "moodle", "--json").document["state"] == "on"
    assert usher("platform", "list", *HERE).out.splitlines() == [
        "id\tfamily\tname\tstate\tdeployments\tpeople",
        f"{made.id}\tmoodle\tMoodle (moodle.cedar.example)\tOn\t1 of 1\t0",
    ]
    assert usher("platform", "off", *HERE, "moodle", "--json").document["state"] == "off"
    assert usher("platform", "on", *HERE, made.id, "--json").document["state"] == "on"
    assert usher("platform", "deployment", "remove", *HERE, "moodle", "3").code == 0
    assert usher("platform", "remove", *HERE, "moodle").err == "Moodle (moodle.cedar.example) is removed.\n"
    told = [event.type for event in world.cedar.events() if event.actor_kind == "operator"]
    assert [one for one in told if one.split(":")[0] in ("platform", "deployment")] == [
        "platform:created", "platform:changed", "deployment:approved", "platform:changed", "platform:changed",
        "platform:changed", "deployment:removed", "platform:removed",
    ]  # fmt: skip
    assert usher("platform", "show", *HERE, "moodle").code == 2


def test_a_registration_url_and_one_yes(world: World, usher: Usher, lms: Lms, client: Client) -> None:
    told = usher("platform", "register", *HERE, "--json").document
    path = told["url"].removeprefix(settings.USHER_BASE_URL)
    assert told["seconds"] == 3600
    assert client.post(path, lms.registration()).status_code == 200
    (event,) = world.cedar.events(EventType.PLATFORM_REGISTERED)
    assert event.actor_kind == "operator"
    told = usher("platform", "approve", *HERE, "moodle", "--json").document
    assert (told["state"], told["is_registered"], len(told["deployments"])) == ("on", True, 1)
    assert told["deployments"][0]["approved_at"]


def test_a_shared_lms_and_whose_its_deployments_are(world: World, usher: Usher) -> None:
    usher("platform", "add", "--shared", "--family", "canvas", "--client-id", "10000000000001")
    there = ("--shared", "canvas", "12:ab")
    assert usher("platform", "deployment", "add", *there).code == 2
    assert usher("platform", "deployment", "add", *there, "--to", "cedar").code == 0
    assert "belongs to another organisation" in usher("platform", "deployment", "approve", *there, "--to", "birch").err
    assert usher("platform", "on", "--shared", "canvas", "--json").document["page"] is None
    assert usher("platform", "list", "--shared", "--json").document[0]["deployments"][0]["organization"] == "cedar"
    for words in (("list",), ("list", "--shared", *HERE), ("keys", "--now")):
        assert usher("platform", *words).code == 2


def test_the_doctor_and_the_launches(world: World, usher: Usher) -> None:
    usher("platform", "add", *HERE, "--family", "moodle", "--name", "Ours")
    made = Platform.objects.get()
    ran = usher("platform", "check", *HERE, "moodle", "--json")
    checks = {one["name"]: one for one in ran.document}
    assert (ran.code, checks["Fields"]["is_good"], checks["Fields"]["side"]) == (1, False, "usher")
    Attempt.objects.create(platform=made, result="refused", reason="lti_over", side="usher", claims={"sub": "5"})
    (told,) = usher("platform", "attempts", *HERE, "moodle", "--json").document
    assert (told["claims"], told["side"], told["reason"]) == ({"sub": "5"}, "usher", "lti_over")
    assert "took longer than ten minutes" in told["sentence"]
    assert told["line"] in usher("platform", "attempts", *HERE, "moodle").out


@pytest.mark.usefixtures("world")
def test_keys_are_listed_and_changed(usher: Usher) -> None:
    (first,) = usher("platform", "keys", "--json").document
    assert first["state"] == "signs"
    after = usher("platform", "keys", "--rotate", "--json").document
    assert [one["state"] for one in after] == ["next", "signs"]
    assert after[1]["published_until"]
    at_once = usher("platform", "keys", "--rotate", "--now", "--json").document
    assert [(one["kid"], one["state"]) for one in at_once] == [(after[0]["kid"], "signs"), (first["kid"], "old")]
