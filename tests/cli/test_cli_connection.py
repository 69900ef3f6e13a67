"""usher connection: set up, tried out and taken away from a terminal, by the same rules as on the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import Usher
from django.conf import settings
from django.test import Client
from standins import StandIns
from trips import google, microsoft, plain, travel
from world import World

from usher.core import clock
from usher.core.seal import unseal
from usher.events.types import EventType
from usher.methods.sso.models import Connection
from usher.methods.sso.provider import SECRET
from usher.people.models import Account, Identity

HERE = ("--org", "cedar")
TENANT = "0b6dc70e-4f7a-4a8e-9a5c-6b2f6a2f7f11"
CLIENT = "11111111-2222-3333-4444-555555555555"


def add(usher: Usher, *words: object) -> Connection:
    return Connection.objects.get(id=usher("connection", "add", *HERE, *words, "--json").document["id"])


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("s3cret~of~cedar\n")
    return path


def test_add_says_what_to_register_and_never_the_secret(world: World, usher: Usher, secret: Path) -> None:
    ran = usher(
        "connection", "add", *HERE, "--kind", "oidc", "--name", "Okta", "--issuer", "https://cedar.okta.example",
        "--client-id", "0oa1", "--client-secret-file", secret, "--no-new-people", "--leaver-days", 90,
    )  # fmt: skip
    made = Connection.objects.get()
    assert ran.code == 0
    assert f"redirect URI\t{settings.USHER_BASE_URL}/sso/callback/{made.id}\n" in ran.out
    assert "scopes\topenid email profile\n" in ran.out
    assert f"/o/cedar/settings/integrations/{made.id}/" in ran.err
    assert (made.state, made.lets_in, made.leaver_days) == ("draft", False, 90)
    assert unseal(made.sealed_secret, SECRET) == "s3cret~of~cedar"
    shown = usher("connection", "show", *HERE, "oidc", "--json")
    assert "s3cret" not in ran.out + ran.err + shown.out
    assert shown.document["has_secret"] is True
    (event,) = world.cedar.events(EventType.CONNECTION_CREATED)
    assert event.actor_kind == "operator"


def test_what_is_left_out_stays_and_another_tenant_is_proved_anew(world: World, usher: Usher, secret: Path) -> None:
    own = ("--client-id", CLIENT, "--client-secret-file", secret)
    made = add(usher, "--kind", "microsoft", "--tenant", TENANT.upper(), *own, "--guests")
    assert usher("connection", "vouch", *HERE, "microsoft").code == 0
    told = usher("connection", "change", *HERE, made.id, "--name", "School account", "--json").document
    assert (told["name"], told["tenant"], told["guests"], told["stage"]) == ("School account", TENANT, True, "try")
    other = TENANT.replace("0b6d", "1c7e")
    told = usher("connection", "change", *HERE, made.id, "--tenant", other, "--json").document
    assert (told["tenant"], told["stage"], told["has_secret"]) == (other, "prove", True)
    assert usher("connection", "list", *HERE).out.splitlines() == [
        "id\tkind\tname\tstate\tnew people\tpeople",
        f"{made.id}\tmicrosoft\tSchool account\tTo be proved\tyes\t0",
    ]


def test_vouching_is_the_operators_word_and_not_to_be_had_twice(world: World, usher: Usher, secret: Path) -> None:
    own = ("--client-id", CLIENT, "--client-secret-file", secret, "--kind", "microsoft", "--tenant", TENANT)
    made = add(usher, *own)
    assert usher("connection", "vouch", *HERE, made.id, "--json").document["stage"] == "try"
    (event,) = world.cedar.events(EventType.CONNECTION_PROVED)
    assert (event.actor_kind, event.data["vouched"]) == ("operator", True)
    assert usher("connection", "add", "--org", "birch", *own).code == 0
    refused = usher("connection", "vouch", "--org", "birch", "microsoft")
    assert refused.code == 2
    assert "This tenant is connected to another organisation already." in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", *HERE, "--kind", "oidc"), "The field “issuer” is missing."),
        (("add", *HERE, "--kind", "microsoft", "--tenant", "cedar.example"), "“cedar.example” is not a tenant id."),
        (("add", *HERE, "--kind", "google", "--client-secret-file", "nowhere"), "There is no file nowhere."),
        (("show", *HERE, "microsoft"), "There is no such connection here."),
        (("show", *HERE, "google"), "There is no such connection here."),
        (("rules", *HERE, "oidc", "--clear", "--rule", "a=b -> teacher"), "--clear takes all rules away"),
    ],
)
def test_what_is_refused_says_why(world: World, usher: Usher, words: tuple[str, ...], said: str) -> None:
    ran = usher("connection", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not Connection.objects.exists()


def test_google_is_not_vouched_for(world: World, usher: Usher) -> None:
    usher("connection", "add", *HERE, "--kind", "google")
    ran = usher("connection", "vouch", *HERE, "google")
    assert (ran.code, "usher domain add" in ran.err) == (2, True)


def test_rules_are_written_as_they_are_read(world: World, usher: Usher) -> None:
    usher("connection", "add", *HERE, "--kind", "microsoft")
    lines = [
        "app_role=Teacher -> teacher",
        "email=y5*@cedar.example -> group:Year 5",
        "email=*@cedar.example -> student",
    ]
    given = [word for line in lines for word in ("--rule", line)]
    assert usher("connection", "rules", *HERE, "microsoft", *given).out.splitlines() == lines
    assert usher("connection", "rules", *HERE, "microsoft", "--json").document == lines
    for wrong, said in {
        "app_role=Boss -> admin": "A rule cannot make somebody an admin.",
        "app_role=Teacher": "The rule “app_role=Teacher” cannot be understood.",
        "shoe=44 -> teacher": "The rule “shoe = 44” cannot be understood.",
        "app_role=X -> group:Year 9": "Year 9",
    }.items():
        refused = usher("connection", "rules", *HERE, "microsoft", "--rule", wrong)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert usher("connection", "rules", *HERE, "microsoft", "--json").document == lines
    assert usher("connection", "rules", *HERE, "microsoft", "--clear").out == ""


# With the stand-ins


def test_check_finds_nothing_wrong_with_a_good_connection(world: World, usher: Usher, providers: StandIns) -> None:
    microsoft(world, providers)
    ran = usher("connection", "check", *HERE, "microsoft", "--json")
    assert ran.code == 0, ran.out
    assert {one["is_good"] for one in ran.document} == {True}
    assert [one["name"] for one in ran.document] == ["Provider", "Keys", "Client id and secret", "Tenant"]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"issuer": "http://127.0.0.1:9"}, "Provider"),
        ({"issuer": "{plain}/"}, "Provider"),
        ({"sealed_secret": ""}, "Client id and secret"),
    ],
    ids=["nobody there", "another issuer", "no secret"],
)
def test_check_says_what_is_wrong(
    world: World, usher: Usher, providers: StandIns, facts: dict[str, str], name: str
) -> None:
    plain(world, providers, **{key: value.format(plain=providers.plain) for key, value in facts.items()})
    ran = usher("connection", "check", *HERE, "oidc", "--json")
    assert ran.code == 1, ran.out
    assert [one["name"] for one in ran.document if one["is_good"] is False] == [name]
    told = usher("connection", "check", *HERE, "oidc")
    assert (told.code, f"wrong\t{name}\t" in told.out) == (1, True)


def test_check_without_a_proof_or_a_registration(
    world: World,
    usher: Usher,
    providers: StandIns,
    settings: Any,
) -> None:
    google(world, proved="")
    ran = usher("connection", "check", *HERE, "google", "--json")
    assert ran.code == 1
    assert [one["name"] for one in ran.document if one["is_good"] is False] == ["Domains"]
    settings.USHER_GOOGLE_CLIENT = ("", "")
    told = usher("connection", "check", *HERE, "google", "--json").document
    assert (told[0]["name"], told[0]["is_good"]) == ("Registration", False)


def test_attempts_are_told_with_their_reasons(world: World, usher: Usher, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    travel(client, providers, connection, "paul")
    assert usher("connection", "off", *HERE, "microsoft").code == 0
    Connection.objects.filter(id=connection.id).update(lets_in=False, state="on")
    travel(Client(), providers, connection, "otto")
    last, first = usher("connection", "attempts", *HERE, "microsoft", "--json").document
    assert (first["result"], first["role"], first["claims"]["tid"]) == (
        "created",
        "student",
        providers.tenants["cedar"],
    )
    assert (last["result"], last["reason"]) == ("refused", "sso_not_invited")
    assert last["sentence"] == "Cedar School lets nobody new in by Microsoft."
    assert "lets nobody new in" in usher("connection", "attempts", *HERE, "microsoft").out


def test_simulate_writes_nothing(world: World, usher: Usher, providers: StandIns, tmp_path: Path) -> None:
    microsoft(world, providers)
    usher("connection", "rules", *HERE, "microsoft", "--rule", "app_role=Teacher -> teacher")
    claims = tmp_path / "claims.json"
    given = {"tid": providers.tenants["cedar"], "oid": "someone", "sub": "s", "name": "Nia Nut", "roles": ["Teacher"]}
    claims.write_text(json.dumps(given))
    before = (Account.objects.count(), Identity.objects.count())
    told = usher("connection", "simulate", *HERE, "microsoft", "--claims", claims, "--json")
    assert told.code == 0, told.err
    assert told.document == {
        "standing": "new", "result": "created", "role": "teacher", "groups": [], "rule": "app_role=Teacher",
        "is_sure": True, "account": None, "reasons": [],
    }  # fmt: skip
    assert (Account.objects.count(), Identity.objects.count()) == before
    claims.write_text(json.dumps({**given, "tid": providers.tenants["birch"]}))
    refused = usher("connection", "simulate", *HERE, "microsoft", "--claims", claims)
    assert (refused.code, "belongs to another tenant" in refused.err) == (2, True)
    claims.write_text("[1]")
    unread = usher("connection", "simulate", *HERE, "microsoft", "--claims", claims)
    assert (unread.code, "These claims cannot be read: no object" in unread.err) == (2, True)


def test_on_needs_a_test_sign_in_and_remove_forgets_whom_it_opened(
    world: World, usher: Usher, providers: StandIns, client: Client
) -> None:
    connection = microsoft(world, providers, state="draft", tested_at=None)
    early = usher("connection", "on", *HERE, "microsoft")
    assert (early.code, "Nobody has tried this connection yet." in early.err) == (2, True)
    Connection.objects.update(tested_at=clock.now())
    assert usher("connection", "on", *HERE, "microsoft", "--json").document["state"] == "on"
    travel(client, providers, connection, "paul")
    assert usher("connection", "show", *HERE, "microsoft", "--json").document["people"] == 1
    gone = usher("connection", "remove", *HERE, "microsoft")
    assert (gone.code, gone.err) == (0, "Microsoft is removed.\n")
    assert not Connection.objects.exists()
    assert not Identity.objects.exists()
