"""Every URL has a lock, and the lock is kept: the rows of this table are made from the URL map itself."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

import pytest
from django.test import Client
from inviting import invite
from routes import KEYED, LOCKED, OPEN, ROUTES, SIGN_IN, WITH_IDS, answer
from world import PASSWORD, World, signed_in, somebody

from usher.activities import making
from usher.api import documents
from usher.core import clock
from usher.events.types import OPERATOR
from usher.methods.csv_import.models import Import
from usher.methods.invite_code import codes
from usher.methods.invite_code.wish import Wish
from usher.methods.lti import connect as lms
from usher.methods.lti.models import Course
from usher.methods.sso import connect
from usher.methods.sso.models import Kind
from usher.organizations import api_keys, domains
from usher.people.access import Lock
from usher.people.models import Membership

# What needs no key, each for a reason: one enters by it, or it shows nothing of anybody.
FOR_ANYONE = {
    "/", "o/<slug:slug>/sign-in", "o/<slug:slug>/forgot", "o/<slug:slug>/accent.css",
    "o/<slug:slug>/logo/<str:digest>", "sign-in/second", "sign-out", "forgot", "reset/<str:token>",
    "set-up/<str:token>", "join", "join/<str:code>", "register", "confirm/<str:token>", "invitation/<str:token>",
    "not-for-me/<str:token>", "sso/start", "sso/by-address", "sso/callback/<str:which>", "sso/question/<str:token>",
    "_kit/", "_mail/", "_mail/<str:name>", "_mail/<str:name>/picture", "api/v1/openapi.json",
    "api/v1/docs", "lti/jwks", "lti/register/<str:token>", "lti/<uuid:platform_id>/login",
    "lti/<uuid:platform_id>/launch", "lti/at/<str:token>", "lti/question/<str:token>",
}  # fmt: skip
# What an LMS sends from its own pages, where no token of ours can be: what comes along is the proof instead.
FROM_OTHERS = {
    "lti/register/<str:token>", "lti/<uuid:platform_id>/login", "lti/<uuid:platform_id>/launch", "lti/at/<str:token>",
    "lti/question/<str:token>",
}  # fmt: skip


def test_there_are_routes_to_test() -> None:
    assert len(LOCKED) > 20


@pytest.mark.parametrize("text", ROUTES)
def test_every_route_has_a_lock(text: str) -> None:
    has_lock = isinstance(ROUTES[text].lock, Lock) or text in KEYED
    assert has_lock, "write @lock(...) or @open_to_anyone above the view"


@pytest.mark.parametrize("text", [text for text in ROUTES if text not in LOCKED and text not in KEYED])
def test_what_is_open_to_anyone_is_on_the_list(text: str) -> None:
    assert text in FOR_ANYONE


@pytest.mark.parametrize("text", LOCKED)
def test_an_organisations_lock_stands_on_an_organisations_route(text: str) -> None:
    needs_slug = LOCKED[text].lock not in (Lock.SIGNED_IN, Lock.OPERATOR)
    assert needs_slug == ("slug" in LOCKED[text].names)


# Who opens what


def opens(lock: Lock, person: str, *, own_group: bool = True) -> int | str:
    """What the lock answers to one of Cedar's people, or to a stranger."""
    if person == "anonymous":
        return SIGN_IN
    if lock is Lock.SIGNED_IN:
        return OPEN
    if lock is Lock.OPERATOR:
        return OPEN if person == "olga" else 404
    if person in STRANGERS:
        return 404
    opened = {
        "ada": {Lock.MEMBER, Lock.STAFF, Lock.MANAGER, Lock.ADMIN},
        "tom": {Lock.MEMBER, Lock.STAFF, *([Lock.MANAGER] if own_group else [])},
        "tess": {Lock.MEMBER, Lock.STAFF},
        "pia": {Lock.MEMBER},
    }[person]
    return OPEN if lock in opened else 403


# Admins of others, the operator, nobody's member; and of Cedar one who asks to come in and one who had to go.
STRANGERS = ("bob", "mia", "eve", "olga", "wim", "dan")


