"""The stand-ins for Google and others speak as documented, and do what a test tells them."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from collections.abc import Callable

import jwt
import pytest
import requests
import time_machine
from relying import BASIC, CALLBACK, CLASSROOM, DIRECTORY, VERIFIER, Client, bearer, told
from standins import IDP, StandIns, StoppedError, Walker


class TestGoogle:
    def test_the_document(self, idp: StandIns, google: Client) -> None:
        metadata = google.metadata()
        assert metadata["issuer"] == idp.google
        assert metadata["authorization_endpoint"] == f"{idp.google}/o/oauth2/v2/auth"
        assert metadata["jwks_uri"] == f"{idp.google}/oauth2/v3/certs"
        assert metadata["subject_types_supported"] == ["public"]

    @pytest.mark.parametrize(
        ("login", "domain"),
        [
            ("tom", "cedar.example"),
            ("pia", "students.cedar.example"),
            ("frank", "foreign.example"),
            ("gina", None),
            ("carl", None),
        ],
    )
    def test_the_domain_is_told_of_those_who_belong_to_one(
        self, google: Client, login: str, domain: str | None
    ) -> None:
        claims = google.claims(login)
        assert claims.get("hd") == domain
        assert claims["email_verified"] is True
        assert claims["azp"] == claims["aud"]
        assert {"name", "given_name", "family_name"} <= claims.keys()

    def test_a_private_account_may_have_an_address_of_the_school(self, google: Client) -> None:
        assert google.claims("carl")["email"].endswith("@cedar.example")

    def test_the_access_token_is_bound(self, google: Client) -> None:
        tokens = google.tokens("tom")
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert google.read(tokens["id_token"])["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()

    def test_when_somebody_signed_in_is_told_to_those_registered_for_it(self, idp: StandIns, google: Client) -> None:
        assert "auth_time" not in google.claims("tom")
        idp.control(apps={"google": {"auth_time": "always"}})
        assert "auth_time" in google.claims("tom")

    def test_a_verified_teacher(self, idp: StandIns, google: Client) -> None:
        url = f"{idp.apis}/v1/userProfiles/me"
        assert google.get(url, "tom", CLASSROOM).json()["verifiedTeacher"] is True
        assert "verifiedTeacher" not in google.get(url, "pia", CLASSROOM).json()

    def test_a_teacher_of_a_course(self, idp: StandIns, google: Client) -> None:
        url = f"{idp.apis}/v1/courses?teacherId=me&courseStates=ACTIVE&pageSize=1"
        (course,) = google.get(url, "cora", CLASSROOM).json()["courses"]
        assert course["courseState"] == "ACTIVE"
        assert google.get(url, "pia", CLASSROOM).json() == {}

    @pytest.mark.parametrize(("login", "scope"), [("tom", BASIC), ("rita", CLASSROOM)])
    def test_classroom_is_closed_without_its_scope(self, idp: StandIns, google: Client, login: str, scope: str) -> None:
        answer = google.get(f"{idp.apis}/v1/userProfiles/me", login, scope)
        error = answer.json()["error"]
        assert (answer.status_code, error["status"]) == (403, "PERMISSION_DENIED")
        assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"

    def test_what_somebody_refuses_is_not_in_the_scope(self, google: Client) -> None:
        assert google.tokens("rita", CLASSROOM)["scope"] == BASIC

    @pytest.mark.parametrize(("login", "admin", "delegated"), [("ada", True, False), ("dela", False, True)])
    def test_administrators_may_read_the_directory(
        self, idp: StandIns, google: Client, login: str, *, admin: bool, delegated: bool
    ) -> None:
        key = idp.person(f"google/{login}")["sub"]
        user = google.get(f"{idp.apis}/admin/directory/v1/users/{key}", login, DIRECTORY).json()
        assert (user["isAdmin"], user["isDelegatedAdmin"]) == (admin, delegated)

    @pytest.mark.parametrize(("login", "scope"), [("tom", DIRECTORY), ("gina", DIRECTORY), ("ada", BASIC)])
    def test_others_may_not(self, idp: StandIns, google: Client, login: str, scope: str) -> None:
        answer = google.get(f"{idp.apis}/admin/directory/v1/users/ada@cedar.example", login, scope)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, 403)

    def test_nobody_asks_without_a_token(self, idp: StandIns) -> None:
        answer = requests.get(f"{idp.apis}/v1/userProfiles/me", timeout=10)
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


class TestPlain:
    def test_any_claim(self, plain: Client) -> None:
        claims = plain.claims("kim")
        assert (claims["groups"], claims["department"]) == (["staff", "library"], "Science")

    def test_the_answer_names_its_issuer(self, idp: StandIns, plain: Client) -> None:
        assert plain.metadata()["authorization_response_iss_parameter_supported"] is True
        assert told(idp.walk(plain.address(), "kim"))["iss"] == idp.plain

    def test_userinfo_says_the_same(self, plain: Client) -> None:
        tokens = plain.tokens("kim")
        info = requests.get(plain.metadata()["userinfo_endpoint"], headers=bearer(tokens), timeout=10).json()
        claims = plain.read(tokens["id_token"])
        assert info == {name: claims[name] for name in info}
        assert {"sub", "department"} <= info.keys()

    def test_a_post_to_the_callback_is_told_as_a_query(self, idp: StandIns, plain: Client) -> None:
        answer = told(idp.walk(plain.address(response_mode="form_post"), "kim"))
        assert {"code", "state", "iss"} <= answer.keys()


class TestAll:
    def test_pkce_is_required(self, any_client: Client, login: str) -> None:
        url = any_client.address(code_challenge=None, code_challenge_method=None)
        assert told(any_client.idp.walk(url, login))["error"] == "invalid_request"
        plain_method = any_client.address(code_challenge=VERIFIER, code_challenge_method="plain")
        assert told(any_client.idp.walk(plain_method, login))["error"] == "invalid_request"

    def test_a_wrong_verifier(self, any_client: Client, login: str) -> None:
        answer = any_client.redeem(any_client.code(login), code_verifier="b" * 43)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    def test_a_code_works_once(self, any_client: Client, login: str) -> None:
        code = any_client.code(login)
        assert any_client.redeem(code).ok
        again = any_client.redeem(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")

    def test_a_redirect_elsewhere_gets_a_page(self, any_client: Client, login: str) -> None:
        with pytest.raises(StoppedError, match="invalid_redirect_uri"):
            any_client.idp.walk(any_client.address(redirect_uri="https://evil.example/callback"), login)

    def test_the_secret_by_basic(self, any_client: Client, login: str) -> None:
        app = any_client.idp.apps[any_client.app]
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        form["code"] = any_client.code(login)
        assert requests.post(any_client.metadata()["token_endpoint"], form, auth=(app.id, app.secret), timeout=10).ok

    def test_a_wrong_password(self, any_client: Client, login: str) -> None:
        with pytest.raises(StoppedError, match="incorrect"):
            any_client.idp.walk(any_client.address(), login, password="wrong")

    def test_the_hint_is_filled_in(self, any_client: Client) -> None:
        page = requests.get(any_client.address(login_hint='"quoted" & <odd>'), timeout=10).text
        assert 'value="&#34;quoted&#34; &#38; &#60;odd&#62;"' in page
        assert "<script" not in page

    def test_a_browser_is_remembered_until_asked_again(self, any_client: Client, login: str) -> None:
        browser = Walker(any_client.idp)
        browser.walk(any_client.address(), login)
        assert "code" in told(browser.walk(any_client.address(), "nobody"))
        with pytest.raises(StoppedError):
            browser.walk(any_client.address(prompt="select_account"), "nobody")

    def test_another_person_at_the_same_browser(self, any_client: Client, login: str) -> None:
        browser, other = Walker(any_client.idp), {"tom": "pia", "kim": "lee"}[login]
        first = told(browser.walk(any_client.address(), login))["code"]
        second = told(browser.walk(any_client.address(prompt="select_account"), other))["code"]
        one, two = (any_client.read(any_client.redeem(code).json()["id_token"]) for code in (first, second))
        assert one["sub"] != two["sub"]

    @pytest.mark.parametrize("how", [{"prompt": "login"}, {"prompt": "login", "max_age": "0"}, {"max_age": "0"}])
    def test_who_asks_for_the_password_again(self, any_client: Client, login: str, how: dict[str, str]) -> None:
        browser = Walker(any_client.idp)
        with time_machine.travel(1_772_438_400, tick=False) as clock:
            browser.walk(any_client.address(), login)
            clock.shift(3600)
            if any_client.app == "google":  # which documents that it does not
                assert "code" in told(browser.walk(any_client.address(**how), "nobody"))
                return
            code = told(browser.walk(any_client.address(**how), login))["code"]
            claims = any_client.read(any_client.redeem(code).json()["id_token"])
        assert claims["auth_time"] == 1_772_442_000

    def test_nobody_is_silently_somebody(self, any_client: Client) -> None:
        assert told(any_client.idp.walk(any_client.address(prompt="none"), "nobody"))["error"] == "login_required"

    def test_prompt_consent_asks(self, any_client: Client, login: str) -> None:
        url = any_client.address(prompt="consent")
        assert told(any_client.idp.walk(url, login, press="Cancel"))["error"] == "access_denied"
        assert "code" in told(any_client.idp.walk(url, login, press="Accept"))


class TestControl:
    def test_claims_change_and_come_back(self, idp: StandIns, platform: Client, plain: Client) -> None:
        idp.control(people={"entra/tom": {"claims": {"roles": None, "acct": 0}}, "plain/kim": {"sub": "another"}})
        claims = platform.claims("tom")
        assert "roles" not in claims
        assert claims["acct"] == 0
        assert plain.claims("kim")["sub"] == "another"
        idp.reset()
        assert platform.claims("tom")["roles"] == ["Teacher"]

    def test_a_new_person(self, idp: StandIns, google: Client) -> None:
        idp.control(
            people={"google/zoe": {"login": "zoe@cedar.example", "sub": "42", "name": "Zoe", "hd": "c.example"}}
        )
        assert google.claims("zoe@cedar.example")["hd"] == "c.example"

    @pytest.mark.parametrize("old", ["keep", "drop"])
    def test_keys_rotate(self, idp: StandIns, any_client: Client, login: str, old: str) -> None:
        family = {"platform": "entra"}.get(any_client.app, any_client.app)
        tokens = any_client.tokens(login)
        idp.control(rotate={family: old})
        if old == "keep":
            any_client.read(tokens["id_token"])
        else:
            with pytest.raises(KeyError):
                any_client.read(tokens["id_token"])
        fresh = any_client.tokens(login)["id_token"]
        assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(tokens["id_token"])["kid"]
        any_client.read(fresh)

    def test_endpoints_stumble(self, idp: StandIns, any_client: Client, login: str) -> None:
        family = {"platform": "entra"}.get(any_client.app, any_client.app)
        keys = any_client.metadata()["jwks_uri"]
        idp.control(faults={f"{family}.keys": {"status": 500, "times": 1}, f"{family}.token": {"hang_up": True}})
        assert requests.get(keys, timeout=10).status_code == 500
        assert requests.get(keys, timeout=10).ok
        code = any_client.code(login)
        with pytest.raises(requests.ConnectionError):
            any_client.redeem(code)
        idp.control(faults={f"{family}.token": None, f"{family}.keys": {"size": 2_000_000}})
        assert any_client.redeem(code).ok
        huge = requests.get(keys, timeout=10)
        assert len(huge.content) > 2_000_000
        assert huge.json()["keys"]

    def test_an_endpoint_is_slow(self, idp: StandIns, plain: Client) -> None:
        keys = plain.metadata()["jwks_uri"]
        idp.control(faults={"plain.keys": {"delay": 60}})
        with pytest.raises(requests.ReadTimeout):
            requests.get(keys, timeout=0.05)

    def test_a_document_may_lie(self, idp: StandIns, plain: Client) -> None:
        idp.control(faults={"plain.discovery": {"body": {"issuer": "https://evil.example"}}})
        assert plain.metadata() == {"issuer": "https://evil.example"}

    def test_requests_are_counted(self, idp: StandIns, platform: Client) -> None:
        platform.claims("tom")
        assert idp.counts()["/entra/organizations/discovery/v2.0/keys"] == 1
        idp.forget_counts()
        assert idp.counts() == {}

    def test_tokens_are_dated_by_the_clock_of_the_test(
        self, idp: StandIns, clock: time_machine.Traveller, platform: Client
    ) -> None:
        claims = platform.claims("tom")
        now = 1772438400  # Monday 2 March 2026, 8:00
        assert claims["iat"] == claims["nbf"] == pytest.approx(now - 300, abs=60)
        assert claims["exp"] - claims["iat"] == pytest.approx(3900, abs=2)


def test_it_dies_with_whoever_started_it() -> None:
    """A test process that is killed closes its end of stdin, and no Node.js stays behind."""
    script = (
        "import os, standins; s = standins.standing_in(); idp = s.__enter__();"
        "print(idp.base, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=IDP.parent, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -9
    base = done.stdout.strip()
    assert base.startswith("http://127.0.0.1:")

    def gone() -> bool:
        try:
            return not requests.get(f"{base}/control/counts", timeout=10)
        except requests.ConnectionError:
            return True

    assert _soon(gone)


def _soon(true: Callable[[], bool]) -> bool:
    return any(true() for _ in range(2000))
