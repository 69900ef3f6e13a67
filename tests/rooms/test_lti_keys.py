"""The keys of this installation: one at first need, changed with an overlap, read by anybody and kept for an hour."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import IntegrityError
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet
from time_machine import Traveller

from usher.core import chores
from usher.core.seal import unseal
from usher.events.models import Event
from usher.events.types import OPERATOR, EventType
from usher.methods.lti import keys
from usher.methods.lti.models import ToolKey
from usher.protocols.lti13.keys import new_private_key, sign

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key takes a tenth of a second: those of this file are made once."""
    left = iter(STOCK)
    monkeypatch.setattr(keys, "new_private_key", lambda: next(left))


STOCK = [new_private_key() for _ in range(4)]
KIDS = [json.loads(one)["kid"] for one in STOCK]


def published(browser: Client) -> list[str]:
    return [one["kid"] for one in browser.get("/lti/jwks").json()["keys"]]


def test_the_first_need_makes_the_one_key_sealed(client: Client) -> None:
    signed = sign({"iss": "us"}, keys.private_key())
    answer = client.get("/lti/jwks")
    assert jwt.decode(signed, KeySet.import_key_set(answer.json()), algorithms=["RS256"]).claims == {"iss": "us"}
    assert [set(one) for one in answer.json()["keys"]] == [{"kty", "n", "e", "kid", "use", "alg"}]
    row = ToolKey.objects.get()
    assert json.loads(unseal(row.sealed_private, keys.PURPOSE))["kid"] == row.kid == KIDS[0]
    private = json.loads(STOCK[0])["d"]
    assert private not in row.sealed_private
    assert private not in answer.content.decode()


def test_of_two_processes_one_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other had looked before the first wrote."""
    real = keys._keep_first

    def late(row: ToolKey) -> None:
        monkeypatch.setattr(keys, "_keep_first", real)
        keys.private_key()
        real(row)

    monkeypatch.setattr(keys, "_keep_first", late)
    assert json.loads(keys.private_key())["kid"] == ToolKey.objects.get().kid == KIDS[1]
    with pytest.raises(IntegrityError):
        keys._keep_first(keys._row(STOCK[2], keys.FIRST, ToolKey.objects.get().signs_from))


def test_a_new_key_is_seen_a_day_before_it_signs_and_the_old_one_a_month_after(
    client: Client, clock: Traveller
) -> None:
    keys.private_key()
    clock.shift(DAY)
    assert keys.rotate(OPERATOR) == KIDS[1]
    assert (published(client), keys.signing_kid()) == ([KIDS[1], KIDS[0]], KIDS[0])
    assert keys.rotate(OPERATOR) == KIDS[1]  # one waits already
    clock.shift(DAY)
    assert keys.signing_kid() == KIDS[1]
    clock.shift(30 * DAY - dt.timedelta(seconds=1))
    assert published(client) == [KIDS[1], KIDS[0]]
    clock.shift(dt.timedelta(seconds=1))
    assert published(client) == [KIDS[1]]
    chores.run_all()
    assert ToolKey.objects.get().kid == KIDS[1]
    told = Event.objects.filter(type=EventType.SERVER_CHANGED).order_by("id")
    assert [event.data["tool_key"] for event in told] == [KIDS[0], KIDS[1], KIDS[1]]


def test_at_once_for_a_key_that_got_known(client: Client, clock: Traveller) -> None:
    keys.private_key()
    clock.shift(DAY)
    keys.rotate(OPERATOR)
    clock.shift(dt.timedelta(hours=1))
    assert keys.rotate(OPERATOR, now=True) == KIDS[1]
    assert json.loads(keys.private_key())["kid"] == KIDS[1]
    clock.shift(dt.timedelta(hours=1))
    assert keys.rotate(OPERATOR, now=True) == KIDS[3]  # the one before was made and not needed
    assert published(client) == [KIDS[3], KIDS[1], KIDS[0]]
    clock.shift(30 * DAY)
    assert published(client) == [KIDS[3]]


def test_anybody_may_keep_the_set_for_an_hour_and_asks_whether_it_changed(client: Client, clock: Traveller) -> None:
    first = client.get("/lti/jwks")
    assert first["Cache-Control"] == "public, max-age=3600"
    assert first["Content-Type"] == "application/jwk-set+json"
    again = client.get("/lti/jwks", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    clock.shift(DAY)
    keys.rotate(OPERATOR)
    changed = client.get("/lti/jwks", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert client.post("/lti/jwks").status_code == 405
    assert not client.cookies
