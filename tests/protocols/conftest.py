"""Applications at the identity providers of the tests."""

from __future__ import annotations

import pytest
from relying import Client
from standins import StandIns


@pytest.fixture
def platform(idp: StandIns) -> Client:
    return Client(idp, "platform", idp.authority("organizations"))


@pytest.fixture
def cedar(idp: StandIns) -> Client:
    return Client(idp, "cedar", idp.authority("cedar"))


@pytest.fixture
def google(idp: StandIns) -> Client:
    return Client(idp, "google", idp.google)


@pytest.fixture
def plain(idp: StandIns) -> Client:
    return Client(idp, "plain", idp.plain)


@pytest.fixture(params=["platform", "google", "plain"])
def any_client(request: pytest.FixtureRequest) -> Client:
    client: Client = request.getfixturevalue(request.param)
    return client


@pytest.fixture
def login(any_client: Client) -> str:
    return "kim" if any_client.app == "plain" else "tom"
