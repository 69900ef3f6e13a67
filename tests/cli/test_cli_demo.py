"""usher demo: three organisations made once, sign-ins that open, and a port that is asked for first."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from command import Usher
from django.db import connection
from django.test.utils import CaptureQueriesContext

from usher.cli import demo_data, serve
from usher.config import Config, config
from usher.core.checks import everything, run
from usher.events.models import Event
from usher.organizations.models import Organization
from usher.people.models import Account, GroupMembership, Membership


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Config]]:
    """The embedded default, whatever database this run of the suite has; serving only takes note."""
    served: list[Config] = []
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("USHER_DEMO", "0")
    monkeypatch.setenv("USHER_LISTEN", "127.0.0.1:8000")
    monkeypatch.setattr(serve, "run", served.append)
    config.cache_clear()
    yield served
    config.cache_clear()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_demonstration_is_made_once(db: None) -> None:
    demo_data.fill()
    counts = Account.objects.count(), Membership.objects.count(), Event.objects.count()
    with CaptureQueriesContext(connection) as queries:
        demo_data.fill()
    assert (Account.objects.count(), Membership.objects.count(), Event.objects.count()) == counts
    assert len(queries) == 4
    plans = {one.slug: one.license.plan_slug for one in Organization.objects.select_related("license")}
    assert plans == {"cedar": "school", "birch": "elearning", "maple-press": "marketing"}


def test_every_printed_sign_in_opens(db: None) -> None:
    demo_data.fill()
    assert demo_data.present() == list(demo_data.SIGN_INS)
    for one in demo_data.SIGN_INS:
        account = Account.objects.get(sign_in_key=one.sign_in)
        assert account.check_password(one.password), one
        assert not account.must_change_password, one
        assert account.username == one.name
        if one.place:
            member = Membership.objects.get(account=account, organization__slug=one.place)
            assert one.role.lower().startswith(member.role), one
        else:
            assert account.is_operator


def test_it_shows_what_there_is_to_see(db: None) -> None:
    demo_data.fill()
    assert run(everything()).ok
    cedar = Membership.objects.filter(organization__slug="cedar")
    assert cedar.filter(role="student", state="active").count() >= 35
    assert set(cedar.values_list("method", flat=True)) == {"operator", "csv_import", "bulk_accounts", "invite_code"}
    assert cedar.filter(state="inactive").count() == 1
    assert GroupMembership.objects.filter(right="manager", membership__in=cedar).count() == 1
    refused = Event.objects.filter(type="membership:refused").values_list("reason", flat=True)
    assert sorted(refused) == ["address_incomplete", "duplicate_in_file"]


def test_a_slug_that_somebody_has_is_left_alone(usher: Usher) -> None:
    usher("org", "create", "cedar", "--plan", "school", "--admin", "real@cedar.example")
    demo_data.fill()
    assert Membership.objects.get(organization__slug="cedar").account.email == "real@cedar.example"
    assert {one.place for one in demo_data.present()} == {"", "birch", "maple-press"}


def test_a_start_killed_half_way_is_made_good_by_the_next(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(demo_data.SIGN_INS[1], sign_in="somebody@else.example")
    with monkeypatch.context() as patch:
        patch.setattr(demo_data, "SIGN_INS", (demo_data.SIGN_INS[0], broken))
        with pytest.raises(StopIteration):
            demo_data.fill()
    assert not Organization.objects.exists()
    demo_data.fill()
    assert Organization.objects.count() == 3


def test_the_command_fills_prints_and_serves(usher: Usher, embedded: list[Config]) -> None:
    port = free_port()
    shown = usher("demo", "--listen", f"127.0.0.1:{port}")
    assert shown.code == 0, shown.err
    assert f"Open http://127.0.0.1:{port} in a browser." in shown.out
    assert f"read them at http://127.0.0.1:{port}/_mail/" in shown.out
    for one in demo_data.SIGN_INS:
        assert f"{one.sign_in}\t{one.password}" in shown.out
    (served,) = embedded
    assert served.demo
    assert (served.listen, os.environ["USHER_DEMO"]) == (f"127.0.0.1:{port}", "1")


def test_a_taken_port_is_said_before_anything_is_made(usher: Usher, embedded: list[Config]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = usher("demo", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (refused.code, refused.out) == (2, "")
    assert "cannot listen" in refused.err
    assert not Organization.objects.exists()
    assert embedded == []


def test_a_real_database_is_not_filled(usher: Usher, embedded: list[Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://usher@127.0.0.1/usher")
    monkeypatch.setenv("USHER_SECRET_KEY", "x" * 40)
    monkeypatch.setenv("USHER_PEPPER", "y" * 40)
    config.cache_clear()
    refused = usher("demo")
    assert refused.code == 2
    assert "embedded database" in refused.err
    assert not Organization.objects.exists()
