"""Requests that no page of ours sends: signs a database cannot hold, cursors from nowhere, ids of other houses."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from django.test import Client
from world import World, signed_in

PAGES = ["users", "users/export", "groups", "events", "why", "users/add/csv", "users/add/manual"]
NAMES = ["q", "role", "group", "way", "state", "at", "after", "before", "type", "reason", "sign_in", "archived", "next"]


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ID = uuid.uuid4().hex
CURSORS = [
    cursor("a\0b", ID, 0, 0),
    cursor("\ud800", ID, 0, 0),
    base64.urlsafe_b64encode(f'["a","{ID}",1e999,0]'.encode()).decode(),
    cursor("a", ID, 10**30, 0),
    base64.urlsafe_b64encode(b"[" * 4000).decode(),
    cursor("a", ID, "x", 0),
    cursor("a", 5, 0, 0),
    cursor(),
    "%%%",
]


@pytest.mark.parametrize("value", ["a\0b", "x" * 4000, "[]", "-1", "9" * 40, "\u202e", "'", "💥"])
def test_a_query_of_nonsense(world: World, value: str) -> None:
    ada = signed_in(world.ada)
    for where in PAGES:
        assert ada.get(f"/o/cedar/{where}", dict.fromkeys(NAMES, value)).status_code < 500, where
        for name in NAMES if where in ("groups", "events", "why") else ():
            assert ada.get(f"/o/cedar/{where}", {name: value}).status_code < 500, (where, name)


@pytest.mark.parametrize("text", CURSORS, ids=range(len(CURSORS)))
def test_a_cursor_from_nowhere(world: World, text: str) -> None:
    ada = signed_in(world.ada)
    for address in ("users", f"groups/{world.year5.id}"):
        assert ada.get(f"/o/cedar/{address}", {"at": text}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "o/cedar/users/add/csv/progress/a%00b", "set-up/%00", "set-up/%ff%fe", "o/cedar%00/users", "o/cedar/sign-in%00",
        "o/%00/forgot", "%00", "home?next=%00",
    ],
)  # fmt: skip
def test_a_path_with_a_sign_that_no_database_holds(world: World, path: str) -> None:
    for browser in (Client(), signed_in(world.ada)):
        assert browser.get(f"/{path}").status_code < 500


@pytest.mark.parametrize("name", ["a\0b", "\0", "x" * 300, "é" * 200, "@", "a@b@c", "\ud800", "' or 1=1 --"])
def test_a_sign_in_of_nonsense(world: World, name: str) -> None:
    typed = name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    for door in ("/", "/o/cedar/sign-in", "/o/nobody/sign-in"):
        assert Client().post(door, {"name": typed, "password": "a\0b"}).status_code in (200, 400, 403)


@pytest.mark.parametrize("value", ["a\0b", "x" * 5000, "\u202e", ""])
def test_a_form_of_nonsense(world: World, value: str) -> None:
    ada, pia = signed_in(world.ada), world.pia.membership_id
    for path in (
        f"users/{pia}/role", f"users/{pia}/groups", f"users/{pia}/correct", "groups", f"groups/{world.year5.id}/change",
        f"groups/{world.year5.id}/state", f"groups/{world.year5.id}/people", "users/bulk", "users/add/manual",
    ):  # fmt: skip
        given = dict.fromkeys(
            ("role", "group", "username", "email", "name", "cap", "state", "who", "do", "names"), value
        )
        assert ada.post(f"/o/cedar/{path}", given).status_code < 500, path
    assert world.pia.membership.role == "student"
