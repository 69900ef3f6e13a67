"""What a provider publishes: its discovery document and its keys (plan oidcc-client-config-certification-test-plan)."""

from __future__ import annotations

from typing import Any

import evil
import pytest
from evil import ISSUER, expected, jwk, jwks, rsa_key, token

from usher.protocols.oidc.errors import OidcError
from usher.protocols.oidc.id_token import verify
from usher.protocols.oidc.keys import read_keys
from usher.protocols.oidc.metadata import ALGORITHMS, fits, read, well_known

MICROSOFT = "https://login.microsoftonline.com"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def refused(document: object, code: str = "bad_metadata", issuer: str = ISSUER, *, templated: bool = False) -> str:
    with pytest.raises(OidcError) as caught:
        read(document, issuer, templated=templated)
    assert caught.value.code == code
    return caught.value.detail


# Discovery


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://id.cedar.example", "https://id.cedar.example/.well-known/openid-configuration"),
        ("https://id.cedar.example/", "https://id.cedar.example/.well-known/openid-configuration"),
        ("https://id.example/realms/x", "https://id.example/realms/x/.well-known/openid-configuration"),
    ],
)
def test_where_the_document_lies(issuer: str, url: str) -> None:
    assert well_known(issuer) == url


def test_a_sound_document() -> None:
    read_now = read(
        evil.metadata(
            token_endpoint_auth_methods_supported=["client_secret_post", "private_key_jwt"],
            authorization_response_iss_parameter_supported=True,
            something_new={"a": 1},
        ),
        ISSUER,
    )
    assert read_now.issuer == ISSUER
    assert read_now.token_endpoint == f"{ISSUER}/token"
    assert read_now.algorithms == ("RS256", "ES256")
    assert read_now.auth_methods == ("client_secret_post", "private_key_jwt")
    assert read_now.sends_iss


def test_what_may_be_left_out() -> None:
    read_now = read(
        evil.metadata(
            userinfo_endpoint=None, response_types_supported=None, id_token_signing_alg_values_supported=None
        ),
        ISSUER,
    )
    assert (read_now.userinfo_endpoint, read_now.algorithms, read_now.auth_methods) == ("", ("RS256",), ())
    assert not read_now.sends_iss


@pytest.mark.parametrize("named", ["https://evil.example", f"{ISSUER}/", ISSUER.upper(), None, 1, [ISSUER], ""])
def test_oidcc_client_test_discovery_issuer_mismatch(named: object) -> None:
    detail = refused(evil.metadata() | {"issuer": named}, "wrong_issuer")
    assert detail.startswith(f"The discovery document of “{ISSUER}” says that its issuer is ")


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (f"{MICROSOFT}/{{tenantid}}/v2.0", ""),
        (f"{MICROSOFT}/organizations/v2.0", ""),
        ("https://evil.example/{tenantid}/v2.0", "wrong_issuer"),
        ("http://login.microsoftonline.com/{tenantid}/v2.0", "wrong_issuer"),
        (f"{MICROSOFT}/{{tenantid}}/{{tenantid}}", "wrong_issuer"),
        (f"{MICROSOFT}/v2.0?{{tenantid}}", "wrong_issuer"),
        (f"{MICROSOFT}/{TENANT}/v2.0", "wrong_issuer"),
    ],
)
def test_an_issuer_with_a_gap(named: str, code: str) -> None:
    asked = f"{MICROSOFT}/organizations/v2.0"
    document = evil.metadata() | {"issuer": named}
    if code:
        refused(document, code, asked, templated=True)
    else:
        assert read(document, asked, templated=True).issuer == named
    if "{" in named:
        refused(document, "wrong_issuer", asked)


@pytest.mark.parametrize(
    ("issuer", "pattern", "fitting"),
    [
        (ISSUER, ISSUER, True),
        (f"{ISSUER}/", ISSUER, False),
        (f"{MICROSOFT}/{TENANT}/v2.0", f"{MICROSOFT}/{{tenantid}}/v2.0", True),
        (f"{MICROSOFT}/common/v2.0", f"{MICROSOFT}/{{tenantid}}/v2.0", False),
        (f"{MICROSOFT}/{{tenantid}}/v2.0", f"{MICROSOFT}/{{tenantid}}/v2.0", False),
        (f"https://evil.example/{TENANT}/v2.0", f"{MICROSOFT}/{{tenantid}}/v2.0", False),
        (f"{MICROSOFT}/v2.0", f"{MICROSOFT}/{{tenantid}}/v2.0", False),
    ],
)
def test_issuers_that_fit(issuer: str, pattern: str, fitting: bool) -> None:
    assert fits(issuer, pattern) is fitting


@pytest.mark.parametrize("document", [None, [], "text", 1, {}])
def test_no_document(document: object) -> None:
    refused(document, "wrong_issuer" if document == {} else "bad_metadata")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
@pytest.mark.parametrize(
    "value",
    [
        "", "/token", "//id.cedar.example/token", "ftp://id.cedar.example", "file:///etc/passwd", "javascript:alert(1)",
        "https://", "https://id.cedar.example/#x", "https://ada:secret@id.cedar.example/", "https://id.cedar.example:x/",
        "https://id.cedar.example\\@evil.example/", "https://id.cedar.example/ x", "https://id.cedar.example/\n", 1,
        ["https://id.cedar.example"], "https://[::1", f"https://id.cedar.example/{'x' * 2000}", "https://ädä.example/",
        "http://id.cedar.example/",
    ],
)  # fmt: skip
def test_endpoints_that_are_none(name: str, value: object) -> None:
    assert f"“{name}”" in refused(evil.metadata(**{name: value}))


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_endpoints_that_are_missing(name: str) -> None:
    assert refused(evil.metadata(**{name: None})) == f"The discovery document has no “{name}”."


