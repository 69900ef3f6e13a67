"""What is sent to a provider and what comes back: the request with PKCE, the callback, the tokens, the userinfo."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import evil
import pytest
from evil import CLIENT, ISSUER, NONCE, SUBJECT

from usher.protocols.oidc.errors import OidcError, RefusedByProviderError
from usher.protocols.oidc.metadata import Metadata, read
from usher.protocols.oidc.requests import Client, authorization_url, code_challenge, token_post
from usher.protocols.oidc.responses import Callback, check_iss, read_callback, read_tokens, read_userinfo

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BACK = "https://usher.example/sign-in/with/cedar/back"
TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"
OF_TENANT = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"


def provider(**more: Any) -> Metadata:
    return read(evil.metadata(**more), ISSUER)


def code_of(call: Any, *args: Any) -> str:
    with pytest.raises(OidcError) as caught:
        call(*args)
    return caught.value.code


# Requests


def test_pkce() -> None:
    """The example of RFC 7636, appendix B."""
    assert code_challenge(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def asked(metadata: Metadata, **more: str) -> tuple[str, dict[str, list[str]]]:
    url = authorization_url(
        metadata, client_id=CLIENT, redirect_uri=BACK, scope="openid email", state="st&te", nonce=NONCE,
        verifier=VERIFIER, extra=more,
    )  # fmt: skip
    where, _, query = url.partition("?")
    return where, parse_qs(query, strict_parsing=True)


def test_the_request_of_a_sign_in() -> None:
    where, query = asked(provider(), prompt="select_account", login_hint="ada+x@cedar.example")
    assert where == f"{ISSUER}/authorize"
    assert query == {
        "response_type": ["code"], "client_id": [CLIENT], "redirect_uri": [BACK], "scope": ["openid email"],
        "state": ["st&te"], "nonce": [NONCE], "code_challenge": [code_challenge(VERIFIER)],
        "code_challenge_method": ["S256"], "prompt": ["select_account"], "login_hint": ["ada+x@cedar.example"],
    }  # fmt: skip


def test_the_query_of_an_endpoint_is_kept() -> None:
    _, query = asked(provider(authorization_endpoint=f"{ISSUER}/authorize?policy=b2c&x="))
    assert query["policy"] == ["b2c"]
    assert query["client_id"] == [CLIENT]


def test_nothing_extra_undoes_the_protection() -> None:
    _, query = asked(provider(), nonce="fixed", code_challenge_method="plain", code_challenge="x")
    assert query["nonce"] == [NONCE]
    assert query["code_challenge_method"] == ["S256"]
    assert query["code_challenge"] == [code_challenge(VERIFIER)]


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post", "client_secret_basic"]])
def test_the_secret_in_the_header(methods: list[str] | None) -> None:
    client = Client("us er:1", "s3cr:et %&ä~")
    post = token_post(
        provider(token_endpoint_auth_methods_supported=methods), client, code="c", redirect_uri=BACK, verifier=VERIFIER
    )
    assert post.url == f"{ISSUER}/token"
    assert post.body == {
        "grant_type": "authorization_code", "code": "c", "redirect_uri": BACK, "code_verifier": VERIFIER,
    }  # fmt: skip
    kind, _, pair = post.headers["Authorization"].partition(" ")
    name, _, secret = base64.b64decode(pair).decode("ascii").partition(":")
    assert (kind, unquote_plus(name), unquote_plus(secret)) == ("Basic", client.id, client.secret)
    assert "s3cr" not in repr(client)
    assert VERIFIER not in repr(post)
    assert pair not in repr(post)


def test_the_secret_in_the_body() -> None:
    post = token_post(
        provider(token_endpoint_auth_methods_supported=["client_secret_post", "private_key_jwt"]),
        Client(CLIENT, "s3cret"), code="c", redirect_uri=BACK, verifier=VERIFIER,
    )  # fmt: skip
    assert (post.body["client_id"], post.body["client_secret"]) == (CLIENT, "s3cret")
    assert not post.headers


def test_a_client_without_secret() -> None:
    post = token_post(provider(), Client(CLIENT), code="c", redirect_uri=BACK, verifier=VERIFIER)
    assert post.body["client_id"] == CLIENT
    assert "client_secret" not in post.body
    assert not post.headers


# The callback


def test_a_callback() -> None:
    callback = read_callback({"code": ["c"], "state": ["s"], "iss": [ISSUER], "session_state": ["x", "y"]})
    assert callback == Callback("c", "s", ISSUER)
    assert read_callback({"code": ["c"], "state": ["s"]}).iss == ""


@pytest.mark.parametrize(
    "params",
    [
        {}, {"code": ["c"]}, {"state": ["s"]}, {"code": [""], "state": ["s"]}, {"code": [], "state": ["s"]},
        {"code": ["c", "d"], "state": ["s"]}, {"code": ["c"], "state": ["s", "s"]},
        {"code": ["c"], "state": ["s"], "iss": [ISSUER, ISSUER]}, {"code": ["c" * 9000], "state": ["s"]},
        {"error": ["a", "b"]}, {"access_token": ["x"], "state": ["s"]},
    ],
)  # fmt: skip
def test_callbacks_that_are_none(params: dict[str, list[str]]) -> None:
    assert code_of(read_callback, params) == "bad_response"


def test_a_refusal_in_the_callback() -> None:
    with pytest.raises(RefusedByProviderError) as caught:
        read_callback({"error": ["access_denied"], "error_description": ["AADSTS65004: no\r\nconsent" + "x" * 900]})
    assert caught.value.error == "access_denied"
    assert caught.value.detail.startswith("The provider answered “access_denied”: AADSTS65004: no  consent")
    assert len(caught.value.description) == 200
    with pytest.raises(RefusedByProviderError, match=r"^The provider answered “login_required”\.$"):
        read_callback({"error": ["login_required"], "code": ["c"], "state": ["s"]})


@pytest.mark.parametrize(
    ("iss", "promised", "code"),
    [
        (ISSUER, True, ""),
        ("", True, "wrong_issuer"),
        ("https://evil.example", True, "wrong_issuer"),
        (f"{ISSUER}/", True, "wrong_issuer"),
        (ISSUER, False, ""),
        ("", False, ""),
        ("https://evil.example", False, "wrong_issuer"),
    ],
)
def test_a_code_of_another_provider(iss: str, promised: bool, code: str) -> None:
    """Mix-up (B7): a provider that answers for another one."""
    metadata = provider(authorization_response_iss_parameter_supported=promised)
    callback = Callback("c", "s", iss)
    if code:
        assert code_of(check_iss, callback, metadata) == code
    else:
        check_iss(callback, metadata)


def test_a_code_of_another_tenant() -> None:
    metadata = replace(provider(), issuer=TEMPLATE)
    check_iss(Callback("c", "s", OF_TENANT), metadata)
    check_iss(Callback("c", "s", OF_TENANT), metadata, OF_TENANT)
    assert code_of(check_iss, Callback("c", "s", TEMPLATE), metadata) == "wrong_issuer"
    assert code_of(check_iss, Callback("c", "s", OF_TENANT), metadata, ISSUER) == "wrong_issuer"


# Tokens


def test_tokens() -> None:
    tokens = read_tokens(
        200,
        {
            "id_token": "i.d.t",
            "access_token": "opaque",
            "token_type": "bearer",
            "scope": "openid",
            "expires_in": "3599",
        },
    )
    assert (tokens.id_token, tokens.access_token, tokens.scope, tokens.expires_in) == (
        "i.d.t",
        "opaque",
        "openid",
        3599,
    )
    assert "i.d.t" not in repr(tokens)
    assert "opaque" not in repr(tokens)


@pytest.mark.parametrize("seconds", [None, "soon", -1, 10**12, [], {}, 1.5, "9" * 5000])
def test_a_life_that_is_no_number_of_seconds(seconds: object) -> None:
    assert read_tokens(200, {"id_token": "i.d.t", "expires_in": seconds}).expires_in is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}), (200, []), (200, "i.d.t"), (200, None), (200, {"id_token": ""}), (200, {"id_token": ["i.d.t"]}),
        (200, {"id_token": "i.d.t", "access_token": 1}), (200, {"id_token": "i.d.t", "token_type": "mac"}),
        (500, {"id_token": "i.d.t"}), (204, None), (404, "not found"), (400, {"error": {"code": 1}}),
    ],
)  # fmt: skip
def test_answers_without_tokens(status: int, body: object) -> None:
    assert code_of(read_tokens, status, body) == "bad_response"


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_refusal_of_the_token_endpoint(status: int) -> None:
    with pytest.raises(RefusedByProviderError) as caught:
        read_tokens(status, {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"})
    assert caught.value.code == "refused_by_provider"
    assert caught.value.detail == "The provider answered “invalid_client”: AADSTS7000215: wrong secret"


# Userinfo


def test_userinfo() -> None:
    claims = read_userinfo(200, {"sub": SUBJECT, "email": "ada@cedar.example"}, SUBJECT)
    assert claims["email"] == "ada@cedar.example"


@pytest.mark.parametrize("sub", ["another", None, 24400320, [SUBJECT], f"{SUBJECT} ", ""])
def test_oidcc_client_test_userinfo_invalid_sub(sub: object) -> None:
    assert code_of(read_userinfo, 200, {"sub": sub, "email": "ada@cedar.example"}, SUBJECT) == "wrong_subject"


@pytest.mark.parametrize("body", [{"name": "\ud800"}, {"name": "a\0b"}, {"deep": [{"\0": 1}]}])
def test_userinfo_that_is_no_text(body: dict[str, Any]) -> None:
    assert code_of(read_userinfo, 200, {"sub": SUBJECT} | body, SUBJECT) == "bad_response"


def test_userinfo_nested_without_end() -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    assert code_of(read_userinfo, 200, {"sub": SUBJECT, "groups": deep}, SUBJECT) == "bad_response"


def test_answers_without_userinfo() -> None:
    for status, body in ((401, {"sub": SUBJECT}), (200, "a.signed.jwt"), (200, None)):
        assert code_of(read_userinfo, status, body, SUBJECT) == "bad_response"
    assert code_of(read_userinfo, 401, {"error": "invalid_token"}, SUBJECT) == "refused_by_provider"


def test_the_verifier_is_what_the_challenge_hides() -> None:
    """By hand, once: the provider computes this from what the token endpoint is given."""
    _, query = asked(provider())
    post = token_post(provider(), Client(CLIENT), code="c", redirect_uri=BACK, verifier=VERIFIER)
    digest = hashlib.sha256(post.body["code_verifier"].encode()).digest()
    assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]
    assert urlsplit(post.url).query == ""
