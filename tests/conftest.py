"""What every test shares: the World, signed-in browsers, a clock that stands, and hashing that costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import replay
import time_machine
from crew import Crew
from crew import crew as on_board
from django.conf import settings
from django.test import Client
from evil_idp import evil  # noqa: F401  # a fixture
from grading import book, tool_keys  # noqa: F401  # fixtures
from lms.fixtures import lms, lms_servers, make_lms  # noqa: F401  # fixtures
from standins import idp, idp_process  # noqa: F401  # fixtures
from trips import providers  # noqa: F401
from world import Person, World, signed_in
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from usher.people import passwords

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEAST = passwords.Cost(memory_kib=8, passes=1, lanes=1, tag_bytes=16)


# Files whose tests share processes that are worth starting once go to one worker. xdist's own groups
# (``xdist_group`` with ``--dist loadgroup``) have no effect under pytest 9: it lets no plugin rename a test.
ONE_WORKER = {
    "tests/proof/test_races.py": "crew",
    "tests/flows/test_alarms.py": "crew",
    "tests/flows/test_short_names.py": "crew",
    "tests/proof/test_second_proof_races.py": "crew",
    "tests/proof/test_arrival_races.py": "crew",
    "tests/proof/test_invitation_races.py": "crew",
    "tests/proof/test_invitation_crash.py": "office",
    "tests/proof/test_code_races.py": "crew",
    "tests/proof/test_domain_races.py": "crew",
    "tests/proof/test_sso_races.py": "crew",
    "tests/proof/test_lti_races.py": "crew",
    "tests/proof/test_owner_races.py": "crew",
    "tests/proof/test_undo_races.py": "crew",
    "tests/proof/test_crash.py": "crew",
    "tests/proof/test_undo_crash.py": "crew",
    "tests/platform/test_serve.py": "serve",
    "tests/cli/test_cli_backup.py": "places",
    "tests/platform/test_migrate.py": "places",
}


class Shares(LoadScopeScheduling):  # type: ignore[misc]
    """Test by test to whichever worker is free, but those of ``ONE_WORKER`` together."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_WORKER.get(nodeid.partition("::")[0], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)


def pytest_configure(config: pytest.Config) -> None:
    # Every test client builds the middleware anew, and WhiteNoise would read 200 static files each time.
    settings.WHITENOISE_AUTOREFRESH = True
    config.addinivalue_line("markers", "real_cost: argon2id at its real cost; for tests that measure or count")


@pytest.fixture(autouse=True)
def cheap_hashing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One argon2id is 30 ms of a core; the suite makes thousands. Still argon2id, still one for every try."""
    if not request.node.get_closest_marker("real_cost") and request.node.path.name != "test_passwords.py":
        monkeypatch.setattr(passwords, "COST", LEAST)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every argon2id was asked for."""
    runs: list[str] = []
    real = passwords._argon2

    def counted(secret: str, salt: bytes, cost: passwords.Cost) -> str:
        runs.append(secret)
        return real(secret, salt, cost)

    monkeypatch.setattr(passwords, "_argon2", counted)
    return runs


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A Monday morning that lasts until the test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(db: None) -> World:
    return replay.world()


@pytest.fixture
def client_of(db: None) -> Callable[[Person], Client]:
    return signed_in


@pytest.fixture(scope="session")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Four processes on a database of their own, of the kind that the suite runs on."""
    with on_board(tmp_path_factory.mktemp("crew")) as crew:
        yield crew
