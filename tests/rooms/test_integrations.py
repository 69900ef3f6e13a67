"""Organisation → Settings → Integrations: set up by an admin alone, from the first click to "on"."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from standins import StandIns, Walker
from trips import back, google, leads_to, microsoft, plain, prove, providers, rule, travel  # noqa: F401
from world import World, signed_in

from usher.core.models import Mail
from usher.events.models import Event
from usher.events.types import EventType
from usher.methods.sso.models import Attempt, Connection
from usher.organizations.models import Domain
from usher.people.models import Identity, Membership

pytestmark = pytest.mark.django_db
PAGE = "/o/cedar/settings/integrations"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def page(browser: Client, address: str) -> str:
    return html.unescape(browser.get(address).content.decode())


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def at(connection: Connection, act: str = "") -> str:
    return f"{PAGE}/{connection.id}/{act}"


def go(browser: Client, idp: StandIns, address: str, login: str, **data: str) -> str:
    """Press a button that leads to the provider, and come back; returns the page one lands on."""
    answer = back(browser, Walker(idp).walk(leads_to(browser.post(address, data)), login))
    assert answer.status_code == 302, answer.content
    return page(browser, answer["Location"])


def the_one() -> Connection:
    return Connection.objects.get()


def states(text: str) -> list[str]:
    return re.findall(r'<span class="state \w+"><i></i>([^<]+)</span>', text)


# The list


def test_the_settings_lead_to_what_can_be_set_up(ada: Client) -> None:
    assert f'href="{PAGE}/"' in page(ada, "/o/cedar/settings")
    text = page(ada, f"{PAGE}/")
    assert states(text) == ["Not set up"] * 4
    for word in ("Set up: Microsoft", "Set up: Google Workspace", "Set up: Any OpenID provider"):
        assert word in text


def test_each_connection_stands_there_with_its_state_and_next_step(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    microsoft(world, providers, proved_at=None, tested_at=None, state="draft")
    plain(world, providers, tested_at=None, state="draft")
    google(world)
    text = page(ada, f"{PAGE}/")
    assert states(text) == ["To be proved", "On", "To be tried", "Not set up"]
    assert "Prove it" in text
    assert "Keycloak" in text


def test_a_plan_without_it_says_so(world: World, ada: Client) -> None:
    licence = world.cedar.organization.license
    licence.overrides = {"methods": ["microsoft", "csv_import"]}
    licence.save()
    text = page(ada, f"{PAGE}/")
    assert text.count("does not include it") == 3
    assert ada.get(f"{PAGE}/new/google").status_code == 404
    assert ada.get(f"{PAGE}/new/microsoft").status_code == 200


# Microsoft


def test_microsoft_by_consent_to_on(world: World, providers: StandIns, client: Client) -> None:  # noqa: F811
    bob, base = signed_in(world.bob), "/o/birch/settings/integrations"
    answer = bob.post(f"{base}/new/microsoft/shared", {"then": "consent"})
    url = leads_to(answer)
    assert "/organizations/v2.0/adminconsent?" in url
    browser = Walker(providers)
    onward = back(bob, browser.walk(url, "bob"))  # consented, and on to sign in
    assert the_one().proved_at is None
    landed = back(bob, browser.walk(onward["Location"], "bob"))
    text = page(bob, landed["Location"])
    one = the_one()
    assert (one.tenant, one.state) == (providers.tenants["birch"], "draft")
    assert one.proved_at
    assert "Proved: an admin of the other side signed in." in text
    assert "To be tried" in states(text)
    here = f"{base}/{one.id}"
    tested = go(bob, providers, f"{here}/test", "gus")
    assert "The test worked." in tested
    assert not Identity.objects.exists()
    assert "Switched on." in text_of(bob.post(f"{here}/switch", {"to": "on"}, follow=True))
    assert "GroupMember.Read.All" in providers.control()["tenants"]["birch"]["consented"]
    assert travel(client, providers, the_one(), "gus")["Location"] == "/home"
    assert Membership.objects.get(method="microsoft").organization_id == world.birch.id
    told = [event.type for event in world.birch.events() if event.type.startswith("connection")]
    assert told == ["connection:created", "connection:proved", "connection:changed"]
    assert Mail.objects.filter(kind="connection", organization_id=world.birch.id).count() == 3


def test_a_consent_that_is_declined_proves_nothing(world: World, providers: StandIns) -> None:  # noqa: F811
    bob = signed_in(world.bob)
    url = leads_to(bob.post("/o/birch/settings/integrations/new/microsoft/shared", {"then": "consent"}))
    landed = back(bob, Walker(providers).walk(url, "bob", press="Cancel"))
    assert the_one().proved_at is None
    text = page(bob, landed["Location"])
    assert "did not sign you in" in text
    assert "AADSTS65004" in text
    again = bob.post("/o/birch/settings/integrations/new/microsoft/shared", {})
    assert again["Location"].endswith(f"{the_one().id}/")  # no second one beside the first


def test_whoever_is_no_admin_of_the_tenant_proves_nothing(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    ada.post(f"{PAGE}/new/microsoft/shared")
    text = go(ada, providers, at(the_one(), "prove"), "tom")
    assert "This account is not an admin of its Microsoft tenant" in text
    assert the_one().proved_at is None
    assert "Refused" in states(text)


def test_a_second_organisation_cannot_prove_the_same_tenant(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    microsoft(world, providers, "birch", tenant=providers.tenants["cedar"])
    ada.post(f"{PAGE}/new/microsoft/shared")
    mine = Connection.objects.get(organization=world.cedar.organization)
    text = go(ada, providers, at(mine, "prove"), "ada")
    assert "This tenant is connected to another organisation already." in text
    mine.refresh_from_db()
    assert (mine.proved_at, mine.tenant) == (None, "")


def test_a_tenant_that_is_typed_and_not_proved_stays_shut(
    world: World, ada: Client, providers: StandIns, client: Client  # noqa: F811
) -> None:  # fmt: skip
    app = providers.apps["cedar"]
    given = {"tenant": providers.tenants["cedar"], "client_id": app.id, "secret": app.secret}
    answer = ada.post(f"{PAGE}/new/microsoft", given)
    one = the_one()
    assert answer["Location"] == at(one)
    text = page(ada, at(one))
    assert f"/sso/callback/{one.id}" in text
    assert "Copy redirect URI" in text
    go(ada, providers, at(one, "test"), "pia")  # a test proves nothing
    refused = ada.post(at(one, "switch"), {"to": "on"})
    assert refused.status_code == 409
    assert "is not proved yet" in text_of(refused)
    assert client.post("/sso/start", {"connection": str(one.id)}).status_code == 404
    assert the_one().state == "draft"
    assert "Proved" in go(ada, providers, at(one, "prove"), "ada")
    assert the_one().proved_at


def test_without_a_test_it_is_not_switched_on(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = microsoft(world, providers, state="draft", tested_at=None)
    refused = ada.post(at(one, "switch"), {"to": "on"})
    assert refused.status_code == 409
    assert "Nobody has tried this connection yet." in text_of(refused)


def test_what_was_typed_stays_with_the_sentence(world: World, ada: Client) -> None:
    answer = ada.post(
        f"{PAGE}/new/microsoft", {"tenant": "cedar.example", "client_id": "abc", "secret": "s3cret-typed"}
    )
    text = text_of(answer)
    assert answer.status_code == 400
    assert "“cedar.example” is not a tenant id." in text
    assert 'value="abc"' in text
    assert "s3cret-typed" not in text
    assert not Connection.objects.exists()


# Google


def test_google_is_proved_by_an_admin_of_the_domain(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    assert "none is proved yet" in page(ada, f"{PAGE}/new/google")
    ada.post(f"{PAGE}/new/google/shared")
    one = the_one()
    assert "This account is not an admin of the domain" in go(ada, providers, at(one, "prove"), "tom")
    assert not Domain.objects.exists()
    text = go(ada, providers, at(one, "prove"), "ada")
    assert "To be tried" in states(text)
    domain = Domain.objects.get()
    assert (domain.name, domain.proof, domain.organization_id) == ("cedar.example", "admin", world.cedar.id)
    assert "The test worked." in go(ada, providers, at(one, "test"), "cora")
    assert ada.post(at(one, "switch"), {"to": "on"})["Location"] == at(one)


def test_a_private_account_is_refused_in_a_test_and_says_why(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    one = google(world, tested_at=None, state="draft")
    text = go(ada, providers, at(one, "test"), "gina")
    assert "This is a private Google account." in text
    the_one().refresh_from_db()
    assert the_one().tested_at is None


# Any OpenID provider


def test_an_openid_provider_is_looked_for_when_it_is_saved(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    app = providers.apps["plain"]
    given = {"name": "Keycloak", "issuer": providers.plain, "client_id": app.id, "secret": app.secret}
    text = text_of(ada.post(f"{PAGE}/new/oidc", given, follow=True))
    assert f"It answers, and calls itself {providers.plain}." in text
    assert "The test worked." in go(ada, providers, at(the_one(), "test"), "kim")


def test_one_that_does_not_answer_is_kept_with_the_doctors_word(
    world: World, ada: Client, providers: StandIns  # noqa: F811
) -> None:  # fmt: skip
    given = {"name": "Keycloak", "issuer": f"{providers.plain}/other", "client_id": "a", "secret": "b"}
    text = text_of(ada.post(f"{PAGE}/new/oidc", given, follow=True))
    assert "did not answer as an OpenID provider" in text
    assert "Compare the address" in text
    assert the_one().state == "draft"
    refused = ada.post(at(the_one(), "test"))
    assert refused.status_code in (403, 503)
    assert the_one().tested_at is None


def test_an_issuer_that_cannot_be_one_is_refused(world: World, ada: Client) -> None:
    answer = ada.post(f"{PAGE}/new/oidc", {"name": "K", "issuer": "ftp://x?y", "client_id": "a", "secret": "b"})
    assert answer.status_code == 400
    assert "“ftp://x?y” cannot be the address of an issuer." in text_of(answer)


# The doctor, and what is seen of sign-ins


def test_the_doctor_says_which_side_is_wrong(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = plain(world, providers)
    good = text_of(ada.post(at(one, "doctor")))
    assert "The provider takes them." in good
    assert "They can be read: 1." in good
    ada.post(at(one, "change"), {"name": "Keycloak", "issuer": one.issuer, "client_id": "usher", "secret": "wrong"})
    assert "The provider does not take them (“invalid_client”)." in text_of(ada.post(at(one, "doctor")))
    providers.control(faults={"plain.keys": {"status": 500}})
    assert "answered with the status 500" in text_of(ada.post(at(one, "doctor")))


@pytest.mark.parametrize("which", ["microsoft", "google"])
def test_the_doctor_asks_the_others_too(world: World, ada: Client, providers: StandIns, which: str) -> None:  # noqa: F811
    one = microsoft(world, providers) if which == "microsoft" else google(world)
    text = text_of(ada.post(at(one, "doctor")))
    assert states(text).count("Good") == 4
    assert "Wrong" not in states(text)


def test_the_doctor_names_a_consent_that_is_missing(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = google(world)
    rule(one, "classroom", "teacher", "teacher")
    assert "No sign-in has shown yet" in text_of(ada.post(at(one, "doctor")))
    providers.control(people={"google/rita": {"verified_teacher": False}})  # then only the courses would say
    go(ada, providers, at(one, "test"), "rita")
    text = text_of(ada.post(at(one, "doctor")))
    assert "the last sign-in did not say it" in text
    assert "classroom.courses.readonly" in text


def test_its_looks_are_counted(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = plain(world, providers)
    answers = [ada.post(at(one, "doctor")).status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]


def test_past_sign_ins_are_shown_claim_by_claim(
    world: World, ada: Client, providers: StandIns, client: Client  # noqa: F811
) -> None:  # fmt: skip
    one = microsoft(world, providers)
    rule(one, "app_role", "Teacher", "teacher")
    travel(client, providers, one, "tom")
    travel(Client(), providers, one, "guest")
    text = page(ada, at(one))
    assert "You are a guest in this Microsoft tenant" in text
    assert "Asked: link or create" in states(text)
    assert providers.person("entra/tom")["oid"] in text
    assert "nonce" not in text
    assert f"simulator?attempt={Attempt.objects.get(result='asked').id}" in text


# Options


def test_options_are_changed_and_told(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = microsoft(world, providers)
    assert 'name="client_id"' not in page(ada, at(one, "change"))
    ada.post(at(one, "change"), {"name": "School account", "guests": "on", "leaver_days": "90"})
    one.refresh_from_db()
    assert (one.name, one.guests, one.lets_in, one.leaver_days, one.state) == ("School account", True, False, 90, "on")
    text = page(ada, at(one))
    assert "give the seat back after 90 days" in text
    assert "for those who are in or invited" in text
    assert world.cedar.events(EventType.CONNECTION_CHANGED)[0].actor_id == world.ada.account_id
    assert "guests yes" in page(ada, "/o/cedar/events")
    wrong = ada.post(at(one, "change"), {"name": "x", "leaver_days": "3"})
    assert wrong.status_code == 400
    assert 'value="3"' in wrong.content.decode()


def test_another_issuer_has_to_be_tried_again(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = plain(world, providers)
    data = {"name": "Keycloak", "issuer": "https://other.example", "client_id": "usher", "lets_in": "on"}
    text = text_of(ada.post(at(one, "change"), data, follow=True))
    assert "another provider now" in text
    one.refresh_from_db()
    assert (one.state, one.tested_at) == ("draft", None)
    assert one.sealed_secret


def test_removing_says_how_many_and_takes_what_it_opened(
    world: World, ada: Client, providers: StandIns, client: Client  # noqa: F811
) -> None:  # fmt: skip
    one = microsoft(world, providers)
    travel(client, providers, one, "paul")
    assert "1 person signs in by it." in page(ada, at(one, "remove"))
    assert Connection.objects.exists()
    assert ada.post(at(one, "remove"))["Location"] == f"{PAGE}/"
    assert not Connection.objects.exists()
    assert not Identity.objects.exists()
    assert Membership.objects.get(method="microsoft").state == "active"
    assert ada.post(at(one, "remove")).status_code == 404


def test_the_last_way_in_is_not_switched_off(world: World, ada: Client, providers: StandIns) -> None:  # noqa: F811
    one = microsoft(world, providers)
    organization = world.cedar.organization
    type(organization).objects.filter(id=organization.id).update(passwords_for="admins")
    for path in ("switch", "remove"):
        refused = ada.post(at(one, path), {"to": "off"})
        assert refused.status_code == 409
        assert "No connection of Cedar School" in text_of(refused)
    assert the_one().state == "on"


# Who may, and what is never shown


def test_a_secret_is_shown_nowhere(
    world: World, ada: Client, providers: StandIns, caplog: pytest.LogCaptureFixture  # noqa: F811
) -> None:  # fmt: skip
    secret = "hush-hush-4711"
    given = {"name": "Keycloak", "issuer": providers.plain, "client_id": "usher", "secret": secret}
    shown = [text_of(ada.post(f"{PAGE}/new/oidc", given, follow=True))]
    one = the_one()
    shown += [page(ada, at(one, path)) for path in ("", "change", "rules", "simulator", "remove")]
    shown += [text_of(ada.post(at(one, "doctor"))), page(ada, f"{PAGE}/"), page(ada, "/o/cedar/events")]
    go(ada, providers, at(one, "test"), "kim")
    shown.append(page(ada, at(one)))
    kept = [str((event.data, event.personal)) for event in Event.objects.all()]
    kept += [str(row) for row in Attempt.objects.values()] + [str(row) for row in Mail.objects.values()]
    kept += [str(row) for row in Connection.objects.values()]
    assert not any(secret in text for text in [*shown, *kept, caplog.text])


def test_other_organisations_and_ranks_find_nothing(world: World, providers: StandIns) -> None:  # noqa: F811
    one, theirs = microsoft(world, providers), plain(world, providers, "birch")
    acts = ("", "change", "rules", "simulator", "remove", "consent", "prove", "test", "switch", "doctor")
    for person, status in ((world.tom, 403), (world.pia, 403), (world.bob, 404), (world.eve, 404)):
        browser = signed_in(person)
        assert browser.get(f"{PAGE}/").status_code == status
        assert {browser.post(at(one, act), {"to": "off"}).status_code for act in acts} <= {status, 405}
    ada = signed_in(world.ada)
    for act in acts:
        assert ada.post(at(theirs, act), {"to": "off"}).status_code in (404, 405), act
        assert ada.get(at(theirs, act)).status_code in (404, 405), act
    assert set(Connection.objects.values_list("state", flat=True)) == {"on"}


def test_changes_ask_who_it_is_after_ten_minutes(
    world: World, providers: StandIns, clock: time_machine.Traveller  # noqa: F811
) -> None:  # fmt: skip
    one, ada = microsoft(world, providers), signed_in(world.ada)
    clock.shift(dt.timedelta(minutes=21))
    for act in ("change", "rules", "remove", "consent", "prove", "test", "switch"):
        assert ada.post(at(one, act), {"to": "off"})["Location"].startswith("/sign-in/again"), act
    assert ada.post(f"{PAGE}/new/oidc", {})["Location"].startswith("/sign-in/again")
    assert ada.post(f"{PAGE}/new/google/shared", {})["Location"].startswith("/sign-in/again")
    assert ada.get(at(one)).status_code == 200
    assert the_one().state == "on"
