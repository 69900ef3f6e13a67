"""Around every request: whose address we believe, ids, refusals as pages or JSON, uploads that stay in memory."""

from __future__ import annotations

import io
import json

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from usher.core.errors import UsherError
from usher.core.middleware import Errors, RequestContext, client_ip
from usher.core.reasons import Reason

PROXY, CALLER, LIE = "10.0.0.7", "203.0.113.9", "198.51.100.1"


@pytest.mark.parametrize(
    ("hops", "forwarded", "believed"),
    [
        (0, None, PROXY),
        (0, CALLER, PROXY),
        (1, None, PROXY),
        (1, CALLER, CALLER),
        (1, f"{LIE}, {CALLER}", CALLER),
        (2, f"{LIE}, {CALLER}, 10.0.0.8", CALLER),
        (2, CALLER, PROXY),
        (1, f"{CALLER}:4711", CALLER),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:DB8:0::1", "2001:db8::1"),
        (1, f"::ffff:{CALLER}", CALLER),
        (1, "unknown", PROXY),
        (1, "", PROXY),
    ],
)
def test_only_our_own_proxies_are_believed(
    hops: int, forwarded: str | None, believed: str, settings: LazySettings
) -> None:
    settings.USHER_TRUSTED_PROXY_HOPS = hops
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert client_ip(RequestFactory(headers=headers).get("/", REMOTE_ADDR=PROXY)) == believed


def answered(request: HttpRequest) -> HttpResponse:
    response = RequestContext(lambda _request: HttpResponse("page"))(request)
    assert isinstance(response, HttpResponse)
    return response


@pytest.mark.parametrize(("hops", "kept"), [(0, False), (1, True)])
def test_a_request_id_is_taken_from_our_proxy_only(hops: int, kept: bool, settings: LazySettings) -> None:
    settings.USHER_TRUSTED_PROXY_HOPS = hops
    response = answered(RequestFactory(headers={"x-request-id": "from-the-proxy"}).get("/"))
    assert (response["X-Request-ID"] == "from-the-proxy") is kept
    assert len(response["X-Request-ID"]) >= 8


def test_a_request_id_cannot_smuggle_a_line_into_the_log(settings: LazySettings) -> None:
    settings.USHER_TRUSTED_PROXY_HOPS = 1
    response = answered(RequestFactory().get("/", HTTP_X_REQUEST_ID='x" level="info'))
    assert '"' not in response["X-Request-ID"]


@pytest.mark.parametrize(("path", "kept"), [("/", "no-store, private"), ("/static/usher.css", None)])
def test_pages_are_kept_by_nobody(path: str, kept: str | None) -> None:
    assert answered(RequestFactory().get(path)).get("Cache-Control") == kept


def test_a_page_may_say_how_it_is_kept() -> None:
    response = RequestContext(lambda _: HttpResponse(headers={"Cache-Control": "max-age=60"}))(
        RequestFactory().get("/")
    )
    assert response["Cache-Control"] == "max-age=60"


REFUSAL = UsherError(Reason.NAME_MISSING(column="username"), Reason.FILE_EMPTY())


def test_machines_get_every_finding_as_json() -> None:
    request = RequestFactory(headers={"accept": "application/json"}).get("/")
    response = Errors(lambda _: HttpResponse()).process_exception(request, REFUSAL)
    assert response is not None
    assert response.status_code == 400
    first, second = json.loads(response.content)["errors"]
    assert (first["code"], first["column"], first["sentence"]) == ("name_missing", "username", "The name is missing.")
    assert second["code"] == "file_empty"
    assert "column" not in second


def test_people_get_every_sentence_on_a_page() -> None:
    request = RequestFactory(headers={"accept": "text/html,*/*"}).get("/")
    response = Errors(lambda _: HttpResponse()).process_exception(request, REFUSAL)
    assert response is not None
    assert response.status_code == 400
    assert b"The name is missing." in response.content
    assert b"The file is empty." in response.content


def test_other_mistakes_are_not_dressed_up() -> None:
    assert Errors(lambda _: HttpResponse()).process_exception(RequestFactory().get("/"), KeyError("x")) is None


@pytest.mark.parametrize(("size", "kept"), [(0, 0), (99, 99), (100, 100), (101, 101), (5_000_000, 101)])
def test_an_upload_stays_in_memory_and_too_much_is_dropped(size: int, kept: int, settings: LazySettings) -> None:
    settings.USHER_IMPORT_MAX_BYTES = 100
    file = io.BytesIO(b"x" * size)
    file.name = "people.csv"
    upload = RequestFactory().post("/", {"file": file}).FILES["file"]
    assert isinstance(upload, InMemoryUploadedFile)
    assert upload.size == size
    assert len(upload.read()) == kept
