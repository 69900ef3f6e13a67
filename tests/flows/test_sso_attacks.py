"""Single sign-on attacked by its addresses, by browsers, by providers in trouble: no way in, no broken page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from evil_idp import CANARY, EvilIdp, reasons, reply, who
from trips import leads_to
from world import PASSWORD, World, signed_in, somebody

from usher.events.models import Event
from usher.methods.sso.models import Attempt, Connection, Question, Trip
from usher.people.models import Account, Identity, Membership

pytestmark = pytest.mark.django_db

IN = 302

# Pages and addresses

STAFF = ["", "consent", "prove", "test", "switch", "doctor", "change", "remove", "rules", "simulator"]


@pytest.mark.parametrize("page", STAFF)
def test_b15_nobody_but_its_own_admins_sees_or_changes_a_connection(world: World, evil: EvilIdp, page: str) -> None:
    """B15: a teacher, another organisation's admin with the id in his own address, a stranger; nothing is changed."""
    connection = evil.connect()
    before = Connection.objects.filter(id=connection.id).values().get()
    at, own = (f"/o/{slug}/settings/integrations/{connection.id}/{page}" for slug in ("cedar", "birch"))
    given = {"to": "off", "name": "x", "claims": "{}"}
    for browser, path, no in (
        (signed_in(world.tom), at, (403,)),
        (signed_in(world.pia), at, (403,)),
        (signed_in(world.bob), at, (404,)),
        (signed_in(world.bob), own, (404, 405)),
        (signed_in(world.eve), at, (404,)),
        (signed_in(world.olga), at, (404,)),
        (Client(), at, (302,)),
    ):
        for answer in (browser.get(path), browser.post(path, given), browser.head(path)):
            assert answer.status_code in (*no, *((405,) if no != (302,) else ())), (path, answer.status_code)
            assert answer.status_code != 302 or "/sign-in" in answer["Location"]
    assert Connection.objects.filter(id=connection.id).values().get() == before
    assert not Trip.objects.exists()


ELSEWHERE = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example",
    "///evil.example",
    "http:///evil.example", "javascript:alert(1)", "/\t//evil.example", "/\r\nLocation: https://evil.example",
    "\t//evil.example",
    "//evil.example/%2f..", "/%09/evil.example", "//\u3002evil.example", "data:text/html,x", "evil.example",
    "@evil.example",
    "/\u2028/evil.example", "\u0000//evil.example", "//127.0.0.1:8000@evil.example",
]  # fmt: skip


def test_no_sign_in_ends_on_another_site(world: World, evil: EvilIdp) -> None:
    """Where somebody was going: by the trip, by the question, and by an address that is typed."""
    world.cedar.add(somebody("Paul", email="paul@cedar.example"))
    connection = evil.connect()
    for number, wanted in enumerate(ELSEWHERE):
        places = [evil.sign_in(Client(), connection, wanted)["Location"]]
        asked = Client()
        page = evil.sign_in(asked, connection, wanted, sub=f"p{number}", email="paul@cedar.example")["Location"]
        assert page.startswith("/sso/question/")
        places.append(asked.post(page, {"act": "new", "next": wanted})["Location"])
        places.append(Client().post("/sso/by-address", {"name": "x@nobody.example", "next": wanted})["Location"])
        for place in places:
            assert re.match(r"/(?![/\\])[\x21-\x7e]*$", place), (wanted, place)


def test_b7_b8_a_state_or_question_of_one_organisation_is_nothing_at_another(world: World, evil: EvilIdp) -> None:
    """B7, B8: also in the same browser, which has a trip to each under way."""
    browser = Client()
    cedars, birchs = evil.connect(), evil.connect("birch")
    urls = [evil.returns(leads_to(browser.post("/sso/start", {"connection": str(one.id)}))) for one in (cedars, birchs)]
    crossed = urls[0].replace(str(cedars.id), str(birchs.id))
    assert browser.get(crossed).status_code == 400
    assert (who(browser), Identity.objects.count()) == ("", 0)
    world.birch.add(somebody("Paul", "learner", email="paul@cedar.example"))
    page = evil.sign_in(browser, birchs, email="paul@cedar.example")["Location"]
    assert page.startswith("/sso/question/")
    assert browser.post(page, {"act": "new", "connection": str(cedars.id)}).status_code == IN
    assert set(Membership.objects.filter(account__id=who(browser)).values_list("organization__slug", flat=True)) == {
        "birch"
    }


