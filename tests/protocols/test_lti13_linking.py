"""Choosing something for a course (Deep Linking 2.0), and connecting by a link (Dynamic Registration 1.0)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from usher.protocols.lti13 import claims as names
from usher.protocols.lti13.deep_linking import ContentItem, response
from usher.protocols.lti13.errors import LtiError
from usher.protocols.lti13.launch import DeepLinkingSettings
from usher.protocols.lti13.registration import (
    PlatformConfiguration,
    Registered,
    read_configuration,
    read_registration,
    registration_request,
)

CAPTURES = Path(__file__).parent / "lti13_captures"
CONFIGURATION_URL = "https://moodle.school.example/mod/lti/openid-configuration.php"
SETTINGS = DeepLinkingSettings(
    "https://moodle.school.example/return", ("ltiResourceLink",), ("iframe",), True, None, False, "", "", None
)
ITEM = ContentItem("Quiz", "Ten questions", "https://usher.example/launch")
GRADED = replace(ITEM, score_maximum=20.0, label="Quiz grade", resource_id="q1", custom={"item": "1"})


def capture(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text())
    return read


def responded(settings: DeepLinkingSettings, *items: ContentItem, **more: str) -> dict[str, Any]:
    return response(
        settings, client_id="67fv", issuer="https://moodle.school.example", deployment_id="2", items=items,
        nonce="once", now=1_795_331_275.9, **more,
    )  # fmt: skip


# Deep linking


def test_the_claims_of_a_response() -> None:
    assert responded(SETTINGS, ITEM) == {
        "iss": "67fv",
        "aud": "https://moodle.school.example",
        "iat": 1_795_331_265,
        "exp": 1_795_331_575,
        "nonce": "once",
        names.MESSAGE_TYPE: "LtiDeepLinkingResponse",
        names.VERSION: "1.3.0",
        names.DEPLOYMENT_ID: "2",
        names.CONTENT_ITEMS: [
            {
                "type": "ltiResourceLink",
                "title": "Quiz",
                "text": "Ten questions",
                "url": "https://usher.example/launch",
            }
        ],
    }


@pytest.mark.parametrize("data", ["", "opaque ü {}", "a.b.c"])
def test_data_goes_back_as_it_came(data: str) -> None:
    assert responded(replace(SETTINGS, data=data))[names.DATA] == data


def test_what_is_told() -> None:
    made = responded(SETTINGS, message="Done.", log="one item")
    assert (made[names.MESSAGE], made[names.LOG], made[names.CONTENT_ITEMS]) == ("Done.", "one item", [])


@pytest.mark.parametrize("accepted", [None, True])
def test_a_grade_column(accepted: bool | None) -> None:
    item = responded(replace(SETTINGS, accept_lineitem=accepted), GRADED)[names.CONTENT_ITEMS][0]
    assert item["lineItem"] == {"scoreMaximum": 20.0, "label": "Quiz grade", "resourceId": "q1"}
    assert item["custom"] == {"item": "1"}


def test_no_grade_column_where_none_is_taken() -> None:
    assert "lineItem" not in responded(replace(SETTINGS, accept_lineitem=False), GRADED)[names.CONTENT_ITEMS][0]


@pytest.mark.parametrize(
    ("settings", "items", "code"),
    [
        (replace(SETTINGS, accept_multiple=False), (ITEM, ITEM), "too_many_items"),
        (replace(SETTINGS, accept_types=("link", "html")), (ITEM,), "type_not_accepted"),
    ],
)
def test_what_the_platform_does_not_take(settings: DeepLinkingSettings, items: Any, code: str) -> None:
    with pytest.raises(LtiError) as caught:
        responded(settings, *items)
    assert caught.value.code == code


# Registration


def configured(**changes: Any) -> PlatformConfiguration:
    """Moodle's document with changes; None takes a member away."""
    document = {name: value for name, value in {**capture("configuration"), **changes}.items() if value is not None}
    return read_configuration(document, CONFIGURATION_URL)


def requested(configuration: PlatformConfiguration) -> dict[str, Any]:
    return registration_request(
        name="Usher", base_url="https://usher.example", login_url="https://usher.example/login",
        launch_url="https://usher.example/launch", jwks_uri="https://usher.example/keys",
        logo_uri="https://usher.example/logo.png", description="Usher", domain="usher.example",
        configuration=configuration,
    )  # fmt: skip


