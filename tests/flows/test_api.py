"""The API: a key of an organisation opens what its scopes say, in that organisation alone."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from world import World

from usher.activities import making, scored, scores
from usher.activities.making import Wish
from usher.activities.models import Activity, Score
from usher.api import documents
from usher.api.keys import LONGEST_BODY
from usher.core import clock
from usher.core.limits import API_KEY
from usher.events.types import OPERATOR, EventType
from usher.organizations import api_keys
from usher.organizations.api_keys import Made, Scope

BASE = "/api/v1"
EVERY = tuple(Scope)
TARGET = "https://app.example/start"


class Caller:
    """An application with a key."""

    def __init__(self, token: str) -> None:
        self.browser = Client(enforce_csrf_checks=True)
        self.header = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: object = None, *, raw: str | bytes = "") -> Any:
        """The answer with its JSON as ``said``, and the codes of its reasons as ``codes``."""
        data = raw or ("" if body is None else json.dumps(body))
        answer: Any = self.browser.generic(
            method, f"{BASE}{path}", data, content_type="application/json", headers=self.header
        )
        answer.said = answer.json()
        answer.codes = [error["code"] for error in answer.said.get("errors", ())]
        return answer


def key_of(world: World, *scopes: Scope, **more: Any) -> Made:
    return api_keys.add(world.cedar.organization, "Quiz", scopes or EVERY, world.ada.actor, **more)


@pytest.fixture
def call(world: World) -> Caller:
    return Caller(key_of(world).token)


@pytest.fixture
def quiz(world: World) -> Activity:
    wish = Wish("Fractions", target_url=TARGET, is_graded=True, score_maximum=20.0)
    return making.add(world.cedar.organization, wish, OPERATOR)


@pytest.fixture
def foreign(world: World) -> Activity:
    wish = Wish("Birds", target_url="https://birch.example/", is_graded=True)
    return making.add(world.birch.organization, wish, OPERATOR)


# The key


def test_a_key_says_whose_it_is_and_leaves_no_cookie(world: World, call: Caller) -> None:
    answer = call("GET", "/me")
    assert answer.said == {
        "organization": {"id": str(world.cedar.id), "slug": "cedar", "name": "Cedar School"},
        "key": "Quiz",
        "scopes": ["activities", "scores", "launches"],
        "expires_at": None,
    }
    assert answer["Cache-Control"] == "no-store, private"
    assert not answer.cookies
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("token", ["", "x", "usher_abcdefgh_" + "A" * 43, "usher_" + "é" * 300])
def test_without_a_key_nothing_opens(world: World, token: str) -> None:
    caller = Caller(token)
    for path in ("/me", "/activities", "/nothing-here", f"/activities/{uuid.uuid4()}"):
        answer = caller("GET", path)
        assert (answer.status_code, answer.codes) == (401, ["api_key_not_valid" if token else "api_key_missing"])
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_session_opens_nothing(world: World) -> None:
    browser = Client()
    browser.force_login(world.ada.account)
    assert browser.get(f"{BASE}/me").status_code == 401


def test_a_revoked_key_and_one_that_is_over_open_nothing(world: World) -> None:
    made = key_of(world)
    ending = key_of(world, last_day=clock.now().date())
    assert Caller(ending.token)("GET", "/me").status_code == 200
    api_keys.revoke(world.cedar.organization, made.key.id, world.ada.actor)
    assert Caller(made.token)("GET", "/me").codes == ["api_key_not_valid"]
    with time_machine.travel(clock.now() + dt.timedelta(days=2)):
        assert Caller(ending.token)("GET", "/me").codes == ["api_key_not_valid"]


def test_only_the_hash_of_a_key_is_kept(world: World) -> None:
    made = key_of(world)
    assert made.token.startswith(f"{made.key.prefix}_")
    assert made.token not in json.dumps([list(map(str, made.key.__dict__.values()))])
    told = [event.data for event in world.cedar.events(EventType.API_KEY_CREATED)]
    assert [one["prefix"] for one in told] == [made.key.prefix]
    assert made.token.rpartition("_")[2] not in json.dumps(told)


def test_when_a_key_was_used_is_noted_every_five_minutes(world: World) -> None:
    made = key_of(world)
    seen = []
    for minutes in (0, 4, 6):
        with time_machine.travel(dt.datetime(2026, 9, 1, 8, minutes, tzinfo=dt.UTC), tick=False):
            Caller(made.token)("GET", "/me")
        made.key.refresh_from_db()
        assert made.key.last_used_at
        seen.append(made.key.last_used_at.minute)
    assert seen == [0, 0, 6]


SCOPE_OF: dict[Scope, tuple[str, str]] = {
    Scope.ACTIVITIES: ("GET", "/activities"),
    Scope.SCORES: ("GET", f"/activities/{uuid.uuid4()}/scores"),
    Scope.LAUNCHES: ("POST", "/launches"),
}


def test_a_scope_opens_its_own_operations_alone(world: World) -> None:
    for mine in Scope:
        caller = Caller(key_of(world, mine).token)
        for scope, (method, path) in SCOPE_OF.items():
            answer = caller(method, path, {} if method == "POST" else None)
            assert (answer.codes == ["api_scope_missing"]) == (scope is not mine), (mine, scope)
        assert caller("GET", "/me").status_code == 200


def test_an_organisation_that_may_not_is_told_why(world: World, call: Caller) -> None:
    organization = world.cedar.organization
    organization.license.ends_on = clock.now().date() - dt.timedelta(days=2)
    organization.license.save()
    assert call("GET", "/me").codes == ["license_ended"]
    organization.license.ends_on, organization.license.overrides = None, {"methods": ["lti"]}
    organization.license.save()
    assert call("GET", "/me").codes == ["method_not_in_plan"]
    organization.suspended_at = clock.now()
    organization.save()
    answer = call("GET", "/activities")
    assert (answer.status_code, answer.codes) == (403, ["organization_suspended"])


def test_who_asks_too_often_waits(world: World) -> None:
    made = key_of(world)
    API_KEY.add(str(made.key.id), API_KEY.capacity)
    answer = Caller(made.token)("GET", "/me")
    assert (answer.status_code, answer.codes, answer["Retry-After"]) == (429, ["api_too_fast"], "1")
    assert Caller(key_of(world).token)("GET", "/me").status_code == 200


# What is sent


BROKEN: list[tuple[str | bytes, int, str]] = [
    ("{", 400, "body_not_json"),
    ("[]", 400, "body_not_json"),
    (b"\xff", 400, "body_not_json"),
    ('"text"', 400, "body_not_json"),
    ("[" * 5_000, 400, "body_not_json"),
    ('{"title": 1}', 400, "value_not_allowed"),
    ('{"title": "\\ud800", "target_url": "https://a.example"}', 400, "name_hidden_characters"),
    ('{"title": "A", "target_url": "https://a.example/\\udfff"}', 400, "web_address_not_allowed"),
    ('{"title": "A", "target_url": "https://a.example", "score_maximum": "10"}', 400, "value_not_allowed"),
    ('{"title": "A", "target_url": "https://a.example", "graded": 1}', 400, "value_not_allowed"),
    ('{"title": "A", "target_url": "https://a.example", "score_maximum": NaN}', 400, "maximum_not_allowed"),
    ('{"title": "A", "target_url": "https://a.example", "state": "archived"}', 400, "value_not_allowed"),
    ('{"title": "A\\u0000", "target_url": "https://a.example"}', 400, "name_hidden_characters"),
    ('{"title": "A", "target_url": "javascript:alert(1)"}', 400, "web_address_not_allowed"),
    ('{"title": "A"}', 400, "activity_opens_nothing"),
    ("{}", 400, "value_not_allowed"),
    (" " * (LONGEST_BODY + 1), 413, "body_too_large"),
]


def test_what_cannot_be_used_is_refused_with_its_reason(world: World, call: Caller) -> None:
    for raw, status, code in BROKEN:
        answer = call("POST", "/activities", raw=raw)
        assert (answer.status_code, answer.codes) == (status, [code]), raw[:60]
        assert set(answer.said["errors"][0]) <= {"code", "sentence", "next_step", "column"}
    assert not Activity.objects.exists()


def test_addresses_and_methods_that_are_not_there(call: Caller) -> None:
    assert call("GET", "/nothing").codes == ["api_unknown_address"]
    assert call("GET", "/activities/not-an-id").codes == ["api_unknown_address"]
    wrong = call("DELETE", "/me")
    assert (wrong.status_code, wrong.codes, wrong["Allow"]) == (405, ["api_not_allowed_here"], "GET")
    assert call("GET", "/activities?limit=0").codes == ["value_not_allowed"]
    assert call("GET", "/activities?after=x").said["errors"][0]["column"] == "after"


# Activities


def test_an_activity_is_made_read_changed_and_archived(world: World, call: Caller) -> None:
    made = call("POST", "/activities", {"title": " Fractions ", "target_url": TARGET, "graded": True})
    assert made.status_code == 201
    one = f"/activities/{made.said['id']}"
    assert (made.said["title"], made.said["score_maximum"], made.said["state"]) == ("Fractions", 100.0, "open")
    changed = call("PATCH", one, {"description": "Halves", "group": str(world.year5.id)})
    assert changed.said["description"] == "Halves"
    assert changed.said["group"] == str(world.year5.id)
    assert changed.said["title"] == "Fractions"
    assert call("PATCH", one, {"group": None}).said["group"] is None
    assert call("PATCH", one, {"title": ""}).codes == ["title_missing"]
    assert call("POST", f"{one}/archive").said["state"] == "archived"
    assert call("POST", f"{one}/archive").said["state"] == "archived"
    assert call("GET", "/activities").said["items"] == []
    assert call("GET", "/activities?state=any").said["items"] == [call("GET", one).said]
    assert call("POST", f"{one}/restore").said["state"] == "open"
    kinds = [event.type for event in world.cedar.events() if event.type.startswith("activity:")]
    assert kinds == ["activity:created"] + ["activity:changed"] * 4
    actors = {event.actor_kind for event in world.cedar.events() if event.type.startswith("activity:")}
    assert actors == {"api_key"}


def test_activities_are_listed_in_pages(world: World, call: Caller) -> None:
    for title in ("Cells", "Atoms", "Birds", "Atoms"):
        making.add(world.cedar.organization, Wish(title, target_url=TARGET), OPERATOR)
    titles, after = [], ""
    while True:
        page = call("GET", f"/activities?limit=2{after}").said
        titles += [one["title"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert titles == ["Atoms", "Atoms", "Birds", "Cells"]
    assert [one["title"] for one in call("GET", "/activities?q=ATOM").said["items"]] == ["Atoms", "Atoms"]


# Scores


def put(call: Caller, activity: Activity, account_id: object, /, **body: object) -> Any:
    return call("PUT", f"/activities/{activity.id}/scores/{account_id}", body)


def test_the_last_score_wins_and_the_same_one_changes_nothing(world: World, call: Caller, quiz: Activity) -> None:
    pia = world.pia.account_id
    assert call("GET", f"/activities/{quiz.id}/scores/{pia}").codes == ["no_score_yet"]
    first = put(call, quiz, pia, given=0.8, maximum=1, comment="Well done")
    assert (first.said["given"], first.said["maximum"], first.said["version"]) == (16.0, 20.0, 1)
    assert put(call, quiz, pia, given=0.8, maximum=1, comment="Well done").said == first.said
    second = put(call, quiz, pia, given=12)
    assert (second.said["given"], second.said["version"], second.said["comment"]) == (12.0, 2, "")
    assert call("GET", f"/activities/{quiz.id}/scores/{pia}").said == second.said
    assert call("GET", f"/activities/{quiz.id}/scores").said == {"items": [second.said], "next": None}
    assert len(world.cedar.events(EventType.SCORE_PUT)) == 2


def test_a_score_is_told_in_the_transaction_that_wrote_it(
    world: World, call: Caller, quiz: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []

    def act(score: Score) -> None:
        told.append(score.given)
        if score.given == 3:
            raise RuntimeError

    monkeypatch.setitem(scored._registered, ("a", "b"), act)  # beside the others, which register once
    put(call, quiz, world.pia.account_id, given=2)
    with pytest.raises(RuntimeError):
        scores.put(quiz, world.pia.account_id, 3.0, OPERATOR)
    assert told == [2.0, 3.0]
    assert Score.objects.get().given == 2.0


def test_scores_that_cannot_be(world: World, call: Caller, quiz: Activity) -> None:
    pia = world.pia.account_id
    refused: list[tuple[dict[str, object], str]] = [
        ({"given": 21}, "score_not_allowed"),
        ({"given": -0.1}, "score_not_allowed"),
        ({"given": 1, "maximum": 0}, "score_maximum_not_allowed"),
        ({"given": float("nan")}, "score_not_allowed"),
        ({"given": 1, "maximum": float("inf")}, "score_maximum_not_allowed"),
        ({"given": True}, "value_not_allowed"),
        ({"maximum": 5}, "value_not_allowed"),
        ({"given": 1, "comment": "\0"}, "text_not_clean"),
        ({"given": 1, "comment": "x" * 1001}, "words_too_long"),
        ({"given": 1, "version": 7}, "value_not_allowed"),
        ({"given": 1, "account": str(world.tom.account_id)}, "value_not_allowed"),
    ]
    for body, code in refused:
        answer = put(call, quiz, pia, **body)
        assert (answer.status_code, answer.codes) == (400, [code]), body
    making.change(world.cedar.organization, quiz.id, making.with_changes(quiz, {"is_graded": False}), OPERATOR)
    assert put(call, quiz, pia, given=1).codes == ["activity_not_graded"]
    making.archive(world.cedar.organization, quiz.id, OPERATOR)
    assert put(call, quiz, pia, given=1).codes == ["unknown_activity"]
    assert not Score.objects.exists()


def test_scores_are_for_active_members_alone(world: World, call: Caller, quiz: Activity) -> None:
    world.pia.account.memberships.update(state="inactive")
    for account in (world.pia.account_id, world.bob.account_id, world.eve.account_id, uuid.uuid4()):
        answer = put(call, quiz, account, given=1)
        assert (answer.status_code, answer.codes) == (404, ["unknown_member"])


# Of others


def test_what_is_another_organisations_is_as_nothing(world: World, call: Caller, foreign: Activity) -> None:
    scores.put(foreign, world.bob.account_id, 5.0, OPERATOR)
    for activity in (foreign.id, uuid.uuid4()):
        for method, path, body in [
            ("GET", "", None),
            ("PATCH", "", {"title": "Mine"}),
            ("POST", "/archive", None),
            ("POST", "/restore", None),
            ("GET", "/scores", None),
            ("GET", f"/scores/{world.bob.account_id}", None),
            ("PUT", f"/scores/{world.bob.account_id}", {"given": 1}),
        ]:
            answer = call(method, f"/activities/{activity}{path}", body)
            assert (answer.status_code, answer.codes) == (404, ["unknown_activity"]), (method, path)
    foreign.refresh_from_db()
    assert (foreign.title, foreign.state) == ("Birds", "open")
    birds = world.birch.group("Birds")
    refused = call("POST", "/activities", {"title": "A", "target_url": TARGET, "group": str(birds.id)})
    assert refused.codes == ["no_such_group"]
    assert call("GET", f"/activities?after={foreign.id}").said["items"] == []


def test_a_code_that_nobody_was_given_opens_no_launch(call: Caller) -> None:
    answer = call("POST", "/launches", {"code": "x" * 43})
    assert (answer.status_code, answer.codes) == (403, ["launch_code_over"])


# The document


def answered(world: World, call: Caller, quiz: Activity) -> dict[tuple[str, str], Any]:
    """One good call of each operation but that of launches, which has tests of its own."""
    one, pia = f"/activities/{quiz.id}", world.pia.account_id
    calls: list[tuple[str, str, str, object]] = [
        ("PUT", "/activities/{activity}/scores/{account}", f"{one}/scores/{pia}", {"given": 1}),
        ("GET", "/activities/{activity}/scores/{account}", f"{one}/scores/{pia}", None),
        ("GET", "/activities/{activity}/scores", f"{one}/scores", None),
        ("GET", "/me", "/me", None),
        ("GET", "/activities", "/activities", None),
        ("POST", "/activities", "/activities", {"title": "A", "target_url": TARGET}),
        ("GET", "/activities/{activity}", one, None),
        ("PATCH", "/activities/{activity}", one, {"title": "B"}),
        ("POST", "/activities/{activity}/archive", f"{one}/archive", None),
        ("POST", "/activities/{activity}/restore", f"{one}/restore", None),
    ]
    return {(method, f"{BASE}{path}"): call(method, address, body).said for method, path, address, body in calls}


def test_answers_have_the_fields_that_the_document_says(world: World, call: Caller, quiz: Activity) -> None:
    said = answered(world, call, quiz)
    told = {(one.method, one.path): {part.name for part in one.gives} for one in documents.operations()}
    assert told.keys() - said.keys() == {("POST", f"{BASE}/launches")}
    assert {operation: set(answer) for operation, answer in said.items()} == {key: told[key] for key in said}
    inside = documents.schema()["components"]["schemas"]
    for path, name in (("/activities", "ActivityOut"), ("/activities/{activity}/scores", "ScoreOut")):
        (item,) = said["GET", f"{BASE}{path}"]["items"]
        assert item.keys() == inside[name]["properties"].keys()


def test_the_document_and_the_page_are_open_and_name_every_operation(db: None, client: Client) -> None:
    document = client.get(f"{BASE}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    page = client.get(f"{BASE}/docs")
    text = page.content.decode()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"<b>{method.upper()}</b> {path}" in text
            assert operation["summary"] in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_every_operation_needs_a_key_and_stands_in_the_guide(db: None, client: Client) -> None:
    guide = Path("docs/api/README.md").read_text()
    scopes = {"", *Scope}
    for operation in documents.operations():
        assert operation.scope in scopes
        assert f"{operation.method} {operation.path}" in guide
        address = re.sub(r"\{\w+\}", str(uuid.uuid4()), operation.path)
        caller: Callable[..., Any] = getattr(client, operation.method.lower())
        assert caller(address).status_code == 401, operation