@pytest.fixture
def browsers(world: World) -> dict[str, Client]:
    """Everybody there can be at Cedar's door: of each rank, of another house, on the way in and on the way out."""
    others = {
        "tess": world.cedar.settle("Tess Thyme", "teacher"),
        "wim": world.cedar.settle("Wim Willow", "teacher"),
        "dan": world.cedar.settle("Dan Dill", "admin"),
    }
    Membership.objects.filter(account=others["wim"].account_id).update(state="waiting")
    Membership.objects.filter(account=others["dan"].account_id).update(state="inactive")
    people = world.people | others
    return {"anonymous": Client()} | {name: signed_in(person) for name, person in people.items()}


def values_of(world: World) -> dict[str, object]:
    return {"slug": "cedar", "member_id": world.pia.membership_id, "group_id": world.year5.id}


def test_every_lock_keeps_its_word_to_everybody(world: World, browsers: dict[str, Client]) -> None:
    wrong = []
    for text, route in LOCKED.items():
        assert route.lock
        address = route.address(**values_of(world))
        for person, browser in browsers.items():
            expected, got = opens(route.lock, person), answer(browser.options(address))
            if got != expected and not (person == "anonymous" and got == OPEN and "slug" not in route.names):
                wrong.append(f"{person} at {text} ({route.lock.name}): {got}, not {expected}")
    assert wrong == []


def test_a_page_outside_every_organisation_asks_to_sign_in(world: World) -> None:
    for text, route in LOCKED.items():
        if "slug" not in route.names:
            address = route.address()
            response, back = Client().get(address), urlencode({"next": address})
            assert (response.status_code, response["Location"]) == (302, f"/?{back}"), text


def test_a_manager_opens_his_own_groups_alone(world: World, browsers: dict[str, Client]) -> None:
    choir = world.cedar.group("Choir")
    for text, route in LOCKED.items():
        if "group_id" in route.names and route.lock is Lock.MANAGER:
            address = route.address(slug="cedar", group_id=choir.id)
            assert answer(browsers["tom"].options(address)) == 403, text
            assert answer(browsers["ada"].options(address)) == OPEN, text


def test_who_was_deactivated_is_a_stranger(world: World, browsers: dict[str, Client]) -> None:
    world.tom.account.memberships.update(state="inactive")
    for text, route in LOCKED.items():
        if "slug" in route.names:
            assert answer(browsers["tom"].options(route.address(**values_of(world)))) == 404, text


def test_nobody_goes_on_before_the_first_password(world: World) -> None:
    outcome = world.cedar.add(somebody("New Teacher", "teacher", email="new@cedar.example"))
    browser = Client()
    browser.force_login(world.cedar.account(outcome))
    for text, route in LOCKED.items():
        response = browser.options(route.address(**values_of(world)))
        if text == "first-password":
            assert response.status_code == 405
        else:
            assert (response.status_code, response["Location"]) == (302, "/first-password"), text


def test_a_slug_that_nobody_has_is_as_a_foreign_one(world: World, browsers: dict[str, Client]) -> None:
    for text, route in LOCKED.items():
        if "slug" in route.names:
            for slug in ("birch", "nobody-has-this"):
                assert answer(browsers["ada"].options(route.address(**values_of(world) | {"slug": slug}))) == 404, text


# What is behind the lock


@pytest.fixture
def foreign(world: World) -> dict[str, object]:
    """Ids of Birch, for an admin of Cedar to try."""
    source = Import.objects.create(
        organization=world.birch.organization,
        identity="f" * 64,
        file_name="people.csv",
        pepper_id="0" * 8,
        rows=1,
        started_at=clock.now(),
    )
    group = world.birch.group("Birds")
    invited = invite(world.birch, world.bob)
    code = codes.create(world.birch.organization, Wish(), world.bob.by)
    platform = lms.add(world.birch.organization, lms.Wish(name="Birds"), OPERATOR)
    return {
        "platform_id": platform.id,
        "activity_id": making.add(
            world.birch.organization, making.Wish("Birds", target_url="https://birds.example/"), OPERATOR
        ).id,
        "key_id": api_keys.add(world.birch.organization, "Birds", ["scores"], OPERATOR).key.id,
        "course_id": Course.objects.create(
            organization=world.birch.organization,
            deployment=lms.add_deployment(platform, "2", world.birch.organization, OPERATOR),
            context_id="1",
            title="Birds",
        ).id,
        "deployment_id": lms.add_deployment(platform, "Birds", world.birch.organization, OPERATOR).id,
        "member_id": world.bob.membership_id,
        "group_id": group.id,
        "import_id": source.id,
        "run_id": source.id,
        "identity": "f" * 64,
        "code_id": code.id,
        "invitation_id": invited.id,
        "domain_id": domains.add(world.birch.organization, "birds.example", OPERATOR).id,
        "connection_id": connect.add(world.birch.organization, Kind.GOOGLE, connect.Wish(name="Birds"), OPERATOR).id,
    }


