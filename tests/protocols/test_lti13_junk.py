"""Whatever a platform sends, signed or not: it is read, or refused with a reason. Nothing else is raised."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import evil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usher.protocols.lti13.ags import read_line_item, read_line_items, read_score_answer
from usher.protocols.lti13.errors import LtiError, ServiceError
from usher.protocols.lti13.launch import Expected, Launch, verify
from usher.protocols.lti13.nrps import read_page
from usher.protocols.lti13.registration import read_configuration, read_registration
from usher.protocols.lti13.services import next_page, read_token, retry_after

CAPTURES = Path(__file__).parent / "lti13_captures"
LAUNCHES = [json.loads((CAPTURES / f"{name}.json").read_text()) for name in ("launch-student", "deep-linking-request")]
CONFIGURATION = json.loads((CAPTURES / "configuration.json").read_text())
KEYS = ["id", "user_id", "members", "status", "roles", "scoreMaximum", "expires_in", "access_token", "error", "errors"]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner),
    max_leaves=8,
)


def spoiled(document: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The document with junk in one place of it, or in one place of what is in it."""
    name = data.draw(st.sampled_from(sorted(document)))
    inner = document[name]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        return {**document, name: spoiled(inner, data)}
    return {**document, name: data.draw(junk)}


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_signed_junk(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(LAUNCHES))
    expected = Expected(good["iss"], good["aud"], good["nonce"], good["iat"], "https://usher.example/launch")
    with suppress(LtiError):
        token = evil.raw_token(json.dumps(spoiled(good, data)).encode())
        assert isinstance(verify(token, evil.key_set(), expected), Launch)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_junk_for_a_configuration(data: st.DataObject) -> None:
    with suppress(LtiError):
        found = read_configuration(spoiled(CONFIGURATION, data), f"{CONFIGURATION['issuer']}/configuration")
        assert found.issuer == CONFIGURATION["issuer"]


@pytest.mark.parametrize(
    "read",
    [
        read_line_item,
        read_line_items,
        lambda body: read_page(body, None),
        lambda body: read_token(200, body, 0),
        lambda body: read_token(400, body, 0),
        lambda body: read_score_answer(400, {}, body),
    ],
)
@given(st.binary(max_size=50) | junk.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=60, deadline=None)
def test_junk_from_a_service(read: Callable[[bytes], object], body: bytes) -> None:
    with suppress(ServiceError):
        read(body)


@given(st.sampled_from([200, 201, 400]), st.binary(max_size=50) | junk.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=60, deadline=None)
def test_junk_for_a_registration(status: int, body: bytes) -> None:
    with pytest.raises(LtiError):  # a client_id does not come about by chance
        read_registration(status, body)


@given(st.text(max_size=60), st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_junk_in_headers(value: str, date: str) -> None:
    found = next_page(f"<{value}>; rel=next")
    assert found is None or found.startswith(("http://", "https://"))
    seconds = retry_after({"Retry-After": value, "Date": date})
    assert seconds is None or seconds >= 0
