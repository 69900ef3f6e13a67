"""Readers that go away or stand still, a server that fails: the turn is given back, and the list says it stops."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from world import World, signed_in

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle import join, pen
from usher.methods.csv_import import run, turn
from usher.methods.csv_import.models import Import

PAGE = "/o/cedar/users/add/csv"
LIST = "username\n" + "".join(f"Pupil {n}\n" for n in range(9))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "BATCH", {"sqlite": 3, "postgresql": 3})


def sent(client: Client, step: str = "import", **fields: str) -> Any:
    file = SimpleUploadedFile("people.csv", LIST.encode())
    return client.post(f"{PAGE}/{step}", {"file": file, "role": "student", **fields})


def text_of(response: Any) -> str:
    return bytes(b"".join(response.streaming_content)).decode()


def go_away(response: Any) -> None:
    """What Django does when the connection ends, but for the signal that would end the test's database with it."""
    for close in response._resource_closers:
        close()


def test_a_reader_who_goes_away_gives_the_turn_back(world: World) -> None:
    response = sent(signed_in(world.ada))
    next(response.streaming_content)
    assert turn._turn.locked()
    go_away(response)
    assert not turn._turn.locked()
    assert text_of(sent(signed_in(world.ada))).count("created") == 9


def test_an_answer_that_is_thrown_away_gives_the_turn_back(world: World) -> None:
    response = sent(signed_in(world.ada))
    assert turn._turn.locked()
    response._resource_closers.clear()
    del response
    gc.collect()
    assert not turn._turn.locked()


def test_a_reader_who_stands_still_loses_the_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = sent(signed_in(world.ada))
    beginning = b"".join(next(stuck.streaming_content) for _ in range(2))
    assert sent(signed_in(world.ada)).status_code == 503
    monkeypatch.setattr(turn, "PATIENCE", 0.0)
    assert text_of(sent(signed_in(world.ada))).count("created") == 9
    rest = text_of(stuck)
    assert (beginning.count(b"created"), rest.count("created"), rest.count("list_stopped")) == (3, 0, 1)
    go_away(stuck)
    assert not turn._turn.locked()


def test_nobody_loses_the_turn_while_a_piece_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "PATIENCE", 0.0)
    source = Import()

    def pieces(_source: Import) -> Iterator[str]:
        with pytest.raises(UsherError):
            turn.take(lambda: source, lambda _source: iter(()))
        yield "a piece"

    assert list(turn.take(lambda: source, pieces)) == ["a piece"]
    assert not turn._turn.locked()


@pytest.mark.parametrize("batch", [1, 3])
def test_a_list_that_breaks_off_says_so(world: World, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """The web server ends a list that raised as if it were whole."""
    write, calls = pen.write, iter(range(9))

    def failing(*args: Any) -> None:
        if next(calls) == batch - 1:
            raise OperationalError("disk I/O error")
        write(*args)

    monkeypatch.setattr(pen, "write", failing)
    text = text_of(sent(signed_in(world.ada)))
    assert text.count("created") == 3 * (batch - 1)
    assert text.splitlines()[-1].split(",")[6:8][0] == "refused"
    assert "list_stopped" in text.splitlines()[-1]
    assert Import.objects.get().finished_at is None
    assert not turn._turn.locked()
    monkeypatch.undo()
    assert text_of(sent(signed_in(world.ada))).count("created") == 9


def test_a_preview_as_a_file_that_is_refused_is_a_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_order: run.Order) -> None:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=5))

    monkeypatch.setattr(run, "_count_look", refuse)
    assert sent(signed_in(world.ada), "check", **{"as": "csv"}).status_code == 429
