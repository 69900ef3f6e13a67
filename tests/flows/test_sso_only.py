"""Single sign-on only: an organisation that wants its own provider is entered by nothing else, at every door (B12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from by_provider import comes_by_provider, connect, give_back, identity, request_of, rule
from command import run as usher
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from doors import text_of
from invited import copied, page_of
from invited import register as accept
from inviting import ZOE, invite
from mailing import link_in, mails, one_mail
from routes import LOCKED
from world import PASSWORD, Person, World, known, signed_in, somebody

from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.models import Event
from usher.events.types import OPERATOR, EventType
from usher.lifecycle import offers, signing_in
from usher.lifecycle.leave import deactivate, leave
from usher.lifecycle.move import move
from usher.lifecycle.signing_in import Rules
from usher.lifecycle.telling import tell
from usher.methods.invite_code.models import InviteCode
from usher.organizations.plans import Method
from usher.organizations.suspend import suspend
from usher.people import links, passwords, sign_in
from usher.people.models import Account, Membership

CEDAR, DOOR, PAGE = "/o/cedar/", "/o/cedar/sign-in", "/o/cedar/settings/sign-in/"
ONLY = "Cedar School is entered with single sign-on only."
OWN = "four words in a row"
ADMINS, MARKED = {"passwords_for": "admins"}, {"passwords_for": "marked"}


def is_shut(browser: Client, page: str = CEDAR) -> bool:
    """Sent to the page that says why, which can be seen."""
    answer: Any = browser.get(page)
    if (answer.status_code, answer.headers.get("Location", "").partition("?")[0]) != (302, DOOR):
        return False
    return ONLY in text_of(browser.get(answer["Location"]))


def at_the_door(name: str, at: str = "/", password: str = PASSWORD) -> tuple[Client, Any]:
    browser = Client()
    return browser, browser.post(at, {"name": name, "password": password})


def has_session(browser: Client) -> bool:
    return browser.get("/account/security").status_code == 200


def mark(person: Person) -> None:
    Membership.objects.filter(id=person.membership.id).update(keeps_password=True)


def in_both(world: World, person: Person) -> None:
    """In an organisation that wants single sign-on, and in one that does not."""
    world.cedar.add(known(person))
    world.birch.add(known(person, "learner"))


# Who needs it


@pytest.mark.parametrize(
    ("policy", "shut_out"),
    [({"passwords_for": "everyone"}, ""), (ADMINS, "tom pia"), (MARKED, "ada tom pia")],
    ids=["everyone", "admins", "marked"],
)
def test_the_policy_says_who_needs_it(world: World, policy: dict[str, str], shut_out: str) -> None:
    rule(world.cedar, **policy)
    found = [name for name in ("ada", "tom", "pia") if is_shut(signed_in(world.people[name]))]
    assert found == shut_out.split()


@pytest.mark.parametrize("policy", [ADMINS, MARKED], ids=["admins", "marked"])
def test_who_is_marked_is_always_exempt(world: World, policy: dict[str, str]) -> None:
    rule(world.cedar, **policy)
    mark(world.ada)
    assert signed_in(world.ada).get(CEDAR).status_code == 200


def test_every_page_of_it_is_shut(world: World) -> None:
    rule(world.cedar, **MARKED)
    browser = signed_in(world.ada)
    values = {"slug": "cedar", "member_id": world.pia.membership_id, "group_id": world.year5.id}
    routes = [route for route in LOCKED.values() if "slug" in route.names]
    assert len(routes) > 40
    for route in routes:
        for answer in (browser.get(route.address(**values)), browser.post(route.address(**values), {"q": "x"})):
            assert (route.text, answer.status_code, answer["Location"].partition("?")[0]) == (route.text, 302, DOOR)


def test_its_own_provider_opens_it_and_no_other_ones_does(world: World) -> None:
    rule(world.cedar, **MARKED)
    assert comes_by_provider(world.cedar, world.ada.account).get(CEDAR).status_code == 200
    assert is_shut(comes_by_provider(world.birch, world.ada.account))


def test_the_page_that_says_why_leads_in_no_circle(world: World) -> None:
    rule(world.cedar, **ADMINS)
    browser = signed_in(world.pia)
    page = browser.get("/home", follow=True)
    assert page.status_code == 200
    assert len(page.redirect_chain) == 2
    assert ONLY in text_of(page)
    assert 'name="password"' not in page.content.decode()
    assert browser.get("/home?all=1").status_code == 200
    assert browser.post("/sign-out").status_code == 302
    assert not has_session(browser)


def test_whoever_is_in_by_the_provider_is_not_kept_at_that_page(world: World) -> None:
    rule(world.cedar, **MARKED)
    answer = comes_by_provider(world.cedar, world.ada.account).get(f"{DOOR}?next=/o/cedar/users")
    assert (answer.status_code, answer["Location"]) == (302, "/o/cedar/users")


def test_no_question_is_asked_where_there_is_no_policy(world: World) -> None:
    browser = signed_in(world.pia)
    browser.get(CEDAR)
    with CaptureQueriesContext(connection) as free:
        browser.get(CEDAR)
    rule(world.cedar, **MARKED)
    mark(world.pia)
    with CaptureQueriesContext(connection) as bound:
        browser.get(CEDAR)
    assert len(free) == len(bound)


# The doors


def by_password(world: World) -> Client:
    return at_the_door(world.pia.account.sign_in)[0]


def by_password_at_its_own_door(world: World) -> Client:
    return at_the_door("pia@cedar.example", DOOR)[0]


def by_a_session_from_before(world: World) -> Client:
    return signed_in(world.pia)


def by_a_new_password(world: World) -> Client:
    """A link that was on its way when the rule came."""
    rule(world.cedar, passwords_for="everyone")
    Client().post("/forgot", {"email": "pia@cedar.example"})
    path = link_in(one_mail(), "/reset/")
    rule(world.cedar, **ADMINS)
    browser = Client()
    browser.post(path, {"password": OWN, "again": OWN})
    browser.post("/", {"name": "pia@cedar.example", "password": OWN})
    return browser


def by_a_set_up_link(world: World) -> Client:
    link = links.make_setup_link(world.pia.account, world.cedar.id, OPERATOR)
    browser = Client()
    browser.post("/" + link.partition("//")[2].partition("/")[2], {"password": OWN, "again": OWN})
    assert has_session(browser)
    return browser


def by_the_first_password(world: World) -> Client:
    browser = signed_in(world.pia)
    Account.objects.filter(id=world.pia.account_id).update(must_change_password=True)
    assert browser.post("/first-password", {"password": OWN, "again": OWN}).status_code == 302
    return browser


def by_registering(world: World) -> Client:
    """With the address for which the organisation made an account: then that one is his."""
    code = InviteCode.objects.create(organization=world.cedar.organization, code="10AB29QX", role="student")
    browser = Client()
    filled = {"username": "Pia", "email": "pia@cedar.example", "password": OWN, "code": code.code}
    browser.post("/register", filled)
    browser.post(link_in(one_mail(), "/confirm/"))
    assert has_session(browser)
    return browser


def by_the_proof_of_an_address(world: World) -> Client:
    rule(world.cedar, passwords_for="everyone")
    browser = signed_in(world.pia)
    browser.post("/account/address", {"email": "pia@mail.example"})
    path = link_in(next(one for one in mails() if one.to == ["pia@mail.example"]), "/address/")
    rule(world.cedar, **ADMINS)
    browser.post(path, {"password": OWN, "again": OWN})
    assert has_session(browser)
    return browser


DOORS = (
    by_password,
    by_password_at_its_own_door,
    by_a_session_from_before,
    by_a_new_password,
    by_a_set_up_link,
    by_the_first_password,
    by_registering,
    by_the_proof_of_an_address,
)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_b12_no_other_way_leads_in(world: World, door: Callable[[World], Client]) -> None:
    rule(world.cedar, **ADMINS)
    answer = door(world).get(CEDAR)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, DOOR)


def test_b12_a_code_lets_in_only_whom_the_provider_knows(world: World) -> None:
    rule(world.cedar, **ADMINS)
    code = InviteCode.objects.create(organization=world.cedar.organization, code="10AB29QX", role="student")
    answer = signed_in(world.eve).post(f"/join/{code.code}")
    assert ONLY in text_of(answer)
    assert not Membership.objects.filter(account_id=world.eve.account_id).exists()
    identity(world.birch, world.eve, "another organisation's word")
    assert ONLY in text_of(signed_in(world.eve).post(f"/join/{code.code}"))
    identity(world.cedar, world.eve, "1")
    signed_in(world.eve).post(f"/join/{code.code}")
    assert Membership.objects.get(account_id=world.eve.account_id).state == "active"


def test_b12_an_invitation_makes_no_member_whom_the_provider_does_not_know(world: World) -> None:
    invitation = invite(world.cedar, world.ada)
    rule(world.cedar, **ADMINS)
    answer = accept(Client(), page_of(invitation))
    assert ONLY in text_of(answer)
    assert not Membership.objects.filter(account__sign_in_key=ZOE).exists()


def test_b12_nor_one_for_the_unproved(world: World) -> None:
    path = copied(world, invite(world.cedar, world.ada), unproved=True)
    rule(world.cedar, **ADMINS)
    assert ONLY in text_of(accept(Client(), path))
    assert not Account.objects.filter(sign_in_key=ZOE).exists()


def test_b12_an_admin_may_be_invited_where_admins_keep_passwords(world: World) -> None:
    invitation = invite(world.cedar, world.ada, role="admin")
    rule(world.cedar, **ADMINS)
    answer = accept(Client(), page_of(invitation), "four words in a row and more")
    assert answer["Location"] == CEDAR


def test_people_can_be_invited_and_imported_all_the_same(world: World) -> None:
    rule(world.cedar, **MARKED)
    assert invite(world.cedar, world.ada).id
    for method in (Method.CSV_IMPORT, Method.BULK_ACCOUNTS, Method.CONSOLE, Method.OPERATOR):
        joiner = somebody(f"By {method.value}", method=method)
        assert world.cedar.add(joiner).membership_id, method


def test_an_offer_that_is_taken_opens_nothing(world: World) -> None:
    world.cedar.add(somebody("Eve", email="eve@elsewhere.example"))
    rule(world.cedar, **ADMINS)
    (offer,) = offers.listed(world.eve.account)
    offers.take(world.eve.account, offer.id)
    assert is_shut(signed_in(world.eve))


# Signing in


@pytest.mark.parametrize("at", ["/", DOOR])
def test_the_right_password_of_who_has_nothing_else_is_told_so(world: World, at: str) -> None:
    rule(world.cedar, **ADMINS)
    browser, answer = at_the_door("pia@cedar.example", at)
    assert (answer.status_code, ONLY in text_of(answer)) == (403, True)
    assert not has_session(browser)
    assert not Event.objects.filter(type="account:signed_in").exists()


def test_a_wrong_password_learns_nothing_of_it(world: World) -> None:
    rule(world.cedar, **ADMINS)
    known_one = at_the_door("pia@cedar.example", password="wrong-lamp-4821")[1]
    nobody = at_the_door("nobody@cedar.example", password="wrong-lamp-4821")[1]
    for answer in (known_one, nobody):
        assert "The name or the password is not right." in text_of(answer)
        assert "single sign-on only" not in text_of(answer)


def test_a_wrong_password_costs_no_query_more(world: World) -> None:
    counts = []
    for policy in ({"passwords_for": "everyone"}, ADMINS):
        rule(world.cedar, **policy)
        with CaptureQueriesContext(connection) as queries:
            at_the_door("pia@cedar.example", password="wrong-lamp-4821")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_who_is_in_another_organisation_too_signs_in_and_goes_there(world: World) -> None:
    in_both(world, world.eve)
    rule(world.cedar, **ADMINS)
    browser, answer = at_the_door("eve@elsewhere.example")
    assert answer.status_code == 302
    assert browser.get("/o/birch/").status_code == 200
    assert is_shut(browser)


def test_the_operator_always_gets_in(world: World) -> None:
    world.cedar.add(known(world.olga))
    rule(world.cedar, **MARKED)
    browser, _ = at_the_door("olga@usher.example")
    assert browser.get("/operator/").status_code == 200
    assert is_shut(browser)


# The session


def test_the_word_of_a_provider_ends_with_the_session(world: World) -> None:
    in_both(world, world.eve)
    rule(world.cedar, **MARKED)
    browser = comes_by_provider(world.cedar, world.eve.account)
    assert browser.get(CEDAR).status_code == 200
    browser.post("/sign-out")
    browser.post("/", {"name": "eve@elsewhere.example", "password": PASSWORD})
    assert has_session(browser)
    assert is_shut(browser)


def test_it_is_not_left_to_who_signs_in_next(world: World) -> None:
    in_both(world, world.eve)
    rule(world.cedar, **ADMINS)
    browser = comes_by_provider(world.cedar, world.pia.account)
    browser.post("/", {"name": "eve@elsewhere.example", "password": PASSWORD})
    assert browser.get("/o/birch/").status_code == 200
    assert is_shut(browser)


def test_a_second_organisation_is_added_for_the_same_person(world: World) -> None:
    in_both(world, world.eve)
    rule(world.cedar, **MARKED)
    rule(world.birch, **MARKED)
    browser = comes_by_provider(world.cedar, world.eve.account)
    assert browser.get("/o/birch/").status_code == 302
    comes_by_provider(world.birch, world.eve.account, browser)
    assert [browser.get(page).status_code for page in (CEDAR, "/o/birch/")] == [200, 200]


def test_whoever_is_in_signs_in_once_more(world: World) -> None:
    """Under a new key: the one of before is dead, wherever it was copied to."""
    browser, before = signed_in(world.pia), Client()
    name = settings.SESSION_COOKIE_NAME
    before.cookies[name] = browser.cookies[name].value
    assert browser.post("/", {"name": "pia@cedar.example", "password": PASSWORD}).status_code == 302
    assert has_session(browser)
    assert not has_session(before)


def test_proving_it_again_by_the_provider_is_fresh_and_counts(world: World) -> None:
    rule(world.cedar, **ADMINS)
    browser = signed_in(world.pia)
    request = request_of(browser)
    before = request.session.session_key
    sign_in.prove_again_by_provider(request, world.pia.account, world.cedar.organization)
    give_back(browser, request)
    assert request.session.session_key != before
    assert browser.get(CEDAR).status_code == 200


def test_the_word_outlives_a_new_password_of_ones_own(world: World) -> None:
    rule(world.cedar, **ADMINS)
    browser = comes_by_provider(world.cedar, world.pia.account)
    browser.post("/password", {"old": PASSWORD, "password": OWN, "again": OWN})
    assert browser.get(CEDAR).status_code == 200


def test_the_event_tells_by_what(world: World) -> None:
    comes_by_provider(world.cedar, world.ada.account)
    at_the_door("tom@cedar.example")
    events = world.cedar.events(EventType.ACCOUNT_SIGNED_IN)
    assert [event.data["way"] for event in events] == ["oidc", "password"]
    told = [one.sentence for one in tell(world.cedar.organization, events)]
    assert told[0].startswith("With ")
    assert "password" not in told[0]
    assert told[1] == "With the sign-in name and password."


# Those who are out (B13)


def test_b13_a_provider_brings_nobody_back(world: World) -> None:
    """Whoever was deactivated, and everybody of a suspended organisation: proved they are, and out."""
    browser = comes_by_provider(world.cedar, world.pia.account)
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    assert browser.get(CEDAR).status_code == 404
    assert comes_by_provider(world.cedar, world.pia.account).get(CEDAR).status_code == 404
    code = InviteCode.objects.create(organization=world.cedar.organization, code="10AB29QX", role="student")
    rule(world.cedar, **ADMINS)
    identity(world.cedar, world.pia)
    browser.post(f"/join/{code.code}")
    assert world.pia.membership.state == "inactive"
    suspend(world.cedar.organization, "Unpaid", OPERATOR)
    for policy in (ADMINS, {"passwords_for": "everyone"}):
        rule(world.cedar, **policy)
        assert comes_by_provider(world.cedar, world.tom.account).get(CEDAR).status_code == 403


# A forgotten password (D6)


def test_d6_the_mail_of_who_has_nothing_else_holds_no_link(world: World) -> None:
    rule(world.cedar, **ADMINS)
    answer = Client().post("/forgot", {"email": "pia@cedar.example"})
    assert (answer.status_code, answer["Location"]) == (302, "/forgot?sent=1")
    mail = one_mail()
    assert "/reset/" not in str(mail.body)
    assert "Cedar School" in str(mail.body)
    assert link_in(mail, DOOR) == DOOR


def test_d6_the_others_get_their_link(world: World) -> None:
    rule(world.cedar, **ADMINS)
    for address in ("ada@cedar.example", "bob@birch.example"):
        Client().post("/forgot", {"email": address})
        assert link_in(one_mail(), "/reset/")


# The rules themselves (B15, K6)


def change(world: World, **rules: Any) -> bool:
    has_connection = rules.pop("has_connection", True)
    organization = world.cedar.organization
    organization.refresh_from_db()
    return signing_in.change(organization, Rules(**rules), world.ada.actor, has_connection=has_connection)


def refused(call: Callable[..., object], *args: Any, **more: Any) -> Reason:
    with pytest.raises(UsherError) as no:
        call(*args, **more)
    return no.value.findings[0].reason


def policy_of(world: World) -> str:
    world.cedar.organization.refresh_from_db()
    return world.cedar.organization.passwords_for


def test_b15_passwords_stay_as_long_as_no_provider_is_on(world: World) -> None:
    assert refused(change, world, passwords_for="admins", has_connection=False) is Reason.NO_WAY_LEFT
    assert policy_of(world) == "everyone"
    assert world.cedar.events(EventType.SECURITY_CHANGED) == []


def test_b15_somebody_marked_has_to_have_a_password(world: World) -> None:
    assert refused(change, world, passwords_for="marked") is Reason.NO_PASSWORD_LEFT
    Account.objects.filter(id=world.ada.account_id).update(password=passwords.UNUSABLE)
    keeps = frozenset([world.ada.membership.id])
    assert refused(change, world, passwords_for="marked", keeps=keeps) is Reason.NO_PASSWORD_LEFT
    assert refused(change, world, passwords_for="admins") is Reason.NO_PASSWORD_LEFT
    assert (policy_of(world), world.ada.membership.keeps_password) == ("everyone", False), "all of it or nothing"


def test_a_password_that_has_run_out_is_none(world: World) -> None:
    Account.objects.filter(id=world.ada.account_id).update(password_expires_at=clocks.now() - timedelta(days=1))
    assert refused(change, world, passwords_for="admins") is Reason.NO_PASSWORD_LEFT


def test_only_admins_are_marked(world: World) -> None:
    for person in (world.tom, world.bob):
        assert refused(change, world, keeps=frozenset([person.membership.id])) is Reason.NOT_A_MEMBER


def test_a_change_is_told_to_all_admins_and_in_the_events(world: World) -> None:
    may = world.cedar.settle("May Maple", "admin")
    assert change(world, passwords_for="marked", keeps=frozenset([world.ada.membership.id]))
    assert not change(world, passwords_for="marked"), "so it is already"
    assert [event.data for event in world.cedar.events(EventType.SECURITY_CHANGED)] == [
        {"passwords_for": "marked"},
        {"keeps": True},
    ]
    told = tell(world.cedar.organization, world.cedar.events(EventType.SECURITY_CHANGED))
    assert told[0].sentence == "passwords for marked admins alone, by Ada Ash."
    sent = mails()
    assert sorted(mail.to[0] for mail in sent) == ["ada@cedar.example", may.account.email]
    assert "Ada Ash changed who signs in" in str(sent[0].body)


def test_b15_the_last_one_who_could_get_in_stays(world: World) -> None:
    may = world.cedar.settle("May Maple", "admin")
    change(world, passwords_for="marked", keeps=frozenset([world.ada.membership.id]))
    ada = world.ada.membership.id
    assert refused(deactivate, world.cedar.id, ada, may.by) is Reason.NO_PASSWORD_LEFT
    assert refused(move, world.cedar.id, ada, "teacher", may.by) is Reason.NO_PASSWORD_LEFT
    assert refused(change, world, keeps=frozenset()) is Reason.NO_PASSWORD_LEFT
    organization = world.cedar.organization
    assert refused(signing_in.mark, organization, ada, may.actor, keeps=False) is Reason.NO_PASSWORD_LEFT
    Account.objects.filter(id=world.ada.account_id).update(claimed_at=clocks.now(), home=None)
    assert refused(leave, world.ada.account, ada) is Reason.NO_PASSWORD_LEFT
    assert deactivate(world.cedar.id, may.membership.id, world.ada.by), "the others may go"


def test_whoever_is_no_admin_any_more_is_not_marked_either(world: World) -> None:
    may = world.cedar.settle("May Maple", "admin")
    organization = world.cedar.organization
    for person in (world.ada, may):
        assert signing_in.mark(organization, person.membership.id, world.ada.actor, keeps=True)
    change(world, passwords_for="marked")
    move(world.cedar.id, may.membership.id, "teacher", world.ada.by)
    assert not may.membership.keeps_password
    assert is_shut(signed_in(may))


def test_k6_the_command_line_opens_a_locked_house(world: World) -> None:
    rule(world.cedar, **MARKED)
    assert at_the_door("ada@cedar.example")[1].status_code == 403
    ran = usher("org", "passwords", "--org", "cedar", "everyone")
    assert ran.code == 0, ran.err
    assert at_the_door("ada@cedar.example")[1].status_code == 302
    (event,) = world.cedar.events(EventType.SECURITY_CHANGED)
    assert (event.actor_kind, event.data) == ("operator", {"passwords_for": "everyone"})
    assert "The operator changed who signs in" in str(one_mail().body)


def test_k6_the_command_line_keeps_the_rules_too(world: World) -> None:
    words = ("org", "passwords", "--org", "cedar", "marked", "--keep", "ada@cedar.example")
    ran = usher(*words)
    assert (ran.code, "No connection of Cedar School is switched on" in ran.err) != (0, False)
    connect(world.cedar)
    assert usher(*words[:5]).code != 0, "nobody is marked"
    ran = usher(*words)
    assert ran.code == 0, ran.err
    assert (policy_of(world), world.ada.membership.keeps_password) == ("marked", True)
    assert usher(*words[:6], "tom@cedar.example").code != 0


# The page


def test_the_page_says_what_is_and_saves_what_is_chosen(world: World) -> None:
    connect(world.cedar)
    browser = signed_in(world.ada)
    page = text_of(browser.get(PAGE))
    for words in ("Ada Ash", "has a password", "has no second factor", "Only the admins ticked below"):
        assert words in page
    sent = {"passwords_for": "marked", "second_factor_for": "nobody", "keeps": [str(world.ada.membership_id)]}
    assert browser.post(PAGE, sent)["Location"] == PAGE
    assert (policy_of(world), world.ada.membership.keeps_password) == ("marked", True)
    assert "checked" in browser.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("connected", "sent", "said"),
    [
        (False, {"passwords_for": "admins"}, "No connection of Cedar School is switched on"),
        (True, {"passwords_for": "marked"}, "Nobody could get in if the provider failed."),
    ],
)
def test_a_no_stands_in_its_place(world: World, connected: bool, sent: dict[str, str], said: str) -> None:
    if connected:
        connect(world.cedar)
    answer = signed_in(world.ada).post(PAGE, {"second_factor_for": "nobody", **sent})
    assert (answer.status_code, said in text_of(answer)) == (400, True)
    assert f'value="{sent["passwords_for"]}"' in answer.content.decode()
    assert policy_of(world) == "everyone"


def test_b15_the_page_is_for_admins_with_a_fresh_proof(world: World) -> None:
    assert signed_in(world.tom).get(PAGE).status_code == 403
    browser = signed_in(world.ada)
    session = browser.session
    session["usher.proved_at"] = 0
    session.save()
    assert browser.get(PAGE)["Location"].startswith("/sign-in/again")


def test_a_mark_of_somebody_elses_is_refused(world: World) -> None:
    sent = {"passwords_for": "everyone", "second_factor_for": "nobody", "keeps": [str(world.bob.membership_id)]}
    assert signed_in(world.ada).post(PAGE, sent).status_code == 400
    assert not world.bob.membership.keeps_password
