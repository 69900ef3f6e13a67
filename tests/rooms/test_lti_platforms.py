"""Organisation → Settings → Integrations → LTI 1.3: an LMS connected by an admin, from the first click to "on"."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from connecting import MOODLE, PAGE, ada, at, moodle, opened, page, refused, text_of  # noqa: F401
from django.test import Client
from mailing import mails
from time_machine import Traveller
from world import World, signed_in

from usher.core.models import Mail
from usher.events.types import OPERATOR, EventType
from usher.methods.lti import connect, platforms
from usher.methods.lti.connect import Wish
from usher.methods.lti.models import Deployment, Launch, Platform, PlatformUser, Question, Trip
from usher.methods.lti.presets import PRESETS, family_of, preset_of
from usher.methods.lti.wishes import draft_of
from usher.people import fresh
from usher.people.models import Account, Membership
from usher.protocols.lti13.roles import Standing

# ruff: noqa: F811
pytestmark = pytest.mark.django_db


# By hand


def test_by_hand_from_the_list_to_on(world: World, ada: Client) -> None:
    assert f'href="{PAGE}/lti/new"' in page(ada, f"{PAGE}/")
    chosen = page(ada, f"{PAGE}/lti/new")
    assert chosen.count("Not tried by us") == len(PRESETS) - 1
    answer = ada.post(f"{PAGE}/lti/new/moodle/hand")
    (draft,) = platforms.of_organization(world.cedar.organization)
    assert answer["Location"] == at(draft)
    shown = page(ada, at(draft))
    for ours in (platforms.login_url(draft), platforms.launch_url(draft), platforms.jwks_url()):
        assert f'data-copy="{ours}"' in shown
    assert "To be filled in" in page(ada, f"{PAGE}/")
    assert "Platform ID" in page(ada, at(draft, "fields"))
    filled = {"issuer": "https://moodle.cedar.example/", "client_id": " 8NIKK98XbZv5uVs "}
    assert ada.post(at(draft, "fields"), filled)["Location"] == at(draft)
    draft.refresh_from_db()
    assert (draft.auth_url, draft.client_id, draft.state) == (MOODLE.auth_url, "8NIKK98XbZv5uVs", "draft")
    assert "Approve and switch on" in page(ada, at(draft))
    assert "Approved and switched on." in text_of(ada.post(at(draft, "approve"), follow=True))
    draft.refresh_from_db()
    assert draft.state == "on"
    told = [event.type for event in world.cedar.events() if event.type.startswith("platform")]
    assert told == ["platform:created", "platform:changed", "platform:changed"]
    assert Mail.objects.filter(kind="platform", organization_id=world.cedar.id).count() == 3


@pytest.mark.parametrize("act", ["approve", "switch", "test", "fields", "options", "remove", "deployments"])
def test_what_changes_wants_a_fresh_sign_in(ada: Client, moodle: Platform, clock: Traveller, act: str) -> None:
    clock.shift(2 * fresh.SECONDS + 1)
    assert ada.post(at(moodle, act), {"to": "off"})["Location"].startswith(fresh.AGAIN)
    assert ada.post(at(moodle, "doctor")).status_code == 200


def test_a_plan_without_it_says_so(world: World, ada: Client) -> None:
    licence = world.cedar.organization.license
    licence.overrides = {"methods": ["csv_import"]}
    licence.save()
    assert "does not include it" in page(ada, f"{PAGE}/lti/new")
    assert ada.get(f"{PAGE}/lti/new/moodle").status_code == 404
    assert ada.post(f"{PAGE}/lti/new/moodle/hand").status_code == 404
    assert refused(lambda: connect.add(world.ada.membership.organization, MOODLE, OPERATOR)) == ["method_not_in_plan"]


def test_what_cannot_be_is_said_beside_the_field(world: World, ada: Client, moodle: Platform) -> None:
    wrong = {"issuer": "http://moodle.cedar.example", "client_id": "1", "jwks_url": "javascript:alert(1)"}
    text = text_of(ada.post(at(moodle, "fields"), wrong))
    assert text.count("cannot be an address of an LMS") == 2
    assert 'value="javascript:alert(1)"' in text
    moodle.refresh_from_db()
    assert moodle.issuer == MOODLE.issuer


WRONG = [
    ({"issuer": "https://lms.example/?x=1"}, "platform_url_not_allowed"),
    ({"issuer": "https://lms.example/#x"}, "platform_url_not_allowed"),
    ({"issuer": "http://lms.example"}, "platform_url_not_allowed"),
    ({"auth_url": "https://me:secret@lms.example/"}, "platform_url_not_allowed"),
    ({"token_url": "ftp://lms.example/"}, "platform_url_not_allowed"),
    ({"jwks_url": "https://" + "x" * 500}, "platform_url_not_allowed"),
    ({"client_id": "x" * 256}, "platform_url_not_allowed"),
    ({"client_id": "8NIKK98XbZv5uVś"}, "platform_url_not_allowed"),  # to some databases an “s” like any other
    ({"origins": ("https://lms.example/path",)}, "frame_origin_not_allowed"),
    ({"origins": ("https://lms.example;script-src *",)}, "frame_origin_not_allowed"),
    ({"origins": ("*",)}, "frame_origin_not_allowed"),
    ({"origins": ("http://lms.example",)}, "frame_origin_not_allowed"),
    ({"origins": tuple(f"https://a{one}.example" for one in range(21))}, "frame_origin_not_allowed"),
    ({"instructor_role": "admin"}, "platform_role_not_allowed"),
    ({"instructor_role": "wizard"}, "platform_role_not_allowed"),
    ({"roster_hours": 0}, "roster_hours_not_allowed"),
    ({"roster_hours": 169}, "roster_hours_not_allowed"),
]


def test_what_is_refused_is_not_kept(world: World) -> None:
    for given, code in WRONG:
        assert refused(lambda w=given: connect.add(world.cedar.organization, replace(MOODLE, **w), OPERATOR)) == [code]
    assert not Platform.objects.exists()


def test_a_host_of_the_operators_own_may_do_without_tls(world: World, settings: Any) -> None:
    settings.USHER_PRIVATE_HOSTS = ("moodle.lan:8080",)
    wish = draft_of(preset_of("moodle"), issuer="http://moodle.lan:8080", client_id="1")
    made = connect.add(world.cedar.organization, wish, OPERATOR)
    assert (made.jwks_url, platforms.origins_of(made)) == (
        "http://moodle.lan:8080/mod/lti/certs.php",
        ("http://moodle.lan:8080",),
    )
    settings.USHER_PRIVATE_HOSTS = ()
    assert platforms.origins_of(made) == ()


def test_the_same_client_of_the_same_issuer_is_connected_once_in_an_organisation(world: World) -> None:
    connect.add(world.cedar.organization, MOODLE, OPERATOR)
    assert refused(lambda: connect.add(world.cedar.organization, MOODLE, OPERATOR)) == ["platform_taken"]
    connect.add(world.cedar.organization, replace(MOODLE, client_id="other"), OPERATOR)
    empty = Wish(family="moodle")
    connect.add(world.cedar.organization, empty, OPERATOR)
    connect.add(world.cedar.organization, empty, OPERATOR)  # two that are not filled in are not the same


def test_it_is_switched_on_when_it_is_whole_and_a_deployment_is_approved_or_none_is_known(world: World) -> None:
    half = connect.add(world.cedar.organization, replace(MOODLE, token_url="", jwks_url=""), OPERATOR)
    assert refused(lambda: connect.switch(half, on=True, actor=OPERATOR)) == ["platform_needs"] * 2
    whole = connect.change(half, MOODLE, OPERATOR)
    connect.note_deployment(whole, "1")
    assert refused(lambda: connect.switch(whole, on=True, actor=OPERATOR)) == ["deployment_waits"]
    assert connect.approve(whole, OPERATOR).state == "on"
    assert whole.deployments.get().approved_at


# What ends with what


@pytest.mark.parametrize(
    ("changes", "state", "is_approved", "users"),
    [
        ({"name": "Our Moodle"}, "on", True, 1),
        ({"jwks_url": "https://moodle.cedar.example/other"}, "draft", True, 1),
        ({"client_id": "other"}, "draft", False, 1),
        ({"issuer": "https://evil.example"}, "draft", False, 0),
    ],
)
def test_another_issuer_client_or_keyset_is_another_lms(
    world: World, moodle: Platform, changes: Any, state: str, is_approved: bool, users: int
) -> None:
    deployment = connect.add_deployment(moodle, "1", world.cedar.organization, OPERATOR)
    opened(world, moodle, deployment)
    now = connect.change(moodle, replace(connect.wish_of(moodle), **changes), OPERATOR)
    ended = 0 if state == "draft" else 1
    assert (now.state, bool(moodle.deployments.get().approved_at)) == (state, is_approved)
    assert [model.objects.count() for model in (Launch, Question, Trip)] == [ended] * 3
    assert PlatformUser.objects.count() == users
    assert Account.objects.filter(id=world.tom.account_id).exists()


def test_switched_off_ends_what_is_open_and_forgets_nobody(world: World, ada: Client, moodle: Platform) -> None:
    opened(world, moodle, connect.add_deployment(moodle, "1", world.cedar.organization, OPERATOR))
    assert "Switched off." in text_of(ada.post(at(moodle, "switch"), {"to": "off"}, follow=True))
    assert (Launch.objects.count(), PlatformUser.objects.count()) == (0, 1)


def test_removed_takes_what_it_opened_and_leaves_the_people(world: World, ada: Client, moodle: Platform) -> None:
    opened(world, moodle, connect.add_deployment(moodle, "1", world.cedar.organization, OPERATOR))
    assert "1 person comes by it" in page(ada, at(moodle, "remove"))
    assert "is removed." in text_of(ada.post(at(moodle, "remove"), follow=True))
    assert not any(model.objects.exists() for model in (Platform, Deployment, PlatformUser, Launch, Question, Trip))
    assert Membership.objects.get(id=world.tom.membership.id).state == "active"
    (event,) = world.cedar.events(EventType.PLATFORM_REMOVED)
    assert (event.data["provider"], event.actor_id) == ("Moodle (moodle.cedar.example)", world.ada.account_id)


# Deployments


def test_an_unknown_deployment_waits_and_admins_are_told_once_a_day(
    world: World, ada: Client, moodle: Platform, clock: Traveller
) -> None:
    Mail.objects.all().delete()
    first = connect.note_deployment(moodle, "7", "Cedar Moodle")
    assert first == connect.note_deployment(moodle, "7")
    assert (first.organization, first.approved_at, first.name) == (moodle.organization, None, "Cedar Moodle")
    connect.note_deployment(moodle, "8")
    assert Mail.objects.get().data["deployment"] == "7"
    clock.shift(dt.timedelta(hours=25))
    connect.note_deployment(moodle, "9")
    assert Mail.objects.count() == 2
    ada = signed_in(world.ada)
    assert "A deployment waits" in page(ada, at(moodle))
    assert "Approved." in text_of(ada.post(at(moodle, f"deployments/{first.id}/approve"), follow=True))
    (event,) = world.cedar.events(EventType.DEPLOYMENT_APPROVED)
    assert event.data["deployment"] == "7"
    for number in range(48):
        connect.note_deployment(moodle, f"x{number}")
    assert refused(lambda: connect.note_deployment(moodle, "one more")) == ["lti_not_approved"]
    assert connect.note_deployment(moodle, "7").approved_at


def test_admins_read_what_was_done_and_by_whom(world: World, ada: Client, moodle: Platform) -> None:
    connect.note_deployment(moodle, "7")
    ada.post(at(moodle, "deployments"), {"deployment_id": "3"})
    ada.post(at(moodle, "switch"), {"to": "off"})
    connect.remove(moodle, OPERATOR)
    told = [" ".join(str(sent.body).split()) for sent in mails()]
    assert [one.split(":")[0] for one in told] == ["The LMS Moodle (moodle. cedar. example) of Cedar School"] * 6
    for text, words in zip(
        told,
        ("was added", "was switched on", "that nobody has approved: 7", "lets people in: 3", "was switched off",
         "was removed"),
        strict=True,
    ):  # fmt: skip
        assert words in text
    assert ["By Ada Ash." in text for text in told] == [False, False, False, True, True, False]
    assert "/o/cedar/settings/integrations/" in told[0]


def test_a_deployment_is_typed_and_removed_on_the_page(world: World, ada: Client, moodle: Platform) -> None:
    assert ada.post(at(moodle, "deployments"), {"deployment_id": ""}).status_code == 400
    ada.post(at(moodle, "deployments"), {"deployment_id": " 3 "})
    ada.post(at(moodle, "deployments"), {"deployment_id": "4"})
    three, four = moodle.deployments.order_by("id")
    assert (three.deployment_id, three.organization) == ("3", moodle.organization)
    opened(world, moodle, three)
    for one, users in ((three, 1), (four, 0)):  # the last one takes what it opened
        assert "Nobody comes in by it" in page(ada, at(moodle, f"deployments/{one.id}/remove"))
        ada.post(at(moodle, f"deployments/{one.id}/remove"))
        assert (Launch.objects.count(), PlatformUser.objects.count()) == (0, users)
    assert ada.get(at(moodle, f"deployments/{four.id}/remove")).status_code == 404
    assert [event.data["deployment"] for event in world.cedar.events(EventType.DEPLOYMENT_REMOVED)] == ["3", "4"]


def test_h4_a_deployment_of_a_shared_lms_leads_to_one_organisation(world: World, ada: Client) -> None:
    shared = connect.add(None, draft_of(preset_of("canvas"), client_id="10000000000001"), OPERATOR)
    waiting = connect.note_deployment(shared, "12:cedar")
    assert (waiting.organization, Mail.objects.count()) == (None, 0)
    assert refused(lambda: connect.approve_deployment(waiting, None, OPERATOR)) == ["deployment_whose"]
    cedar, birch = world.cedar.organization, world.birch.organization
    connect.approve_deployment(waiting, cedar, OPERATOR)
    assert refused(lambda: connect.approve_deployment(waiting, birch, OPERATOR)) == ["deployment_taken"]
    assert refused(lambda: connect.add_deployment(shared, "12:cedar", birch, OPERATOR)) == ["deployment_taken"]
    mine = connect.add(cedar, MOODLE, OPERATOR)
    assert refused(lambda: connect.add_deployment(mine, "1", birch, OPERATOR)) == ["deployment_taken"]
    assert "Run by the operator of this server" in page(ada, f"{PAGE}/")
    assert ada.get(at(shared)).status_code == 404  # the launches of others are seen there


# What follows from how it is set


def test_instructors_get_the_role_above_the_lowest_and_nobody_is_made_an_admin(world: World) -> None:
    cedar, platform = world.cedar.organization, Platform(family="moodle")
    roles = {standing: platforms.role_for(platform, cedar, standing) for standing in Standing}
    assert roles == {"instructor": "teacher", "assistant": "student", "learner": "student"}
    for slug, given in (("student", "student"), ("admin", "teacher"), ("gone", "teacher")):
        platform.instructor_role = slug
        assert platforms.role_for(platform, cedar, Standing.INSTRUCTOR) == given


def test_h10_only_the_lms_may_frame_and_nothing_is_smuggled_in() -> None:
    made = Platform(
        family="canvas", issuer="https://canvas.instructure.com", auth_url="https://sso.canvaslms.com:443/api?x=1",
        origins=["https://lms.cedar.example", "https://x; script-src *", "'self'", "http://plain.example", 7],
    )  # fmt: skip
    assert platforms.origins_of(made) == (
        "https://canvas.instructure.com", "https://sso.canvaslms.com", "https://lms.cedar.example",
        "https://*.instructure.com", "https://*.canvaslms.com",
    )  # fmt: skip
    assert platforms.origins_of(Platform(issuer="https://[::1]:8443/x", auth_url="javascript:x")) == (
        "https://[::1]:8443",
    )


def test_presets_fill_in_what_is_fixed_and_are_whole() -> None:
    brightspace = draft_of(preset_of("brightspace"), issuer="https://cedar.brightspace.com/", client_id="1")
    assert brightspace.token_audience == "https://api.brightspace.com/auth/token"
    assert brightspace.token_url != brightspace.token_audience
    assert brightspace.auth_url == "https://cedar.brightspace.com/d2l/lti/authenticate"
    assert [family_of(word) for word in ("moodle", "BlackboardLearn", "desire2learn", "else")] == [
        "moodle", "blackboard", "brightspace", "other",
    ]  # fmt: skip
    assert [one.family.value for one in PRESETS.values() if not one.by_link] == ["schoology"]
    assert all(one.hand_steps and bool(one.link_steps) == one.by_link for one in PRESETS.values())
    assert [one.family.value for one in PRESETS.values() if one.is_tried] == ["moodle"]


def test_options_are_kept(ada: Client, moodle: Platform) -> None:
    given = {
        "instructor_role": "student", "asks": "always", "makes_groups": "on", "roster_hours": "6",
        "origins": "https://one.example\nhttps://two.example/",
    }  # fmt: skip
    assert ada.post(at(moodle, "options"), given)["Location"] == at(moodle)
    moodle.refresh_from_db()
    kept = (moodle.instructor_role, moodle.asks, moodle.makes_groups, moodle.roster_hours, moodle.lets_in)
    assert kept == ("student", "always", True, 6, False)
    assert moodle.origins == ["https://one.example", "https://two.example"]
    assert (moodle.issuer, moodle.state) == (MOODLE.issuer, "on")
    text = page(ada, at(moodle))
    for word in ("every 6 hours", "each makes a group", "everybody new is asked", "https://two.example"):
        assert word in text
