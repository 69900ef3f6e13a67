"""Who came by a code: the list, the file, the curve; and the poster that brings them."""

from __future__ import annotations

import csv
import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from doors import comes, made, of_code, text_of
from world import World, signed_in

from usher.core.rows import new_id
from usher.methods.invite_code import codes, stats
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.methods.invite_code.wish import Wish
from usher.organizations.models import Organization


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def test_the_list_goes_there_and_back_and_says_how(world: World, ada: Client, clock: time_machine.Traveller) -> None:
    code = made(world)
    for number in range(60):
        comes(code, f"Pupil {number:02}")
        clock.shift(1)
    codes.change(world.cedar.organization, code.id, Wish(needs_approval=True), world.ada.by)
    clock.shift(1)
    comes(code, "Olivia")
    first = ada.get(of_code(code, "/people")).content.decode()
    assert "Asks to come in" in first
    names = re.findall(r"<bdi>((?:Pupil|Olivia)[^<]*)</bdi>", first)
    assert names == ["Olivia", *(f"Pupil {number:02}" for number in range(59, 10, -1))]
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link
    second = ada.get(link[1]).content.decode()
    assert re.findall(r"<bdi>(Pupil[^<]*)</bdi>", second) == [f"Pupil {number:02}" for number in range(10, -1, -1)]
    back = re.search(r'rel="prev" href="([^"]+)"', second)
    assert back
    assert re.findall(r"<bdi>((?:Pupil|Olivia)[^<]*)</bdi>", ada.get(back[1]).content.decode()) == names
    for nonsense in ("?after=x", "?after=MDAwMQ", "?before=%C3%A4", "?after=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCB4"):
        assert "Olivia" in text_of(ada.get(of_code(code, "/people") + nonsense))


def test_the_export_is_whole_and_guarded(world: World, ada: Client) -> None:
    code = made(world)
    for number in range(3):
        comes(code, f"Pupil {number}")
    account = world.cedar.account(comes(code, "Formula"))
    account.username = "=1+1"
    account.save()
    answer = ada.get(of_code(code, "/people.csv"))
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(body.splitlines()))
    assert [row["username"] for row in rows] == ["Pupil 0", "Pupil 1", "Pupil 2", "'=1+1"]
    assert {(row["role"], row["how"]) for row in rows} == {("Student", "came")}
    assert rows[0]["sign_in"] == "pupil.0@cedar.usher.invalid"
    assert code.code not in body


def use(world: World, code: InviteCode, moment: dt.datetime, *, asked: bool = False) -> None:
    CodeUse.objects.create(
        id=new_id(), organization_id=world.cedar.id, code=code, membership=world.pia.membership, asked=asked, at=moment
    )


def test_the_curve_has_the_last_14_days_of_the_organisation(world: World, clock: time_machine.Traveller) -> None:
    Organization.objects.filter(id=world.cedar.id).update(time_zone="Pacific/Auckland")  # 13 hours ahead
    here = Organization.objects.get(id=world.cedar.id)
    code = made(world)
    use(world, code, dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC))  # the 2nd
    use(world, code, dt.datetime(2026, 3, 1, 11, 30, tzinfo=dt.UTC))  # half past midnight of the 2nd
    use(world, code, dt.datetime(2026, 3, 1, 10, 30, tzinfo=dt.UTC), asked=True)
    use(world, code, dt.datetime(2026, 2, 16, 11, 30, tzinfo=dt.UTC))  # the 17th: the first day
    use(world, code, dt.datetime(2026, 2, 16, 10, 30, tzinfo=dt.UTC))  # the 16th: too early
    with CaptureQueriesContext(connection) as queries:
        curve = stats.curve(here, code)
    assert len(queries) == 1
    assert len(curve.bars) == 14
    assert [(bar.day, bar.count) for bar in curve.bars if bar.count] == [("17 Feb", 1), ("2 Mar", 2)]
    assert (curve.came, curve.asked, curve.said) == (3, 1, "17 Feb: 1; 2 Mar: 2")


def test_the_poster_has_all_that_somebody_needs(world: World, ada: Client, settings: Any) -> None:
    settings.USHER_BASE_URL = "https://usher.cedar.example"
    code = made(world, Wish(ends_on=dt.date(2099, 12, 18)))
    page = ada.get(of_code(code, "/poster"))
    said = text_of(page)
    for words in ("Cedar School", "usher.cedar.example/join", f"{code.code[:4]} {code.code[4:]}", "until 18 Dec 2099"):
        assert words in said
    assert b"<svg" in page.content.split(b'class="square"')[1]
    assert f'data-copy="https://usher.cedar.example/join/{code.code}"' in ada.get(of_code(code)).content.decode()
