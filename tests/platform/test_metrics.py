"""/metrics: who may see it, what it counts, and that nothing of a visitor gets into it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crew import own_environment
from django.conf import LazySettings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from world import World

from usher.core import clock, work
from usher.core.limits import SIGN_IN_ACCOUNT
from usher.core.retry import retrying
from usher.people.models import HashBatch

TOKEN = "a-token-for-prometheus-of-32-characters"
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
STATES = ("due", "waiting", "in_hand", "dead")


def ask(address: str = HERE, **headers: str) -> Any:
    return Client(REMOTE_ADDR=address, headers=headers).get("/metrics")


def value(name: str, **labels: str) -> float:
    """The number of one row; 0 when it is not there."""
    response = ask()
    assert response.status_code == 200
    for line in response.content.decode().splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0.0


# Who may see it


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        (HERE, {}, 200),
        ("::1", {}, 200),
        (ELSEWHERE, {}, 404),
        ("", {}, 404),
        (HERE, {"x-forwarded-for": ELSEWHERE}, 404),
        (HERE, {"x-forwarded-for": ""}, 404),
        (HERE, {"forwarded": f"for={ELSEWHERE}"}, 404),
        (HERE, {"x-real-ip": ELSEWHERE}, 404),
        (HERE, {"authorization": "Bearer "}, 200),
        (ELSEWHERE, {"authorization": "Bearer "}, 404),
    ],
)
def test_without_a_token_only_this_machine_sees_it(address: str, headers: dict[str, str], status: int) -> None:
    assert ask(address, **headers).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "value"), [("USHER_TRUSTED_PROXY_HOPS", 1), ("SESSION_COOKIE_SECURE", True)])
def test_where_a_proxy_is_known_of_a_token_is_needed(settings: LazySettings, name: str, value: object) -> None:
    setattr(settings, name, value)
    assert ask().status_code == 404
    settings.USHER_METRICS_TOKEN = TOKEN
    assert ask().status_code == 404
    assert ask(authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"),
    [(f"Bearer {TOKEN}", 200), (TOKEN, 404), (f"Bearer {TOKEN}x", 404), (f"Basic {TOKEN}", 404), ("Bearer é", 404)],
)
def test_a_token_opens_it_from_anywhere(settings: LazySettings, given: str, status: int) -> None:
    settings.USHER_METRICS_TOKEN = TOKEN
    assert ask(ELSEWHERE, authorization=given, **{"x-forwarded-for": ELSEWHERE}).status_code == status


# What it counts


def test_requests_are_counted_by_route(world: World) -> None:
    labels = {"route": "/o/<slug:slug>/sign-in", "method": "GET", "status": "2xx"}
    before = value("usher_request_seconds_count", **labels)
    for _ in range(3):
        Client().get("/o/cedar/sign-in")
    assert value("usher_request_seconds_count", **labels) == before + 3


@pytest.mark.django_db
def test_a_visitor_cannot_make_new_rows() -> None:
    canary = "kEEp-mE-oUt-0123456789"
    client = Client(REMOTE_ADDR=HERE)
    for ask_for in (f"/{canary}", f"/set-up/{canary}", f"/?next={canary}", f"/static/{canary}"):
        client.get(ask_for)
    client.generic(canary.replace("-", "").upper(), "/")
    text = ask().content.decode()
    assert canary not in text
    assert 'method="other"' in text
    assert 'route="no such page"' in text
    assert canary.replace("-", "").upper() not in text


@pytest.mark.django_db(transaction=True)
def test_sign_ins_and_who_came_in_are_counted(world: World) -> None:
    good = {"type": "account:signed_in", "method": ""}
    bad = {"limit": SIGN_IN_ACCOUNT.name}
    before = value("usher_events_total", **good), value("usher_limit_counts_total", **bad)
    client = Client(REMOTE_ADDR=HERE)
    client.post("/", {"name": world.tom.account.sign_in, "password": "wrong"})
    client.post("/", {"name": world.tom.account.sign_in, "password": world.tom.password})
    assert value("usher_events_total", **good) == before[0] + 1
    assert value("usher_limit_counts_total", **bad) == before[1] + 1


@pytest.mark.django_db
def test_work_that_waits_is_told_by_kind() -> None:
    ids = {"first_id": "00000000-0000-7000-8000-000000000000", "last_id": "00000000-0000-7000-8000-000000000001"}
    past = clock.now() - timedelta(minutes=1)
    HashBatch.objects.create(**ids, run_at=past, failure="broken")
    HashBatch.objects.create(**ids, run_at=clock.now() + work.LEASE)
    kind = {"kind": "people.hashbatch"}
    assert value("usher_work_waiting", **kind) == 2
    assert value("usher_work_failing", **kind) == 1
    assert 60 <= value("usher_work_oldest_seconds", **kind) < 70
    HashBatch.objects.create(**ids, run_at=clock.now() + work.KEPT, dead_at=clock.now(), failure="broken")
    assert [value("usher_work_items", **kind, state=one) for one in STATES] == [1, 1, 0, 1]
    assert (value("usher_work_waiting", **kind), value("usher_work_failing", **kind)) == (2, 1)
    HashBatch.objects.all().delete()
    assert value("usher_work_oldest_seconds", **kind) == 0


def break_down(_request: HttpRequest) -> HttpResponse:
    raise OperationalError("the disk is full")


urlpatterns = [path("broken", break_down)]


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_errors_of_the_database_are_counted() -> None:
    before = value("usher_database_errors_total", error="OperationalError")
    assert Client(raise_request_exception=False).get("/broken").status_code == 500
    assert value("usher_database_errors_total", error="OperationalError") == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_passed_is_counted_too() -> None:
    tries = iter([OperationalError("database is locked")])

    @retrying
    def transact() -> str:
        for error in tries:
            raise error
        return "done"

    before = value("usher_database_errors_total", error="OperationalError")
    assert transact() == "done"
    assert value("usher_database_errors_total", error="OperationalError") == before + 1


# Several processes

FORKS = """
import os, sys
from pathlib import Path
import django
django.setup()
from usher.core import metrics, scrape
from usher.core.limits import COUNTED
COUNTED.labels("before").inc()
stale = Path(sys.argv[1]) / "999999"
stale.mkdir(parents=True)
metrics.share(Path(sys.argv[1]))
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        for _ in range(5):
            COUNTED.labels("here").inc()
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
COUNTED.labels("here").inc()
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry, path=os.environ[metrics.FOLDER])
print(generate_latest(registry).decode(), stale.exists(), oct(Path(os.environ[metrics.FOLDER]).stat().st_mode))
"""


def test_processes_count_together_also_when_one_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKS, str(tmp_path / "metrics")]
    done = subprocess.run(command, env=own_environment(tmp_path), capture_output=True, text=True, check=True)
    assert 'usher_limit_counts_total{limit="here"} 16.0' in done.stdout
    assert 'limit="before"' not in done.stdout
    assert done.stdout.split()[-2:] == ["False", "0o40700"]
