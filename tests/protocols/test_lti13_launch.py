"""Launches: what a real Moodle sends is believed, and every bad one of the certification is refused for its reason.

A1 to A12 and B1 to B9 are the lists of the 1EdTech certification guide, F is section 5.1.3 of the Security Framework.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import evil
import pytest

from usher.protocols.lti13 import claims as names
from usher.protocols.lti13.errors import LtiError, RefusedByPlatformError
from usher.protocols.lti13.launch import Expected, Launch, read_answer, verify
from usher.protocols.lti13.login import Login, authentication_url, read_login
from usher.protocols.oidc.errors import UnknownKeyError

CAPTURES = Path(__file__).parent / "lti13_captures"
TOOL = "https://usher.example/launch"
LAUNCHES = ["launch-student", "launch-teacher", "launch-ta", "launch-admin", "launch-student-private"]
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"


def capture(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text())
    return read


def waiting(claims: dict[str, Any]) -> Expected:
    """What Usher waited for when these claims came, a second after they were made."""
    return Expected(claims["iss"], claims["aud"], claims["nonce"], float(claims["iat"] + 1), TOOL)


def changed(name: str = "launch-student", /, **claims: Any) -> dict[str, Any]:
    """A captured launch with other claims, by the end of their names; None takes one away."""
    made = capture(name)
    for short, value in claims.items():
        full = getattr(names, short.upper(), short)
        made.pop(full, None)
        if value is not None:
            made[full] = value
    return made


def launched(claims: dict[str, Any]) -> Launch:
    return verify(evil.raw_token(json.dumps(claims).encode()), evil.key_set(), waiting(capture("launch-student")))


def refused(claims: dict[str, Any], code: str, said: str = "", **more: Any) -> None:
    token = evil.raw_token(json.dumps(claims).encode(), **more)
    with pytest.raises(LtiError) as caught:
        verify(token, evil.key_set(), waiting(capture("launch-student")))
    assert caught.value.code == code
    assert said in caught.value.detail
    assert all(part not in caught.value.detail for part in token.split(".") if part)


# What Moodle sends


@pytest.mark.parametrize("name", [*LAUNCHES, "deep-linking-request"])
def test_what_moodle_sends_is_believed(name: str) -> None:
    claims = capture(name)
    launch = verify(evil.raw_token(json.dumps(claims).encode()), evil.key_set(), waiting(claims))
    assert (launch.issuer, launch.subject, launch.deployment_id) == (claims["iss"], claims["sub"], "2")
    assert launch.context
    assert (launch.context.id, launch.context.title, launch.context.types) == (
        "2",
        "LTI test course",
        ("CourseSection",),
    )
    assert (launch.platform.family, launch.platform.guid) == ("moodle", "4cd1fef08cb4af585a8bb3604fd12489")
    assert launch.ags
    assert launch.ags.scopes == names.AGS_SCOPES
    assert launch.ags.lineitems.endswith("lineitems?type_id=2")
    assert "unknown" not in launch.custom, "an unresolved variable is no value"
    assert dict(launch.claims) == claims


def test_what_a_student_brings() -> None:
    launch = launched(capture("launch-student"))
    assert (launch.full_name, launch.email, launch.locale) == ("Stu Dent", "student@school.example", "en")
    assert launch.resource_link
    assert (launch.resource_link.id, launch.resource_link.title) == ("2", "Raw item")
    assert launch.target_link_uri == f"{TOOL}?item=1"
    assert launch.document_target == "iframe"
    assert launch.return_url.startswith("https://moodle.school.example/mod/lti/return.php?course=2")
    assert launch.nrps_url.endswith("/CourseSection/2/bindings/2/memberships")
    assert (launch.custom["item"], launch.custom["groupids"]) == ("1", "")
    assert launch.deep_linking is None


def test_a_platform_that_keeps_the_person_to_itself() -> None:
    claims = capture("launch-student-private")
    launch = verify(evil.raw_token(json.dumps(claims).encode()), evil.key_set(), waiting(claims))
    assert (launch.full_name, launch.email, launch.subject) == ("", "", "5")
    assert "mail" not in launch.custom, "null is no value"


def test_a_teacher_choosing() -> None:
    claims = capture("deep-linking-request")
    launch = verify(evil.raw_token(json.dumps(claims).encode()), evil.key_set(), waiting(claims))
    settings = launch.deep_linking
    assert settings
    assert launch.is_deep_linking
    assert launch.resource_link is None
    assert settings.return_url.startswith("https://moodle.school.example/mod/lti/contentitem_return.php?course=2")
    assert (settings.accept_types, settings.accept_multiple, settings.accept_lineitem) == (
        ("ltiResourceLink",), True, None,
    )  # fmt: skip
    assert (settings.accept_targets, settings.data, launch.nrps_url) == (("frame", "iframe", "window"), None, "")


# A: must be refused


def test_a1_no_kid() -> None:
    refused(capture("launch-student"), "no_kid", kid=None)
    refused(capture("launch-student"), "no_kid", kid="")
    refused(capture("launch-student"), "no_kid", kid=None, key=evil.rsa_key("evil"), header={"jwk": {}})


def test_a2_incorrect_kid() -> None:
    token = evil.raw_token(json.dumps(capture("launch-student")).encode(), kid="another")
    with pytest.raises(UnknownKeyError) as caught:
        verify(token, evil.key_set(), waiting(capture("launch-student")))
    assert caught.value.code == "unknown_key"


def test_a5_not_a_launch() -> None:
    refused({"name": "badltilaunch"}, "not_lti")


@pytest.mark.parametrize(
    ("claims", "code", "said"),
    [
        ({"version": "11.3"}, "wrong_version", "“11.3”"),  # A3
        ({"version": "1.3"}, "wrong_version", "1.3.0"),
        ({"version": 1.3}, "wrong_version", "1.3.0"),
        ({"version": None}, "missing_claim", "“version”"),  # A4
        ({"aud": None, "iss": None, "sub": None, "deployment_id": None, "roles": None}, "missing_claim", "“iss”"),  # A6
        ({"iat": 11111, "exp": 22222}, "expired", "Compare the clocks"),  # A7
        ({"message_type": None}, "missing_claim", "“message_type”"),  # A8
        ({"message_type": "LtiSubmissionReviewRequest"}, "wrong_message_type", "LtiSubmissionReviewRequest"),
        ({"message_type": ["LtiResourceLinkRequest"]}, "wrong_message_type", ""),
        ({"roles": None}, "missing_claim", "“roles”"),  # A9
        ({"roles": 7}, "bad_claim", "“roles”"),
        ({"deployment_id": None}, "missing_claim", "“deployment_id”"),  # A10
        ({"deployment_id": "d" * 256}, "too_long", "256"),
        ({"deployment_id": "zwölf"}, "bad_claim", "deployment_id"),
        ({"deployment_id": 2}, "bad_claim", "deployment_id"),
        ({"resource_link": None}, "missing_claim", "“resource_link.id”"),  # A11
        ({"resource_link": {"title": "Without id"}}, "missing_claim", "“resource_link.id”"),
        ({"resource_link": {"id": "r" * 256}}, "too_long", "resource_link.id"),
        ({"context": {"id": "c" * 256}}, "too_long", "context.id"),
        ({"sub": None}, "missing_claim", "“sub”"),  # A12
        ({"sub": "s" * 256}, "wrong_subject", "255"),
        # F
        ({"iss": "https://moodle.school.example/"}, "wrong_issuer", ""),
        ({"aud": "another"}, "wrong_audience", "“another”"),
        ({"aud": ["67fvCekV0DZbgrN", "another"], "azp": "67fvCekV0DZbgrN"}, "wrong_audience", "“another”"),
        ({"aud": ["67fvCekV0DZbgrN", "another"]}, "wrong_azp", "azp"),
        ({"azp": "another"}, "wrong_azp", "“another”"),
        ({"nonce": None}, "missing_claim", "“nonce”"),
        ({"nonce": "of-another-launch"}, "wrong_nonce", ""),
        ({"target_link_uri": None}, "missing_claim", "“target_link_uri”"),
        ({"target_link_uri": "https://evil.example/"}, "wrong_target", "evil.example"),
        ({"target_link_uri": f"{TOOL}/../admin"}, "wrong_target", ""),
        ({"target_link_uri": f"{TOOL}#x"}, "wrong_target", ""),
        ({"target_link_uri": f"{TOOL}.evil.example?x"}, "wrong_target", ""),
    ],
)
def test_bad_claims(claims: dict[str, Any], code: str, said: str) -> None:
    refused(changed(**claims), code, said)


def test_f_signatures() -> None:
    claims = capture("launch-student")
    refused(claims, "bad_signature", key=evil.rsa_key("evil"))
    refused(claims, "no_signature", alg="none")
    refused(claims, "wrong_algorithm", "RS256", alg="HS256", key=evil.public_pem(evil.rsa_key()))
    refused(claims, "wrong_algorithm", "RS256", alg="RS384")
    refused({"name": "badltilaunch"}, "bad_signature", key=evil.rsa_key("evil"))


def test_f_tampered() -> None:
    head, _, signature = evil.raw_token(json.dumps(capture("launch-student")).encode()).split(".")
    body = evil.b64(changed(roles=[INSTRUCTOR]))
    with pytest.raises(LtiError) as caught:
        verify(f"{head}.{body}.{signature}", evil.key_set(), waiting(capture("launch-student")))
    assert caught.value.code == "bad_signature"


def test_f_times() -> None:
    claims = capture("launch-student")
    token, keys = evil.raw_token(json.dumps(claims).encode()), evil.key_set()
    verify(token, keys, replace(waiting(claims), now=claims["iat"] - 30.0))
    verify(token, keys, replace(waiting(claims), now=claims["exp"] + 59.0))
    for now, code in ((claims["exp"] + 61.0, "expired"), (claims["iat"] - 61.0, "issued_in_the_future")):
        with pytest.raises(LtiError) as caught:
            verify(token, keys, replace(waiting(claims), now=now))
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (None, "missing_claim"),
        ({"deep_link_return_url": None}, "missing_claim"),
        ({"deep_link_return_url": "javascript:alert(1)"}, "bad_claim"),
        ({"accept_types": None}, "missing_claim"),
        ({"accept_presentation_document_targets": []}, "missing_claim"),
    ],
)
def test_deep_linking_needs_its_settings(settings: dict[str, Any] | None, code: str) -> None:
    claims = capture("deep-linking-request")
    own = claims.pop(names.DEEP_LINKING_SETTINGS)
    if settings is not None:
        claims[names.DEEP_LINKING_SETTINGS] = {**own, **settings}
    with pytest.raises(LtiError) as caught:
        verify(evil.raw_token(json.dumps(claims).encode()), evil.key_set(), waiting(claims))
    assert caught.value.code == code


def test_a_launch_is_made_by_verify_alone() -> None:
    with pytest.raises(TypeError):
        replace(launched(capture("launch-student")), subject="2", made_by=None)


# B: must be accepted


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": [INSTRUCTOR, "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"]},
        {"roles": ["Instructor"]},
        {"roles": ["http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"]},
        {"roles": []},
        {"roles": [""]},
        {"roles": [None, 7, INSTRUCTOR]},
        {"name": None, "given_name": None, "family_name": None},
        {"email": None},
        {"email": ""},
        {"name": None, "given_name": None, "family_name": None, "email": None},
        {"context": None},
        {"aud": ["67fvCekV0DZbgrN"], "azp": "67fvCekV0DZbgrN"},
        {
            "nbf": 1795331491,
            "https://purl.imsglobal.org/spec/lti/claim/lti11_legacy_user_id": "x",
            "made_up": {"a": []},
        },
        {"target_link_uri": TOOL},
        {"custom": "nothing", "tool_platform": None, "launch_presentation": None, "ags_endpoint": None, "nrps": None},
    ],
)
def test_good_launches(claims: dict[str, Any]) -> None:
    assert launched(changed(**claims)).subject == "5"


def test_missing_things_are_empty() -> None:
    launch = launched(changed(context=None, ags_endpoint=None, nrps=None, tool_platform=None, custom=None, email=None))
    assert (launch.context, launch.ags, launch.nrps_url, launch.platform.guid) == (None, None, "", "")
    assert (dict(launch.custom), launch.email) == ({}, "")


def test_names() -> None:
    assert launched(changed(name=None)).full_name == "Stu Dent"
    assert launched(changed(name=None, family_name=None)).full_name == "Stu"
    assert launched(changed(name="$Person.name.full", given_name=None, family_name=None)).full_name == ""


def test_addresses_are_of_the_web_or_nothing() -> None:
    launch = launched(
        changed(
            launch_presentation={"return_url": "javascript:alert(1)"},
            ags_endpoint={"scope": [], "lineitems": "file:///etc/passwd", "lineitem": "https://"},
            nrps={"context_memberships_url": "data:text/html,x"},
        )
    )
    assert launch.ags
    assert [launch.return_url, launch.ags.lineitems, launch.ags.lineitem, launch.nrps_url] == [""] * 4


# How it begins, and the form at the end


LOGIN = {
    "iss": ["https://moodle.school.example"], "target_link_uri": [f"{TOOL}?item=1"], "login_hint": ["5"],
    "lti_message_hint": ['{"cmid":3,"launchid":"ltilaunch2_1344819501"}'], "client_id": ["67fvCekV0DZbgrN"],
    "lti_deployment_id": ["2"],
}  # fmt: skip


def test_login_of_moodle() -> None:
    login = read_login(LOGIN)
    assert login == Login(
        "https://moodle.school.example", "5", f"{TOOL}?item=1", '{"cmid":3,"launchid":"ltilaunch2_1344819501"}',
        "67fvCekV0DZbgrN", "2",
    )  # fmt: skip


def test_login_of_canvas() -> None:
    rest = {name: value for name, value in LOGIN.items() if name not in ("lti_deployment_id", "client_id")}
    login = read_login({**rest, "deployment_id": ["9:d8"], "lti_storage_target": ["_parent"], "canvas_region": ["x"]})
    assert (login.deployment_id, login.storage_target, login.client_id) == ("9:d8", "_parent", "")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": []}, "missing_parameter"),
        ({"login_hint": [""]}, "missing_parameter"),
        ({"target_link_uri": []}, "missing_parameter"),
        ({"iss": ["https://a.example", "https://b.example"]}, "repeated"),
        ({"deployment_id": ["3"]}, "repeated"),
        ({"login_hint": ["h" * 4097]}, "too_long"),
        ({"client_id": ["c" * 256]}, "too_long"),
        ({"lti_message_hint": ["a\0b"]}, "bad_parameter"),
    ],
)
def test_bad_logins(change: dict[str, list[str]], code: str) -> None:
    with pytest.raises(LtiError) as caught:
        read_login({**LOGIN, **change})
    assert caught.value.code == code


def test_long_hints_are_taken() -> None:
    assert len(read_login({**LOGIN, "login_hint": ["h" * 4096]}).login_hint) == 4096


@pytest.mark.parametrize("own", ["", "?school=7&x=%20"])
def test_the_authentication_request(own: str) -> None:
    hint = LOGIN["lti_message_hint"][0]
    url = authentication_url(
        f"https://moodle.school.example/auth.php{own}", client_id="67fv", redirect_uri=TOOL, login=read_login(LOGIN),
        state="st", nonce="no",
    )  # fmt: skip
    assert url.startswith(f"https://moodle.school.example/auth.php?{own[1:]}")
    assert dict(parse_qsl(urlsplit(url).query)) == dict(parse_qsl(own[1:])) | {
        "scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none",
        "client_id": "67fv", "redirect_uri": TOOL, "login_hint": "5", "state": "st", "nonce": "no",
        "lti_message_hint": hint,
    }  # fmt: skip


def test_without_a_message_hint_none_is_sent() -> None:
    login = read_login({**LOGIN, "lti_message_hint": []})
    url = authentication_url("https://m.example/a", client_id="c", redirect_uri=TOOL, login=login, state="s", nonce="n")
    assert "lti_message_hint" not in url


def test_the_form() -> None:
    answer = read_answer({"id_token": ["a.b.c"], "state": ["st"], "lti_storage_target": ["_parent"]})
    assert (answer.id_token, answer.state, answer.storage_target) == ("a.b.c", "st", "_parent")
    assert "a.b.c" not in repr(answer)


def test_the_platform_says_no() -> None:
    with pytest.raises(RefusedByPlatformError) as caught:
        read_answer({"error": ["access_denied"], "error_description": ["Not\nyou"], "state": ["st"]})
    assert caught.value.detail == "The platform answered “access_denied”: Not you"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"state": ["st"]}, "missing_parameter"),
        ({"id_token": ["a.b.c"]}, "missing_parameter"),
        ({"id_token": ["a.b.c", "a.b.c"], "state": ["st"]}, "repeated"),
        ({"id_token": ["a" * 70_000], "state": ["st"]}, "too_long"),
    ],
)
def test_bad_forms(form: dict[str, list[str]], code: str) -> None:
    with pytest.raises(LtiError) as caught:
        read_answer(form)
    assert caught.value.code == code