def test_d1_the_session_has_another_key_after_single_sign_on(world: World, evil: EvilIdp) -> None:
    """Fixation: a key from before opens nothing, whether nobody, the same person or somebody else was signed in."""
    connection, browser = evil.connect(), Client()
    browser.get("/")
    keys = []
    for subject in ("one", "one", "two"):
        session = browser.session
        session["planted"] = "by the attacker"
        session.save()
        before = session.session_key or ""
        assert browser.cookies[settings.SESSION_COOKIE_NAME].value == before
        evil.sign_in(browser, connection, sub=subject)
        keys.append(browser.session.session_key)
        assert browser.session.session_key != before
        old = Client()
        old.cookies[settings.SESSION_COOKIE_NAME] = before
        assert who(old) == ""
    assert len(set(keys)) == 3


def test_mail_scanners_use_nothing_up(world: World, evil: EvilIdp) -> None:
    """GET, HEAD and POST of every address without the browser's cookies: the trip and the question stay."""
    world.cedar.add(somebody("Paul", email="paul@cedar.example"))
    connection, browser = evil.connect(), Client()
    page = evil.sign_in(browser, connection, email="paul@cedar.example")["Location"]
    url = evil.returns(leads_to(browser.post("/sso/start", {"connection": str(connection.id)})))
    kept = Trip.objects.count(), Question.objects.count(), Account.objects.count(), Event.objects.count()
    for path in (url, page, "/sso/again", "/sso/start", "/account/providers/link", "/account/providers/unlink"):
        for method in ("get", "head", "post", "put", "options"):
            answer = getattr(Client(), method)(path)
            assert answer.status_code < 500, (method, path)
    assert (Trip.objects.count(), Question.objects.count(), Account.objects.count(), Event.objects.count()) == kept
    assert browser.get(url).status_code == IN
    assert browser.get(page).status_code == 200


# The provider itself

WILD = {"error": "<b>\u0000\ud800", "error_description": "\u0000" * 9_000}
TEMPERS: dict[str, tuple[str, Any]] = {
    "error": ("/token_endpoint", lambda: reply({}, "500 Internal Server Error")),
    "no_json": ("/token_endpoint", lambda: reply(b"<html>")),
    "not_an_object": ("/token_endpoint", lambda: reply([])),
    "redirect": ("/token_endpoint", lambda: reply({}, "302 Found", Location="http://127.0.0.1/")),
    "huge": ("/token_endpoint", lambda: reply({"id_token": "x" * 2_000_000})),
    "huge_token": ("/token_endpoint", lambda: reply({"id_token": "x" * 40_000})),
    "dead": ("/token_endpoint", lambda: b""),
    "hostile_error": ("/token_endpoint", lambda: reply(WILD, "400 Bad")),
    "keys_huge": ("/jwks_uri", lambda: reply({"keys": ["x" * 2_000_000]})),
    "keys_wrong": ("/jwks_uri", lambda: reply({"keys": [{"kty": "oct", "k": "AA"}, 7, None]})),
    "keys_redirect": ("/jwks_uri", lambda: reply({}, "301 Moved", Location="file:///etc/passwd")),
}  # fmt: skip


@pytest.mark.parametrize("temper", TEMPERS)
def test_r9_r10_a_provider_in_trouble_has_a_clear_page_and_touches_nobody_else(
    world: World, evil: EvilIdp, temper: str
) -> None:
    """R9, R10: who comes by it reads why; passwords still open, and nothing is left behind."""
    connection, browser, before = evil.connect(), Client(), Account.objects.count()
    url = evil.returns(leads_to(browser.post("/sso/start", {"connection": str(connection.id)})))
    end, answer = TEMPERS[temper]
    evil.answers[end] = answer
    page = browser.get(url)
    assert page.status_code in (403, 503), page.status_code
    assert "Try" in page.content.decode()
    assert (who(browser), Account.objects.count(), Identity.objects.count()) == ("", before, 0)
    assert reasons()[0] in ("sso_unreachable", "sso_not_trusted", "sso_cancelled")
    assert Client().post("/o/cedar/sign-in", {"name": "ada@cedar.example", "password": PASSWORD}).status_code == IN
    evil.answers.clear()
    assert evil.sign_in(Client(), connection).status_code == IN, "and it works again"


