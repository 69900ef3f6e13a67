"""Microsoft, Google and any OpenID provider: who comes in, as what, and whom they open nothing for."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from inviting import invite
from standins import StandIns
from trips import google, microsoft, plain, prove, rule, travel
from world import PASSWORD, World, signed_in, somebody

from usher.core import clock
from usher.events.types import EventType
from usher.lifecycle.leave import deactivate
from usher.lifecycle.move import move
from usher.methods.email_invitation.models import Invitation
from usher.methods.invite_code.models import InviteCode
from usher.methods.sso.arrival import settle
from usher.methods.sso.entry import account_for, enter
from usher.methods.sso.models import Attempt, Connection, Kind
from usher.methods.sso.newcomer import newcomer
from usher.methods.sso.person import Person
from usher.methods.sso.ticket import ArrivedError
from usher.organizations.models import Organization
from usher.people import claim
from usher.people.addresses import parse_address
from usher.people.models import Account, Identity, Membership

pytestmark = pytest.mark.django_db


def the_member(connection: Connection) -> Membership:
    """Whoever the only identity of this connection opens."""
    identity = Identity.objects.get(connection_id=connection.id)
    return Membership.objects.select_related("account").get(
        account=identity.account_id, organization=connection.organization
    )


def last_reason() -> str:
    """Why the last sign-in was refused, as its admins read it."""
    return Attempt.objects.order_by("-at").values_list("reason", flat=True)[0]


# Somebody new


def test_somebody_new_of_the_tenant_joins_and_is_signed_in(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    answer = travel(client, providers, connection, "paul")
    assert (answer.status_code, answer["Location"]) == (302, "/home")
    member = the_member(connection)
    assert Identity.objects.get().subject == providers.person("entra/paul")["oid"]
    assert (member.role, member.method, member.state) == ("student", "microsoft", "active")
    assert member.evidence == f"the Microsoft tenant {providers.tenants['cedar']}"
    assert client.get("/o/cedar/", follow=True).status_code == 200


def test_next_time_he_is_known_and_the_provider_is_asked_once(
    world: World, providers: StandIns, client: Client
) -> None:
    connection = microsoft(world, providers)
    travel(client, providers, connection, "paul")
    providers.forget_counts()
    assert travel(Client(), providers, connection, "paul").status_code == 302
    ours = {path: n for path, n in providers.counts().items() if "token" in path or "keys" in path or "known" in path}
    assert list(ours.values()) == [1], ours
    assert the_member(connection).organization_id == world.cedar.id


def test_on_the_common_page_the_tenant_says_whose_he_is(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    microsoft(world, providers, "birch")
    assert travel(client, providers, Kind.MICROSOFT, "paul")["Location"] == "/home"
    assert the_member(connection).organization_id == world.cedar.id


def test_he_goes_on_to_where_he_was_going(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    assert travel(client, providers, connection, "paul", onward="/o/cedar/")["Location"] == "/o/cedar/"
    other = travel(Client(), providers, connection, "paul", onward="https://evil.example/")
    assert other["Location"] == "/home"


@pytest.mark.parametrize(
    ("who", "expected"),
    [("tom", "teacher"), ("cora", "teacher"), ("pia", "student")],
    ids=["verified", "course", "none"],
)
def test_classroom_says_who_teaches(world: World, providers: StandIns, client: Client, who: str, expected: str) -> None:
    world.cedar.organization.memberships.exclude(role="admin").delete()
    Account.objects.filter(home=world.cedar.id).exclude(id=world.ada.account_id).delete()
    connection = google(world)
    rule(connection, "classroom", "teacher", "teacher")
    assert travel(client, providers, connection, who).status_code == 302
    assert the_member(connection).role == expected


def test_a_subdomain_makes_students(world: World, providers: StandIns, client: Client) -> None:
    connection = google(world)
    rule(connection, "domain", "students.cedar.example", "student")
    rule(connection, "email", "*@cedar.example", "teacher")
    travel(client, providers, connection, "cora")
    assert the_member(connection).role == "teacher"
    Identity.objects.all().delete()
    travel(Client(), providers, connection, "pia")
    assert the_member(connection).role == "student"


def test_any_claim_of_an_openid_provider_is_a_fact(world: World, providers: StandIns, client: Client) -> None:
    connection = plain(world, providers)
    rule(connection, "groups", "staff", "teacher")
    rule(connection, "department", "science", world.year5)
    travel(client, providers, connection, "kim")
    member = the_member(connection)
    assert member.role == "teacher"
    assert list(member.group_links.values_list("group__name", flat=True)) == ["Year 5"]


def test_roles_of_the_tenant_groups_and_the_overage(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    rule(connection, "group", "7e57e000-0000-4000-8000-000000000001", "teacher")
    travel(client, providers, connection, "nora")
    assert the_member(connection).role == "teacher"


def test_the_school_role_comes_from_graph(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    rule(connection, "primary_role", "teacher", "teacher")
    travel(client, providers, connection, "nora")
    assert the_member(connection).role == "teacher"
    providers.forget_counts()
    travel(Client(), providers, connection, "nora")
    assert not any("graph" in path for path in providers.counts()), "asked again within the day"


def test_who_comes_every_day_is_looked_up_every_day(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    rule(connection, "primary_role", "teacher", "teacher")
    travel(client, providers, connection, "nora")
    start = clock.now()
    providers.control(people={"entra/nora": {"primary_role": "student"}})
    for hours, expected in ((20, "teacher"), (40, "student")):
        with time_machine.travel(start + dt.timedelta(hours=hours), tick=True):
            travel(Client(), providers, connection, "nora")
            assert the_member(connection).role == expected, hours


def test_what_graph_does_not_tell_gives_nothing(world: World, providers: StandIns, client: Client) -> None:
    providers.control(faults={"graph": {"status": 403, "body": "{}"}})
    connection = microsoft(world, providers)
    rule(connection, "primary_role", "teacher", "teacher")
    rule(connection, "email", "*", "teacher")
    travel(client, providers, connection, "nora")
    assert the_member(connection).role == "student"


def test_no_rule_makes_an_admin(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    rule(connection, "email", "*", "admin")
    travel(client, providers, connection, "paul")
    assert the_member(connection).role == "student"


# Members


def test_a_member_is_moved_when_the_answer_changes(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    rule(connection, "app_role", "Teacher", "teacher")
    rule(connection, "email", "*", "student")
    travel(client, providers, connection, "paul")
    member = the_member(connection)
    move(world.cedar.id, member.id, "teacher", world.ada.by)
    travel(Client(), providers, connection, "paul")
    assert the_member(connection).role == "teacher", "what Ada set by hand stays"
    providers.control(people={"entra/paul": {"claims": {"roles": ["Teacher"]}}})
    travel(Client(), providers, connection, "paul")
    providers.control(people={"entra/paul": {"claims": {"roles": None}}})
    travel(Client(), providers, connection, "paul")
    assert the_member(connection).role == "student", "the answer changed, so it counts"


def test_groups_follow_and_those_given_by_hand_stay(world: World, providers: StandIns, client: Client) -> None:
    year6 = world.cedar.group("Year 6")
    connection = microsoft(world, providers)
    rule(connection, "group", "7e57e000-0000-4000-8000-000000000002", year6)
    providers.control(people={"entra/paul": {"groups": ["7e57e000-0000-4000-8000-000000000002"]}})
    travel(client, providers, connection, "paul")
    member = the_member(connection)
    assert list(member.group_links.values_list("group__name", flat=True)) == ["Year 6"]
    providers.control(people={"entra/paul": {"groups": []}})
    travel(Client(), providers, connection, "paul")
    assert not member.group_links.exists()
    year6.refresh_from_db()
    assert year6.used == 0


def test_a_full_group_keeps_nobody_out(world: World, providers: StandIns, client: Client) -> None:
    full = world.cedar.group("Full", cap=0)
    connection = microsoft(world, providers)
    rule(connection, "email", "*", full)
    assert travel(client, providers, connection, "paul").status_code == 302
    assert not the_member(connection).group_links.exists()


# Accounts that are there already


def test_made_in_september_claimed_in_october(world: World, providers: StandIns, client: Client) -> None:
    """The organisation made the account and proved the domain: no question, one seat, and the old password is dead."""
    made = world.cedar.member(world.cedar.add(somebody("Paul Holm", email="paul@cedar.example")))
    old = signed_in(world.tom.__class__(made.account_id, made.id))
    used = world.cedar.seats("student").used
    connection = microsoft(world, providers)
    prove(world.cedar.organization, "cedar.example")
    assert travel(client, providers, connection, "paul", "/home").status_code == 302
    member = the_member(connection)
    assert member.id == made.id
    assert world.cedar.seats("student").used == used
    assert member.account.is_claimed
    assert member.account.vouched_by_organization == world.cedar.id
    assert not member.account.has_usable_password()
    assert old.get("/home").status_code == 302, "the session from before is dead"
    assert Client().post("/", {"name": "paul@cedar.example", "password": PASSWORD}).status_code != 302


def test_an_account_that_is_made_in_this_very_moment_is_not_taken_with_its_password(
    world: World, providers: StandIns
) -> None:
    """A6: between the look and the lock an import makes an account for the address, and its admin has the password."""
    connection = microsoft(world, providers)
    person = Person("https://x.example", "1", "paul@cedar.example", is_vouched=True, name="Paul Holm")
    new = newcomer(connection, person)
    made = world.cedar.member(world.cedar.add(somebody("Paul Holm", email="paul@cedar.example")))
    with pytest.raises(ArrivedError):
        enter(new, account_for(person))
    made.account.refresh_from_db()
    assert not made.account.is_claimed
    assert settle(connection, person).result == "linked"
    made.account.refresh_from_db()
    assert not made.account.has_usable_password()


def test_without_a_proved_domain_he_is_asked(world: World, providers: StandIns, client: Client) -> None:
    made = world.cedar.member(world.cedar.add(somebody("Paul Holm", email="paul@cedar.example")))
    connection = microsoft(world, providers)
    answer = travel(client, providers, connection, "paul", onward="/o/cedar/")
    page = answer["Location"]
    assert page.startswith("/sso/question/")
    assert "Have you been here before" in client.get(page).content.decode()
    assert not Identity.objects.exists()
    # He proves the old sign-in, and links.
    client.post("/o/cedar/sign-in", {"name": "paul@cedar.example", "password": PASSWORD, "next": page})
    assert client.post(page, {"act": "link"})["Location"] == "/o/cedar/"
    assert Identity.objects.get().account_id == made.account_id
    assert client.post(page, {"act": "link"}).status_code == 400, "asked and answered once"
    assert travel(Client(), providers, connection, "paul")["Location"] == "/home", "and never again"


def test_or_goes_on_as_somebody_new(world: World, providers: StandIns, client: Client) -> None:
    world.cedar.add(somebody("Paul Holm", email="paul@cedar.example"))
    connection = microsoft(world, providers)
    page = travel(client, providers, connection, "paul")["Location"]
    assert client.post(page, {"act": "new"}).status_code == 302
    account = the_member(connection).account
    assert account.email == ""
    assert account.sign_in_key.endswith(".invalid")
    assert client.get("/o/cedar/", follow=True).status_code == 200


def test_a_question_is_of_one_browser(world: World, providers: StandIns, client: Client) -> None:
    world.cedar.add(somebody("Paul Holm", email="paul@cedar.example"))
    page = travel(client, providers, microsoft(world, providers), "paul")["Location"]
    assert Client().get(page).status_code == 400
    other = signed_in(world.eve)
    assert other.post(page, {"act": "link"}).status_code == 400
    assert not Identity.objects.exists()


def test_a_member_who_proved_the_mailbox_is_linked_where_the_domain_is_proved(
    world: World, providers: StandIns, client: Client
) -> None:
    account = world.tom.account
    claim.claim(account, parse_address("tom@cedar.example"), account.password)
    prove(world.cedar.organization, "cedar.example")
    connection = microsoft(world, providers)
    assert travel(client, providers, connection, "tom")["Location"] == "/home"
    assert the_member(connection).account_id == world.tom.account_id
    account.refresh_from_db()
    assert account.has_usable_password(), "his own password stays his"
    assert account.vouched_by_organization is None


def test_an_address_that_was_given_to_somebody_else_opens_nothing(
    world: World, providers: StandIns, client: Client
) -> None:
    """B4: the domain lapsed, and its new owner makes the same address with a new subject."""
    prove(world.cedar.organization, "cedar.example")
    connection = google(world, proved="")
    travel(client, providers, connection, "cora")
    first = the_member(connection).account_id
    providers.control(people={"google/cora": {"sub": "109900000000000099999"}})
    answer = travel(Client(), providers, connection, "cora")
    assert answer["Location"].startswith("/sso/question/")
    assert Identity.objects.filter(account_id=first).count() == 1


@pytest.mark.parametrize("edov", [None, True])
def test_another_organisations_provider_opens_nobody_here(
    world: World, providers: StandIns, client: Client, edov: bool | None
) -> None:
    """A5, B1: Birch's tenant says that Mallory has Ada's address."""
    providers.control(people={"entra/mallory": {"claims": {"xms_edov": edov}}})
    before = Account.objects.filter(id=world.ada.account_id).values().get()
    connection = microsoft(world, providers, "birch")
    answer = travel(client, providers, connection, "mallory")
    assert answer.status_code == 302
    assert Account.objects.filter(id=world.ada.account_id).values().get() == before
    assert client.get("/o/cedar/").status_code in (302, 404)
    assert not Membership.objects.filter(organization=world.cedar.id, account__identities__isnull=False).exists()


# What was promised


def test_an_invitation_is_honoured_and_closed(world: World, providers: StandIns, client: Client) -> None:
    invitation = invite(world.cedar, world.ada, "vera@cedar.example", role="teacher")
    connection = microsoft(world, providers)
    travel(client, providers, connection, "vera")
    invitation.refresh_from_db()
    assert the_member(connection).role == "teacher"
    assert (invitation.state, invitation.method) == (Invitation.State.ACCEPTED, "microsoft")


def test_an_invitation_is_not_given_to_who_only_says_the_address(
    world: World, providers: StandIns, client: Client
) -> None:
    invitation = invite(world.birch, world.bob, "ada@cedar.example", role="creator")
    travel(client, providers, microsoft(world, providers, "birch"), "mallory")
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.OPEN


def test_only_the_invited_where_nobody_new_is_let_in(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers, lets_in=False)
    before = Account.objects.count()
    answer = travel(client, providers, connection, "vera")
    assert (answer.status_code, last_reason()) == (403, "sso_not_invited")
    assert Account.objects.count() == before
    invite(world.cedar, world.ada, "vera@cedar.example", role="teacher")
    travel(Client(), providers, connection, "vera")
    assert the_member(connection).role == "teacher"


def test_a_code_lets_in_where_nobody_new_is(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers, lets_in=False)
    code = InviteCode.objects.filter(organization=world.cedar.id).first() or InviteCode.objects.create(
        organization=world.cedar.organization, code="7K4M29QX", role="student", group=world.year5
    )
    answer = travel(client, providers, connection, "paul", onward=f"/join/{code.code}")
    assert answer["Location"] == f"/join/{code.code}"
    code.refresh_from_db()
    assert code.used == 1
    assert the_member(connection).method == "microsoft"


# Who does not come in


@pytest.mark.parametrize(
    ("who", "by", "why"),
    [
        ("bob", Kind.MICROSOFT, "tenant_unknown"),
        ("gina", Kind.GOOGLE, "personal_account"),
        ("carl", Kind.GOOGLE, "personal_account"),
        ("frank", Kind.GOOGLE, "hosted_domain_unknown"),
    ],
)
def test_nobody_is_taken_in_whom_nobody_connected(
    world: World, providers: StandIns, client: Client, who: str, by: Kind, why: str
) -> None:
    microsoft(world, providers)
    google(world)
    before = Account.objects.count()
    answer = travel(client, providers, by, who)
    assert answer.status_code == 403
    assert "You are not signed in" in answer.content.decode()
    assert Account.objects.count() == before
    assert not Attempt.objects.exists(), "nobody's admins learn of strangers"


@pytest.mark.parametrize(("who", "why"), [("guest", "guest_account")])
def test_guests_come_in_where_they_may(world: World, providers: StandIns, client: Client, who: str, why: str) -> None:
    connection = microsoft(world, providers)
    answer = travel(client, providers, connection, who)
    assert (answer.status_code, last_reason()) == (403, why)
    Connection.objects.filter(id=connection.id).update(guests=True)
    assert travel(Client(), providers, connection, who).status_code == 302
    assert the_member(connection).account.email == "", "another tenant answers for that address"


def test_a_seat_is_needed_and_nothing_is_left_of_a_no(world: World, providers: StandIns, client: Client) -> None:
    world.cedar.seats("student", 1)
    connection = microsoft(world, providers)
    before = Account.objects.count()
    answer = travel(client, providers, connection, "paul")
    assert answer.status_code == 409
    assert "seats are taken" in answer.content.decode()
    assert (Account.objects.count(), Identity.objects.count()) == (before, 0)
    assert world.cedar.events(EventType.MEMBERSHIP_REFUSED)[-1].reason == "seats_taken"


def test_who_was_deactivated_stays_out_by_this_door_too(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    travel(client, providers, connection, "paul")
    deactivate(world.cedar.id, the_member(connection).id, world.ada.by)
    fresh = Client()
    answer = travel(fresh, providers, connection, "paul")
    assert (answer.status_code, last_reason()) == (409, "member_inactive")
    assert fresh.get("/home").status_code == 302
    assert the_member(connection).state == "inactive"


def test_a_suspended_organisation_lets_nobody_in(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    travel(client, providers, connection, "paul")
    Organization.objects.filter(id=world.cedar.id).update(suspended_at=clock.now())
    for browser, who in ((Client(), "paul"), (Client(), "vera")):
        travel(browser, providers, connection, who)
        assert last_reason() == "organization_suspended"
        assert browser.get("/home").status_code == 302


def test_a_connection_that_is_off_opens_nothing(world: World, providers: StandIns, client: Client) -> None:
    connection = microsoft(world, providers)
    travel(client, providers, connection, "paul")
    Connection.objects.filter(id=connection.id).update(state="off")
    assert Client().post("/sso/start", {"connection": str(connection.id)}).status_code == 404
    assert travel(Client(), providers, Kind.MICROSOFT, "paul").status_code == 403