def test_every_kind_of_id_has_a_foreign_one_to_try(foreign: dict[str, object]) -> None:
    """A new kind of id in an organisation's address fails here until a row of Birch stands for it above."""
    kinds = {name for route in WITH_IDS.values() if "slug" in route.names for name in route.names}
    assert {name for name in kinds if name.endswith("_id")} <= foreign.keys()


def test_a_foreign_id_is_as_one_that_nobody_has(world: World, foreign: dict[str, object]) -> None:
    browser = signed_in(world.ada)
    for text, route in WITH_IDS.items():
        for address in (route.address(slug="cedar", **foreign), route.address(slug="cedar")):
            for response in (browser.get(address), browser.post(address, data=FILLED)):
                assert response.status_code in (404, 405), text
                assert b"Birds" not in response.content, text
    assert (world.bob.membership.state, world.bob.membership.role) == ("active", "admin")


# Something in every field there is, so that a form does not stop the request before the id is looked up.
FILLED = {
    "role": "student", "username": "New Name", "name": "New Name", "email": "new@cedar.example", "state": "closed",
    "cap": "5", "password": PASSWORD, "action": "deactivate", "do": "deactivate", "right": "member",
}  # fmt: skip


def test_every_page_answers_those_who_may_see_it(world: World, browsers: dict[str, Client]) -> None:
    wrong = []
    for text, route in LOCKED.items():
        assert route.lock
        for person in ("ada", "tom", "tess", "pia"):
            status = browsers[person].get(route.address(**values_of(world))).status_code
            expected = opens(route.lock, person)
            answers = (200, 302, 404, 405, 410) if expected == OPEN else (expected,)
            if status not in answers:
                wrong.append(f"{person} at {text}: {status}")
    assert wrong == []


def test_a_post_without_its_token_is_refused(world: World) -> None:
    ada = Client(enforce_csrf_checks=True)
    ada.force_login(world.ada.account)
    for browser in (Client(enforce_csrf_checks=True), ada):
        for text, route in ROUTES.items():
            if text not in FROM_OTHERS and text not in KEYED:
                assert browser.post(route.address(**values_of(world)), data=FILLED).status_code == 403, text


# What a key opens


def test_every_operation_of_the_api_has_a_scope() -> None:
    scopes = {(one.method, one.path): one.scope for one in documents.operations()}
    assert {path for (_, path), scope in scopes.items() if not scope} == {"/api/v1/me"}
    assert set(scopes.values()) - {""} == set(api_keys.Scope)


def test_what_needs_a_key_opens_to_no_session(world: World) -> None:
    """Neither to the admin whose data it is, nor by any method; and it is the key that is missing, not a token."""
    assert KEYED
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.ada.account)
    for text, route in KEYED.items():
        address = route.address(activity=uuid.uuid4(), account=uuid.uuid4())
        for method in ("get", "post", "put", "patch", "delete"):
            answered = getattr(browser, method)(address)
            assert answered.status_code in (401, 405), (method, text)
            assert answered["Content-Type"] == "application/json", (method, text)


def test_a_pupil_changes_nothing_by_asking(world: World) -> None:
    before, browser = len(world.cedar.events()), signed_in(world.pia)
    for text, route in LOCKED.items():
        if "slug" in route.names:
            response = browser.post(route.address(**values_of(world)), data=FILLED)
            assert response.status_code in (403, 405), text
    assert len(world.cedar.events()) == before