@pytest.mark.parametrize(
    "jwks", ["http://169.254.169.254/latest", "http://10.0.0.1/keys", "http://[::1]:6379/", "http://localhost:1/"]
)
def test_r10_keys_at_a_private_address_are_not_asked_for(world: World, evil: EvilIdp, jwks: str) -> None:
    evil.metadata = {"jwks_uri": jwks}
    answer = evil.sign_in(Client(), evil.connect())
    assert answer.status_code in (403, 503)
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,<script>", "//evil.example", "http://a b", 'http://x/"><script>', 7, None],
)
def test_a_provider_sends_nobody_to_what_is_no_web_address(world: World, evil: EvilIdp, address: Any) -> None:
    """The authorization endpoint stands in a page of ours."""
    evil.metadata = {"authorization_endpoint": address}
    answer = Client().post("/sso/start", {"connection": str(evil.connect().id)})
    assert b"<script>" not in answer.content.replace(b"<script src", b"")
    assert answer.status_code in (403, 503) or b"&quot;&gt;&lt;script" in answer.content


WORDS = ["\u0000", "a" * 9_000, "<script>alert(1)</script>", "\ud800", "%00", "\r\nSet-Cookie: a=b"]


@pytest.mark.parametrize("name", ["error", "error_description", "code", "iss", "session_state", "state"])
def test_whatever_a_browser_brings_back_is_answered(world: World, evil: EvilIdp, name: str) -> None:
    """What stands in the address of a return is anybody's word."""
    connection = evil.connect()
    for word in WORDS:
        browser = Client()
        url = evil.returns(leads_to(browser.post("/sso/start", {"connection": str(connection.id)})))
        extra = "error=access_denied&" if name == "error_description" else ""
        escaped = "".join(f"%{byte:02x}" for byte in word.encode("utf-8", "surrogatepass"))
        answer = browser.get(f"{url}&{extra}{name}={escaped}")
        assert answer.status_code < 500, word[:20]
        assert b"<script>alert" not in answer.content


def test_no_secret_code_or_token_is_shown_logged_or_kept(
    world: World, evil: EvilIdp, caplog: pytest.LogCaptureFixture
) -> None:
    """Canaries: the client secret, the code, the access token, the ID token and our own state, nonce and verifier."""
    caplog.set_level("DEBUG")
    connection, browser = evil.connect(), Client()
    going = leads_to(browser.post("/sso/start", {"connection": str(connection.id)}))
    url = evil.returns(going)
    state = url.rpartition("state=")[2]
    seen = [browser.get(url).content]
    evil.answers["/token_endpoint"] = lambda: reply({"error": "invalid_grant", "error_description": "no"}, "400 Bad")
    seen.append(evil.sign_in(Client(), connection).content)
    evil.answers.clear()
    seen.append(evil.sign_in(Client(), connection, aud="somebody else").content)
    ada = signed_in(world.ada)
    at = f"/o/cedar/settings/integrations/{connection.id}/"
    seen += [ada.get(f"{at}{page}").content for page in ("", "change", "rules", "simulator")]
    seen.append(ada.post(f"/o/cedar/settings/integrations/{connection.id}/doctor").content)
    rows = [*Event.objects.values(), *Attempt.objects.values(), *Trip.objects.values(), *Identity.objects.values()]
    whole = b"".join(seen).decode() + str(rows) + str(Connection.objects.values()) + caplog.text
    assert CANARY not in whole
    assert state not in whole
    assert evil.claims["nonce"] not in whole
    assert not re.search(r"eyJ[\w-]{20,}\.eyJ", whole), "no signed token anywhere"
