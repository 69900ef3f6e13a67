"""Logs: JSON with the request's id, one line for each request; no secret and no path of a request in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from logging.config import dictConfig
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from structlog.stdlib import ProcessorFormatter
from world import World, signed_in

TOKEN = "kEEp-mE-oUt-of-the-log-0123456789"


def break_down(_request: HttpRequest, token: str) -> HttpResponse:
    raise RuntimeError(f"broke down with {len(token)} characters")


urlpatterns = [path("set-up/<str:token>", break_down)]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What our own handlers write, in place of stderr."""
    dictConfig(settings.LOGGING)
    ours = [one for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)]
    ours += logging.getLogger("usher.request").handlers
    written = StringIO()
    streams = [(one, one.setStream(written)) for one in ours if isinstance(one, logging.StreamHandler)]
    assert len(streams) == 2
    yield written
    for one, before in streams:
        one.setStream(before)


def lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_is_json_with_what_is_bound_and_without_secrets(log: StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc12345"):
        structlog.get_logger("usher.test").warning("tried", password="hush", set_up_token="hush", rows=3)
    (line,) = lines(log)
    assert (line["event"], line["level"], line["request_id"], line["rows"]) == ("tried", "warning", "abc12345", 3)
    assert "hush" not in json.dumps(line)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_a_failed_request_is_logged_by_its_route(log: StringIO) -> None:
    response = Client(raise_request_exception=False).get(f"/set-up/{TOKEN}")
    assert response.status_code == 500
    line, told = lines(log)
    assert (told["event"], told["status"], told["route"]) == ("request", 500, "/set-up/<str:token>")
    assert line["event"] == "Internal Server Error: set-up/<str:token>"
    assert line["request_id"] == response["X-Request-ID"]
    assert "RuntimeError: broke down" in line["exception"]
    assert TOKEN not in json.dumps(line)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_a_page_that_is_not_there_is_one_line_without_what_was_asked_for(log: StringIO) -> None:
    assert Client().get(f"/o/{TOKEN}/nowhere?code={TOKEN}").status_code == 404
    (line,) = lines(log)
    assert (line["event"], line["route"], line["status"]) == ("request", "no such page", 404)
    assert TOKEN not in log.getvalue()


def test_a_request_is_one_line_that_says_who_and_where(log: StringIO, world: World) -> None:
    client = signed_in(world.ada)
    log.truncate(0)
    response = client.get("/o/cedar/users?q=Tom+Teacher")
    assert response.status_code == 200
    (line,) = lines(log)
    assert line.pop("ms") >= 0
    assert set(line) - {"timestamp", "logger", "level"} == {
        "event", "route", "method", "status", "request_id", "account", "organization",
    }  # fmt: skip
    assert (line["route"], line["method"], line["status"]) == ("/o/<slug:slug>/users", "GET", 200)
    assert (line["account"], line["organization"]) == (str(world.ada.account_id), "cedar")
    assert line["request_id"] == response["X-Request-ID"]
    assert "Tom" not in log.getvalue()


def test_who_nobody_asked_for_is_not_looked_up_for_the_log(log: StringIO, world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        Client().get("/nowhere", headers={"host": "127.0.0.1"})
    assert [query["sql"] for query in queries] == []
    assert "account" not in lines(log)[-1]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/static/favicon.svg"])
def test_probes_and_static_files_leave_no_line(log: StringIO, path: str) -> None:
    Client().get(path).close()
    assert lines(log) == []


def test_what_is_typed_never_gets_into_the_log(log: StringIO, world: World) -> None:
    """Names, passwords, codes, tokens: in an address, behind the question mark, in a form and in headers."""
    client = Client(headers={"user-agent": TOKEN, "referer": f"https://x.example/{TOKEN}", "authorization": TOKEN})
    client.cookies["usher_session"] = TOKEN
    form = {"login": TOKEN, "password": TOKEN, "name": TOKEN, "code": TOKEN, "next": f"/{TOKEN}"}
    for where in ("/", f"/set-up/{TOKEN}", f"/o/{TOKEN[:30]}/sign-in", "/o/cedar/sign-in", f"/join/{TOKEN}", "/join"):
        client.get(f"{where}?next={TOKEN}")
        client.post(where, form)
    client.generic(TOKEN.upper()[:20], "/")
    assert len(lines(log)) >= 12
    assert [line for line in log.getvalue().splitlines() if TOKEN[:20].lower() in line.lower()] == []