def test_the_configuration_of_moodle() -> None:
    found = configured()
    assert found.issuer == "https://moodle.school.example"
    assert found.jwks_uri == "https://moodle.school.example/mod/lti/certs.php"
    assert found.messages_supported == ("LtiResourceLinkRequest", "LtiDeepLinkingRequest")
    assert (found.family, found.placements, found.authorization_server) == ("moodle", ("ContentArea",), "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": None}, "bad_configuration"),
        ({"issuer": "moodle"}, "bad_configuration"),
        ({"issuer": "https://evil.example"}, "wrong_issuer"),
        ({"issuer": "http://moodle.school.example"}, "wrong_issuer"),
        ({"authorization_endpoint": None}, "bad_configuration"),
        ({"token_endpoint": ""}, "bad_configuration"),
        ({"jwks_uri": "file:///etc/passwd"}, "bad_configuration"),
        ({"jwks_uri": "http://moodle.school.example/keys"}, "bad_configuration"),
        ({"registration_endpoint": None}, "bad_configuration"),
        ({"id_token_signing_alg_values_supported": ["ES256"]}, "wrong_algorithm"),
        ({"id_token_signing_alg_values_supported": None}, "wrong_algorithm"),
        ({names.PLATFORM_CONFIGURATION: None}, "bad_configuration"),
    ],
)
def test_bad_configurations(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(LtiError) as caught:
        configured(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize("document", [None, [], "text", {}])
def test_no_configuration(document: object) -> None:
    with pytest.raises(LtiError) as caught:
        read_configuration(document, CONFIGURATION_URL)
    assert caught.value.code == "bad_configuration"


def test_a_platform_without_tls_may_be_all_without() -> None:
    text = json.dumps(capture("configuration")).replace("https://moodle", "http://moodle")
    assert read_configuration(json.loads(text), CONFIGURATION_URL.replace("https", "http")).issuer.startswith("http:")
    with pytest.raises(LtiError):
        read_configuration(json.loads(text), CONFIGURATION_URL)


def test_the_request_has_what_moodle_took() -> None:
    made, taken = requested(configured()), capture("registration")["request"]
    tool, took = made[names.TOOL_CONFIGURATION], taken[names.TOOL_CONFIGURATION]
    same = ["application_type", "response_types", "grant_types", "initiate_login_uri", "redirect_uris", "jwks_uri"]
    assert {name: made[name] for name in same} == {name: taken[name] for name in same}
    assert set(made["scope"].split()) == set(taken["scope"].split())
    assert made["token_endpoint_auth_method"] == "private_key_jwt"
    assert {name: tool[name] for name in ("domain", "claims", "target_link_uri")} == {
        name: took[name] for name in ("domain", "claims", "target_link_uri")
    }
    assert tool["messages"] == [
        {"type": "LtiResourceLinkRequest"},
        {
            "type": "LtiDeepLinkingRequest",
            "target_link_uri": "https://usher.example/launch",
            "placements": ["ContentArea"],
        },
    ]


def test_nothing_is_asked_that_the_platform_does_not_have() -> None:
    bare = replace(configured(), scopes_supported=(names.SCOPE_NRPS,), messages_supported=("LtiResourceLinkRequest",))
    made = requested(bare)
    assert made["scope"] == names.SCOPE_NRPS
    assert made[names.TOOL_CONFIGURATION]["messages"] == [{"type": "LtiResourceLinkRequest"}]


@pytest.mark.parametrize("status", [200, 201])
def test_the_answer_of_moodle(status: int) -> None:
    body = json.dumps(capture("registration")["response"]).encode()
    assert read_registration(status, body) == Registered("8NIKK98XbZv5uVs", "3")


def test_a_deployment_may_come_later() -> None:
    assert read_registration(201, b'{"client_id": "10000000000001"}') == Registered("10000000000001", "")


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (401, b"token_already_used", "registration_refused", "“token_already_used”"),
        (400, b'{"error": "invalid_redirect_uri"}', "registration_refused", "invalid_redirect_uri"),
        (500, b"<html>secret</html>", "registration_refused", "500."),
        (200, b"<html>", "bad_registration", "no JSON"),
        (200, b"{}", "bad_registration", "client_id"),
        (200, b'{"client_id": 7}', "bad_claim", "client_id"),
    ],
)
def test_no_registration(status: int, body: bytes, code: str, said: str) -> None:
    with pytest.raises(LtiError) as caught:
        read_registration(status, body)
    assert caught.value.code == code
    assert said in caught.value.detail
