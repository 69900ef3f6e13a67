"""What every test shares: the World, signed-in browsers, a clock that stands, and hashing that costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from crew import Crew
from crew import crew as on_board
from django.test import Client
from world import Person, World, signed_in

from usher.people import passwords

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEAST = passwords.Cost(memory_kib=8, passes=1, lanes=1, tag_bytes=16)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_cost: argon2id at its real cost; for tests that measure or count")


@pytest.fixture(autouse=True)
def cheap_hashing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One argon2id is 30 ms of a core; the suite makes thousands. Still argon2id, still one for every try."""
    if not request.node.get_closest_marker("real_cost") and request.node.path.name != "test_passwords.py":
        monkeypatch.setattr(passwords, "COST", LEAST)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A Monday morning that lasts until the test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def client_of(db: None) -> Callable[[Person], Client]:
    return signed_in


@pytest.fixture(scope="session")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Four processes on a database of their own, of the kind that the suite runs on."""
    with on_board(tmp_path_factory.mktemp("crew")) as crew:
        yield crew