def test_a_provider_inside_may_do_without_tls() -> None:
    """Whether it may be asked is for the operator to say (USHER_PRIVATE_HOSTS)."""
    inside = "http://id.school.internal:8080/realms/x"
    assert read(evil.metadata(inside), inside).jwks_uri == f"{inside}/keys"


@pytest.mark.parametrize("offered", [["none"], ["HS256"], [], ["HS256", "none", "ES256K"], "RS256", [1]])
def test_no_algorithm_in_common(offered: object) -> None:
    refused(evil.metadata(id_token_signing_alg_values_supported=offered))


def test_algorithms_in_common() -> None:
    offered = ["none", "HS256", *reversed(ALGORITHMS)]
    assert read(evil.metadata(id_token_signing_alg_values_supported=offered), ISSUER).algorithms == ALGORITHMS


@pytest.mark.parametrize("types", [["id_token"], [], "code", ["code token"]])
def test_no_code_flow(types: object) -> None:
    refused(evil.metadata(response_types_supported=types))


# Published keys


def bad_keys(document: object) -> None:
    with pytest.raises(OidcError) as caught:
        read_keys(document)
    assert caught.value.code == "bad_keys"


@pytest.mark.parametrize("document", [None, [], "text", {}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [1]}])
def test_no_list_of_keys(document: object) -> None:
    bad_keys(document)


def symmetric() -> dict[str, Any]:
    return {"kty": "oct", "k": evil.b64(b"x" * 32), "kid": "first", "use": "sig", "alg": "HS256"}


def private() -> dict[str, Any]:
    numbers = rsa_key().private_numbers()
    return jwk(rsa_key(), d=evil.b64(numbers.d.to_bytes(256, "big")))


OF_NO_USE: list[dict[str, Any]] = [
    symmetric(),
    private(),
    {},
    {"kty": "RSA"},
    {"kty": "ML-DSA", "pub": "x", "kid": "new"},
    {"kty": ["RSA"]},
    {"kty": "EC", "crv": ["P-256"]},
    jwk(rsa_key(), use="enc"),
    jwk(rsa_key(), use=["sig"]),
    jwk(rsa_key(), alg="RSA-OAEP"),
    jwk(rsa_key(), alg="HS256"),
    jwk(rsa_key(), alg=["RS256"]),
    jwk(rsa_key(), key_ops=["encrypt"]),
    jwk(rsa_key(), key_ops="verify"),
    jwk(rsa_key(), n="!" * 342),
    jwk(rsa_key(), n=1),
    jwk(rsa_key(), n="A" * 342),
    jwk(rsa_key(), n="x" * 100_000),
    jwk(rsa_key(), e="AQ"),
    jwk(rsa_key(), e="x" * 342),
    jwk(rsa_key("short", 1024)),
    jwk(evil.key_for("ES256"), x="AAAA"),
    jwk(evil.key_for("ES256"), crv="secp256k1"),
    jwk(evil.key_for("ES256"), alg="ES384"),
    jwk(evil.key_for("EdDSA"), crv="X25519"),
    jwk(evil.key_for("EdDSA"), x="A"),
]


@pytest.mark.parametrize("key", OF_NO_USE, ids=range(len(OF_NO_USE)))
def test_keys_of_no_use_are_passed_over(key: dict[str, Any]) -> None:
    bad_keys(jwks(key))
    keys = read_keys(jwks(key, jwk(rsa_key("second"), "second")))
    assert [one.kid for one in keys.keys] == ["second"]


def test_keys_as_providers_publish_them() -> None:
    """With certificates, without use or algorithm, and with members nobody knows."""
    keys = read_keys(
        jwks(
            jwk(rsa_key(), "a", x5c=["MIIC"], x5t="x", issuer="https://login.example/{tenantid}", cloud=1),
            jwk(rsa_key("second"), "b", use=None, alg="RS256", key_ops=["verify"]),
            jwk(evil.key_for("ES384"), "c"),
            jwk(evil.key_for("EdDSA"), None),
        )
    )
    assert [key.kid for key in keys.keys] == ["a", "b", "c", ""]
    assert [len(key.algorithms) for key in keys.keys] == [6, 1, 1, 1]


def test_a_key_name_that_stands_twice() -> None:
    """It decides nothing when the kinds differ, and nobody guesses when they do not."""
    both = read_keys(jwks(jwk(rsa_key()), jwk(evil.key_for("ES256"))))
    assert verify(token(), both, expected()).subject == verify(token(alg="ES256"), both, expected()).subject
    twice = read_keys(jwks(jwk(rsa_key()), jwk(rsa_key("second"))))
    with pytest.raises(OidcError) as caught:
        verify(token(), twice, expected())
    assert caught.value.code == "unknown_key"


def test_how_many_keys() -> None:
    many = [jwk(rsa_key(), str(index)) for index in range(101)]
    assert len(read_keys(jwks(*many[:100])).keys) == 100
    bad_keys(jwks(*many))
