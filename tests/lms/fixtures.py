"""The fixtures: ``lms`` is a Moodle that runs, ``make_lms("canvas")`` one more of any family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lms.platform import Lms
from lms.server import Server
from usher.core import documents

MakeLms = Callable[[str], Lms]


@pytest.fixture(scope="session")
def lms_servers() -> Iterator[list[Server]]:
    """Those that run; they and their keys serve every test of this process."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture
def make_lms(lms_servers: list[Server], settings: Any) -> Iterator[MakeLms]:
    """A fresh LMS at each call, each on a port of its own; Usher may ask 127.0.0.1."""
    settings.USHER_PRIVATE_HOSTS = ("127.0.0.1",)
    made: list[Lms] = []

    def make(family: str = "moodle") -> Lms:
        if len(made) == len(lms_servers):
            lms_servers.append(Server().start())
        server = lms_servers[len(made)]
        server.lms = Lms(server.url, family, number=len(made) + 1)
        made.append(server.lms)
        return server.lms

    documents.forget()
    yield make
    documents.forget()


@pytest.fixture
def lms(make_lms: MakeLms) -> Lms:
    return make_lms("moodle")
