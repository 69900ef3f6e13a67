"""Logs: JSON with the request's id; no secret and no path of a request in it."""

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
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from structlog.stdlib import ProcessorFormatter

TOKEN = "kEEp-mE-oUt-of-the-log-0123456789"


def break_down(_request: HttpRequest, token: str) -> HttpResponse:
    raise RuntimeError(f"broke down with {len(token)} characters")


urlpatterns = [path("set-up/<str:token>", break_down)]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What our own handler writes, in place of stderr."""
    dictConfig(settings.LOGGING)
    (handler,) = [one for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)]
    assert isinstance(handler, logging.StreamHandler)
    written = StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


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
    (line,) = lines(log)
    assert line["event"] == "Internal Server Error: set-up/<str:token>"
    assert line["request_id"] == response["X-Request-ID"]
    assert "RuntimeError: broke down" in line["exception"]
    assert TOKEN not in json.dumps(line)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_a_page_that_is_not_there_is_no_news(log: StringIO) -> None:
    assert Client().get("/nowhere").status_code == 404
    assert lines(log) == []
