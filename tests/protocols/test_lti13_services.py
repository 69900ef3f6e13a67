"""The services of a platform: tokens, grades and rosters, with everything that real ones do differently."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from usher.protocols.lti13 import ags, nrps, services
from usher.protocols.lti13.claims import AGS_SCOPES, SCOPE_NRPS
from usher.protocols.lti13.errors import ServiceError
from usher.protocols.lti13.keys import new_private_key, public_jwk, sign
from usher.protocols.oidc.keys import read_keys

CAPTURES = Path(__file__).parent / "lti13_captures"
NOW = 1_795_331_500.7
COLUMN = "https://moodle.school.example/mod/lti/services.php/2/lineitems/3/lineitem?type_id=2"
ROSTER = "https://moodle.school.example/mod/lti/services.php/CourseSection/2/bindings/2/memberships"


def answers(name: str) -> dict[str, dict[str, Any]]:
    """What Moodle answered, by its label."""
    return {one["label"]: one for one in json.loads((CAPTURES / f"{name}.json").read_text())}


def raw(answer: dict[str, Any]) -> bytes:
    body = answer["body"]
    return (body if isinstance(body, str) else json.dumps(body)).encode()


@cache
def private_key() -> str:
    return new_private_key()


# Keys


def test_the_public_key_has_no_secret_and_a_name() -> None:
    public = public_jwk(private_key())
    assert set(public) == {"kty", "n", "e", "kid", "use", "alg"}
    assert read_keys({"keys": [public]}).find(public["kid"], "RS256").kid == public["kid"]


def test_what_is_signed_another_library_believes() -> None:
    public = public_jwk(private_key())
    token = sign({"iss": "us"}, private_key())
    assert jwt.decode(token, jwt.PyJWK(public), algorithms=["RS256"]) == {"iss": "us"}
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": public["kid"]}


# Tokens


@pytest.mark.parametrize("audience", ["", "https://api.brightspace.com/auth/token"])
def test_token_request(audience: str) -> None:
    asked = services.token_request(
        token_url="https://lms.example/token", audience=audience, client_id="67fv", scopes=[*AGS_SCOPES, SCOPE_NRPS],
        private_key=private_key(), now=NOW, jti="once",
    )  # fmt: skip
    claims = jwt.decode(
        asked.form["client_assertion"], jwt.PyJWK(public_jwk(private_key())), algorithms=["RS256"],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert asked.url == "https://lms.example/token"
    assert claims == {
        "iss": "67fv", "sub": "67fv", "aud": audience or asked.url, "jti": "once",
        "iat": 1_795_331_490, "exp": 1_795_331_560,
    }  # fmt: skip
    assert asked.form["grant_type"] == "client_credentials"
    assert asked.form["scope"].split() == [*AGS_SCOPES, SCOPE_NRPS]
    assert asked.form["client_assertion"] not in repr(asked)


def test_the_token_of_moodle_though_it_is_called_html() -> None:
    answer = next(one for one in answers("token-answers").values() if one["status"] == 200)
    assert answer["content_type"].startswith("text/html")
    token = services.read_token(200, raw(answer), NOW)
    assert (token.value, token.expires_at) == ("0" * 32, NOW + 3600)
    assert set(token.scopes) >= set(AGS_SCOPES)
    assert "0" * 32 not in repr(token)


@pytest.mark.parametrize(
    ("label", "code", "said"),
    [
        ("token unknown scope", "invalid_scope", "“invalid_scope”"),
        ("token unknown client", "invalid_client", "“invalid_client”"),
        ("token bad signature", "token_refused", "Signature verification failed"),
        ("token unknown kid", "token_refused", "unable to lookup correct key"),  # it is no JSON
        ("token no kid", "token_refused", "kid must be provided"),
        ("iat in future 30s", "token_refused", "iat prior to"),
    ],
)
def test_refusals_of_moodle(label: str, code: str, said: str) -> None:
    answer = answers("token-answers")[label]
    with pytest.raises(ServiceError) as caught:
        services.read_token(answer["status"], raw(answer), NOW)
    assert (caught.value.code, caught.value.retry) == (code, False)
    assert said in caught.value.detail


@pytest.mark.parametrize(
    ("status", "body", "code", "retry"),
    [
        (404, b"<!DOCTYPE html><html>secret</html>", "token_refused", False),
        (429, b"", "throttled", True),
        (500, b"oops", "server_error", True),
        (503, b"", "server_error", True),
        (302, b"", "token_refused", False),
        (200, b"<html>", "bad_answer", False),
        (200, b"[]", "bad_answer", False),
        (200, b'{"access_token": ""}', "bad_answer", False),
        (200, b'{"access_token": 7}', "bad_answer", False),
        (200, b'{"access_token": "a\\r\\nHost: x"}', "bad_answer", False),
        (200, b"[" * 100_000, "bad_answer", False),
    ],
)
def test_answers_without_a_token(status: int, body: bytes, code: str, retry: bool) -> None:
    with pytest.raises(ServiceError) as caught:
        services.read_token(status, body, NOW)
    assert (caught.value.code, caught.value.retry) == (code, retry)
    assert "secret" not in caught.value.detail


def test_an_error_that_repeats_our_assertion_is_not_quoted() -> None:
    token = sign({"iss": "us"}, private_key())
    with pytest.raises(ServiceError) as caught:
        services.read_token(400, json.dumps({"error": f"bad {token} here"}).encode(), NOW)
    assert "“bad … here”" in caught.value.detail


@pytest.mark.parametrize(
    ("said", "life"), [('"900"', 900), ("900.5", 900.5), ("-1", 300), ('"soon"', 300), ("null", 300), ("1e300", 86_400)]
)
def test_the_life_of_a_token(said: str, life: float) -> None:
    assert services.read_token(201, f'{{"access_token":"t","expires_in":{said}}}'.encode(), 0).expires_at == life


# Pages and limits


def test_the_link_of_moodle() -> None:
    link = answers("line-items")["lineitems GET limit=1"]["link"]
    expected = "https://moodle.school.example/mod/lti/services.php/2/lineitems?type_id=2&limit=1&from=1"
    assert services.next_page(link) == expected
    assert services.next_page(link.encode("latin-1").decode()) == expected, "curly quotes as they were meant"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (None, None),
        ("", None),
        ("nonsense", None),
        ('<https://a.example/?p=2>; rel="next"', "https://a.example/?p=2"),
        ("<https://a.example/2>;rel=next", "https://a.example/2"),
        ('<https://a.example/1>; rel="prev", <https://a.example/3>; title="x"; rel="Next"', "https://a.example/3"),
        ('<https://a.example/1>; rel="first"', None),
        ('<https://a.example/9>; rel="nextish"', None),
        ('<javascript:alert(1)>; rel="next"', None),
    ],
)
def test_links(link: str | None, address: str | None) -> None:
    assert services.next_page(link) == address


@pytest.mark.parametrize(
    ("status", "headers", "throttled"),
    [
        (429, {}, True),
        (403, {"X-Rate-Limit-Remaining": "0.0"}, True),
        (403, {"x-rate-limit-remaining": "12.5"}, False),
        (403, {"x-rate-limit-remaining": "none"}, False),
        (403, {}, False),
        (200, {"X-Rate-Limit-Remaining": "0"}, False),
    ],
)
def test_throttling(status: int, headers: dict[str, str], throttled: bool) -> None:
    assert services.is_throttled(status, headers) is throttled


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"retry-after": "Sun, 22 Nov 2026 07:13:46 GMT", "Date": "Sun, 22 Nov 2026 07:13:16 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 07:13:46 GMT", "Date": "Sun, 22 Nov 2026 08:13:16 GMT"}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 07:13:46 -0000", "Date": "Sun, 22 Nov 2026 07:13:16 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 07:13:46 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert services.retry_after(headers) == seconds


# Grades


def test_scores_go_before_the_query() -> None:
    assert ags.sub_url(COLUMN, "scores") == COLUMN.replace("?", "/scores?")
    assert ags.sub_url("https://a.example/li/3/", "results") == "https://a.example/li/3/results"


def test_a_score() -> None:
    when = datetime(2026, 11, 22, 9, 34, 33, 500_999, timezone(timedelta(hours=2)))
    assert ags.score(user_id="6", given=10, maximum=20, timestamp=when) == {
        "userId": "6", "scoreGiven": 10, "scoreMaximum": 20, "activityProgress": "Completed",
        "gradingProgress": "FullyGraded", "timestamp": "2026-11-22T07:34:33.500Z",
    }  # fmt: skip


def test_a_score_for_each_family() -> None:
    def made(family: str) -> dict[str, Any]:
        when = datetime(2026, 11, 22, tzinfo=UTC)
        return ags.score(user_id="6", given=0, maximum=1, timestamp=when, comment="Good.\nVery.", family=family)

    assert made("canvas")["https://canvas.instructure.com/lti/submission"] == {"new_submission": False}
    assert "https://canvas.instructure.com/lti/submission" not in made("moodle")
    assert made("moodle")["comment"] == "Good.\nVery."
    assert made("BlackboardLearn")["comment"] == "Good.<br/>Very."


@pytest.mark.parametrize(("given", "maximum"), [(-1, 1), (1, 0), (float("nan"), 1), (1, float("inf"))])
def test_numbers_that_are_no_grade(given: float, maximum: float) -> None:
    with pytest.raises(ValueError, match="score"):
        ags.score(user_id="6", given=given, maximum=maximum, timestamp=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(ValueError, match="zone"):
        ags.score(user_id="6", given=1, maximum=1, timestamp=datetime(2026, 1, 1))  # noqa: DTZ001


def test_line_items() -> None:
    assert ags.line_item(label="Quiz", maximum=20, resource_id="q1") == {
        "label": "Quiz", "scoreMaximum": 20, "resourceId": "q1",
    }  # fmt: skip
    found = ags.read_line_items(raw(answers("line-items")["lineitems GET"]))
    assert found[0] == ags.LineItem(COLUMN, "Raw item", 20.0, "raw-1", "2", "t1")
    assert len(found) == 2
    assert ags.read_line_item(json.dumps({"id": COLUMN, "label": "Quiz"}).encode()).maximum is None


@pytest.mark.parametrize("body", [b"{}", b"<html>", b"", b'{"errors": []}'])
def test_no_line_items(body: bytes) -> None:
    for read in (ags.read_line_items, ags.read_line_item):
        with pytest.raises(ServiceError) as caught:
            read(body)
        assert caught.value.code == "bad_answer"


def test_the_exact_media_types() -> None:
    constants = [ags.ACCEPT_LINE_ITEM, ags.ACCEPT_LINE_ITEMS, ags.ACCEPT_RESULTS, ags.CONTENT_SCORE, nrps.ACCEPT]
    assert all(one.startswith("application/vnd.ims.") and one.endswith("+json") for one in constants)


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("score POST final 15/20", None),
        ("score POST stale timestamp", "conflict"),
        ("score POST for unknown user", "unknown_user"),
        ("score POST for teacher", "unknown_user"),
        ("score POST content-type application/json", "refused"),
    ],
)
def test_score_answers_of_moodle(label: str, code: str | None) -> None:
    answer = answers("score-answers")[label]
    assert scored(answer["status"], raw(answer)) == (code, False)


@pytest.mark.parametrize(
    ("status", "headers", "body", "code", "retry"),
    [
        (204, {}, "", None, False),
        (401, {}, {"errors": {"message": "Invalid access token"}}, "unauthorized", False),
        (403, {"X-Rate-Limit-Remaining": "0"}, "", "throttled", True),
        (429, {}, "", "throttled", True),
        (502, {}, "<html>", "server_error", True),
        (400, {}, {"errors": {"message": "Provided timestamp is older"}}, "conflict", False),
        (422, {}, {"errors": {"message": "User not found in course or is not a student"}}, "unknown_user", False),
        (400, {}, {"message": "User could not be found: 5"}, "unknown_user", False),
        (403, {}, "User in requested score is not enrolled in the org unit", "unknown_user", False),
        (404, {}, {"errors": [{"message": "The specified resource does not exist."}]}, "not_found", False),
        (404, {}, "", "not_found", False),
        (403, {}, {"errors": {"message": "no"}}, "refused", False),
        (422, {}, {"errors": [{"message": "This assignment is still unpublished"}]}, "refused", False),
    ],
)
def test_score_answers_of_others(
    status: int, headers: dict[str, str], body: Any, code: str | None, retry: bool
) -> None:
    sent = body if isinstance(body, str) else json.dumps(body)
    assert scored(status, sent.encode(), headers) == (code, retry)


def scored(status: int, body: bytes, headers: dict[str, str] | None = None) -> tuple[str | None, bool]:
    """The code of the refusal, None without one, and whether another try is worth it."""
    try:
        ags.read_score_answer(status, headers or {}, body)
    except ServiceError as error:
        return error.code, error.retry
    return None, False


# Rosters


def test_where_a_roster_begins() -> None:
    assert nrps.first_url(ROSTER) == f"{ROSTER}?limit=1000"
    asked = parse_qs(urlsplit(nrps.first_url("https://a.example/m?school=7", limit=50, rlid="l 1")).query)
    assert asked == {"school": ["7"], "limit": ["50"], "rlid": ["l 1"]}


def test_the_roster_of_moodle() -> None:
    page = nrps.read_page(raw(answers("rosters")["NRPS GET"]), None)
    assert (page.context_id, page.context_title, page.next) == ("2", "LTI test course", None)
    assert page.members[3] == nrps.Member(
        "6", "Active", ("Learner",), "Åsa Öberg", "Åsa", "Öberg", "student2@school.example"
    )
    assert [one.subject for one in page.members] == ["4", "3", "5", "6"]


def test_a_page_of_a_roster() -> None:
    answer = answers("rosters")["NRPS GET limit=1"]
    following = services.next_page(answer["link"])
    assert nrps.read_page(raw(answer), following).next == f"{ROSTER}?limit=1&from=1"


def test_a_roster_without_names() -> None:
    page = nrps.read_page(raw(answers("rosters")["NRPS private"]), None)
    assert {(one.name, one.email) for one in page.members} == {("", "")}
    assert all(one.subject and one.roles for one in page.members)


@pytest.mark.parametrize(
    ("said", "status"), [(None, "Active"), ("", "Active"), ("Inactive", "Inactive"), ("deleted", "Deleted")]
)
def test_statuses(said: str | None, status: str) -> None:
    body = json.dumps({"members": [{"user_id": "5", "status": said}]}).encode()
    assert nrps.read_page(body, None).members == [nrps.Member("5", status, (), "", "", "", "")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<!DOCTYPE html><html></html>",
        b'{"status": 401, "reason": "Unauthorized"}',
        b'{"context": {"id": "2"}}',
        b'{"members": null}',
        b'{"members": {}}',
        b'{"members": [{"user_id": "5"}, {"name": "Without id"}]}',
        b'{"members": [{"user_id": "5"}, null]}',
        b'{"members": [{"user_id": 5}]}',
        b'{"members": [{"user_id": "5", "status": "Gone fishing"}]}',
        b'{"members": [{"user_id": "5"}',
        b'{"members": [{"user_id": "5"}], "members": []}',
        b'{"members": [{"user_id": "' + b"5" * 256 + b'"}]}',
    ],
)
def test_what_is_no_whole_roster_removes_nobody(body: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        nrps.read_page(body, None)
    assert caught.value.code == "bad_roster"


def test_an_empty_roster_is_one() -> None:
    """What follows from it, the caller decides."""
    assert nrps.read_page(b'{"members": []}', None).members == []
