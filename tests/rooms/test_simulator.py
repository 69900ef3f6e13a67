"""The simulator: claims in, verdict out, and nothing is done."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.test import Client
from standins import StandIns
from trips import google, microsoft, plain, providers, rule, travel  # noqa: F401
from world import World, signed_in

from usher.events.models import Event
from usher.methods.sso.models import Attempt, Connection
from usher.people.models import Account, Identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def at(connection: Connection) -> str:
    return f"/o/cedar/settings/integrations/{connection.id}/simulator"


def simulated(browser: Client, connection: Connection, claims: object, query: str = "") -> str:
    text = claims if isinstance(claims, str) else json.dumps(claims)
    answer: Any = browser.post(at(connection) + query, {"claims": text})
    return " ".join(html.unescape(answer.content.decode()).split())


def entra(standing_in: StandIns, /, **claims: object) -> dict[str, object]:
    tenant = standing_in.tenants["cedar"]
    known = {
        "iss": f"{standing_in.entra}/{tenant}/v2.0",
        "sub": "s",
        "tid": tenant,
        "oid": "new-person",
        "name": "Nelly New",
    }
    return {**known, **claims}


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Account, Identity, Event, Attempt))


def test_somebody_new_is_shown_with_role_rule_and_group(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = microsoft(world, providers, state="draft")
    rule(one, "app_role", "Teacher", "teacher")
    rule(one, "email", "*@cedar.example", world.year5)
    providers.forget_counts()
    before = counts()
    text = simulated(ada, one, entra(providers, roles=["Teacher"], email="nelly@cedar.example"))
    for words in ("New here, and in", "Nobody here yet.", "Teacher", "By the rule: App role “Teacher”", "Year 5"):
        assert words in text
    assert "nobody answers for its domain" in text
    assert "Nothing was done." in text
    assert counts() == before
    assert providers.counts() == {}


def test_without_a_rule_it_is_the_lowest_role(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    text = simulated(ada, microsoft(world, providers), entra(providers))
    assert "By no rule." in text
    assert "<b>Student</b>" in text


def test_a_full_house_is_told_with_the_next_step(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    world.cedar.seats("student", 1)
    text = simulated(ada, microsoft(world, providers), entra(providers))
    assert "Refused" in text
    assert "seats are taken" in text


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"tid": "b17c0000-2222-4222-8222-00000000b17c"}, "belongs to another tenant than Cedar School’s"),
        ({"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, "This is a private Microsoft account."),
        ({"idp": "https://elsewhere.example/"}, "You are a guest in this Microsoft tenant"),
    ],
)
def test_whom_it_is_not_open_to(
    world: World, ada: Client, providers: StandIns, claims: dict[str, object], sentence: str  # noqa: F811
) -> None:  # fmt: skip
    assert sentence in simulated(ada, microsoft(world, providers), entra(providers, **claims))


def test_who_has_an_address_here_would_be_asked_or_is_known(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    text = simulated(ada, microsoft(world, providers), entra(providers, email="pia@cedar.example"))
    assert "The person is asked once: link or create." in text
    assert "Pia Pine" in text


def test_a_past_sign_in_is_picked_with_what_was_asked_beside_the_token(
    world: World, ada: Client, providers: StandIns, client: Client  # noqa: F811
) -> None:  # fmt: skip
    one = microsoft(world, providers)
    rule(one, "primary_role", "teacher", "teacher")
    travel(client, providers, one, "nora")
    past = Attempt.objects.get()
    text = " ".join(html.unescape(ada.get(f"{at(one)}?attempt={past.id}").content.decode()).split())
    assert "Known: has signed in by this connection before." in text
    assert "By the rule: School role (teacher or student) “teacher”" in text
    assert "Not known" not in text
    changed = simulated(ada, one, {**past.claims, "name": "Another"}, f"?attempt={past.id}")
    assert "Not known" in changed
    assert "it is asked of the provider at a real sign-in only" in changed


def test_attempts_of_others_are_not_shown(world: World, ada: Client, providers: StandIns, client: Client) -> None:  # noqa: F811
    mine, theirs = google(world), plain(world, providers, "birch")
    travel(client, providers, theirs, "kim")
    answer = ada.get(f"{at(mine)}?attempt={Attempt.objects.get().id}")
    assert answer.status_code == 200
    assert "Kim" not in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "These claims cannot be read"),
        ("[1]", "no object"),
        ('{"a": 1, "a": 2}', "a name stands twice"),
        ('{"name": "\\ud800"}', "These claims cannot be read"),
        ("{}", "“sub” is missing."),
        ('{"sub": 1}', "“sub” is missing."),
        ("[" * 20000, "These claims cannot be read"),
        ('{"x": "' + "y" * 40_000 + '"}', "they are longer than 32 KB."),
        ("", "This field is required."),
    ],
)
def test_what_is_no_object_of_claims_is_refused_in_place(world: World, ada: Client, text: str, why: str) -> None:
    one = google(world)
    answer = ada.post(at(one), {"claims": text})
    assert answer.status_code == 400
    assert why in html.unescape(answer.content.decode())
    if len(text) < 100:
        assert html.escape(text, quote=True).replace("&#x27;", "&#39;") in answer.content.decode()
    assert "What would happen" not in answer.content.decode()


def test_odd_values_are_shown_as_text_and_break_nothing(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = plain(world, providers)
    rule(one, "deep.er", "<script>", "teacher")
    odd = {"sub": "x", "name": ["no"], "email": {"a": 1}, "deep": {"er": "<script>"}, "n": None, "big": 10**30}
    text = ada.post(at(one), {"claims": json.dumps(odd)}).content.decode()
    assert "<script>" not in text.replace("<script src", "").replace("<script defer", "")
    assert "&lt;script&gt;" in text
    assert "Teacher" in text
