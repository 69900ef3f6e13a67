"""Limits: failures that are counted once each, drain with time, and are stored under a keyed hash."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from usher.core import limits
from usher.core.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, Limit, forget_drained, network_of
from usher.core.models import Bucket

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
THREE = Limit("three", capacity=3, refill_seconds=60)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def fill(limit: Limit, who: str, times: int) -> None:
    for _ in range(times):
        limit.add(who)


@pytest.mark.django_db
def test_nobody_is_stopped_before_the_last_try(clock: time_machine.Traveller) -> None:
    for _ in range(3):
        assert not THREE.is_full("ada")
        assert THREE.wait_minutes("ada") == 0
        THREE.add("ada")
    assert THREE.is_full("ada")
    assert THREE.wait_minutes("ada") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "full", "minutes"),
    [(0, True, 1), (1, True, 1), (59, True, 1), (60, False, 0), (3600, False, 0)],
)
def test_one_more_for_every_refill(clock: time_machine.Traveller, seconds: int, full: bool, minutes: int) -> None:
    fill(THREE, "ada", 3)
    clock.shift(seconds)
    assert (THREE.is_full("ada"), THREE.wait_minutes("ada")) == (full, minutes)


@pytest.mark.django_db
def test_after_one_refill_there_is_one_try_and_after_all_there_are_all(clock: time_machine.Traveller) -> None:
    fill(THREE, "ada", 3)
    clock.shift(60)
    THREE.add("ada")
    assert THREE.is_full("ada")
    clock.shift(180)
    fill(THREE, "ada", 2)
    assert not THREE.is_full("ada")
    THREE.add("ada")
    assert THREE.is_full("ada")


@pytest.mark.django_db
def test_who_keeps_trying_does_not_lock_the_owner_out_for_longer(clock: time_machine.Traveller) -> None:
    fill(THREE, "ada", 50)
    assert THREE.wait_minutes("ada") == 1
    clock.shift(60)
    assert not THREE.is_full("ada")


@pytest.mark.django_db
def test_a_clock_that_is_behind_neither_drains_nor_fills(clock: time_machine.Traveller) -> None:
    wide = Limit("wide", capacity=100, refill_seconds=60)
    fill(wide, "ada", 2)
    clock.shift(-3600)
    assert not wide.is_full("ada")
    wide.add("ada")
    bucket = Bucket.objects.get()
    assert (bucket.level, bucket.updated_at) == (3, START.timestamp())


@pytest.mark.django_db
def test_everyone_and_every_limit_has_a_bucket_of_its_own(clock: time_machine.Traveller) -> None:
    fill(THREE, "ada", 3)
    assert not THREE.is_full("bob")
    assert not Limit("other", 3, 60).is_full("ada")


@pytest.mark.django_db
def test_who_it_is_can_be_read_from_no_row(settings: Settings) -> None:
    settings.USHER_PEPPER = ["a" * 32]
    THREE.add("ada@cedar.example")
    settings.USHER_PEPPER = ["b" * 32]
    THREE.add("ada@cedar.example")
    keys = list(Bucket.objects.values_list("key", flat=True))
    assert len(set(keys)) == 2
    assert all(len(key) == 64 for key in keys)


@pytest.mark.django_db
def test_one_query_each(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(2):
        with django_assert_num_queries(1):
            THREE.add("ada")
        with django_assert_num_queries(1):
            THREE.is_full("ada")


@pytest.mark.django_db
def test_a_name_that_is_no_text_is_counted_too() -> None:
    fill(THREE, "\ud800\0'", 3)
    assert THREE.is_full("\ud800\0'")


@pytest.mark.django_db(transaction=True)
def test_no_failure_is_lost_between_sixteen_threads() -> None:
    wide = Limit("wide", capacity=1000, refill_seconds=1e9)

    def ten_failures(_: int) -> None:
        fill(wide, "ada", 10)
        connection.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ten_failures, range(16)))
    assert Bucket.objects.get().level == pytest.approx(160, abs=1e-3)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_the_last_at_once_one_gets_it() -> None:
    few = Limit("few", capacity=5, refill_seconds=1e9)

    def take(_: int) -> int:
        taken = sum(len(few.take(["ada", "bob"])) for _ in range(3))
        connection.close()
        return taken

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(16))) == 10
    assert few.free_of(["ada", "bob", "eve"]) == {"ada": 0, "bob": 0, "eve": 5}


@pytest.mark.django_db
def test_whoever_wants_more_than_is_left_gets_nothing(clock: time_machine.Traveller) -> None:
    few = Limit("few", capacity=5, refill_seconds=60)
    assert few.take(["ada"], 6) == set()
    assert (few.take(["ada"], 4), few.take(["ada"], 2)) == ({"ada"}, set())
    assert few.free("ada") == 1
    clock.shift(timedelta(seconds=60))
    assert few.take(["ada"], 2) == {"ada"}


@pytest.mark.django_db
def test_only_what_has_run_dry_is_forgotten(clock: time_machine.Traveller) -> None:
    SIGN_IN_ADDRESS.add("192.0.2.1")
    clock.shift(timedelta(hours=49))  # the slowest of them drains in two days
    fill(SIGN_IN_ACCOUNT, "ada", 100)
    clock.shift(timedelta(seconds=1))
    assert forget_drained() == 1
    assert SIGN_IN_ACCOUNT.is_full("ada")


def test_an_account_has_at_most_a_hundred_at_once_and_twenty_an_hour() -> None:
    assert SIGN_IN_ACCOUNT.capacity <= 100  # NIST SP 800-63B
    assert 3600 / SIGN_IN_ACCOUNT.refill_seconds == 20


def test_a_class_behind_one_address_has_ten_tries_each() -> None:
    assert SIGN_IN_ADDRESS.capacity >= 30 * 10
    assert SIGN_IN_ADDRESS.drain_seconds == 15 * 60


def test_all_limits_are_on_the_page_under_names_of_their_own() -> None:
    named = [limit for limit in vars(limits).values() if isinstance(limit, Limit)]
    assert list(limits.LIMITS) == named
    assert len({limit.name for limit in named}) == len(named)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_what_is_counted_for_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
