"""Coming in by an invite code: typed in any way, opened as a link, signed in or not, in at once or proved first."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from world import PASSWORD, Person, World, signed_in, somebody

from usher.core import clock as clocks
from usher.core.limits import CODE_ACCOUNT, CODE_ADDRESS, CODE_ANYWHERE, MAIL_TO
from usher.core.models import Bucket, Mail
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle.leave import deactivate
from usher.lifecycle.move import remove_from_group
from usher.methods.invite_code import arrivals, guesses
from usher.methods.invite_code.at_once import AGAIN
from usher.methods.invite_code.models import CodeUse, InviteCode
from usher.organizations.models import SeatPool
from usher.people.models import Account, Group, Membership

CODE = "10AB29QX"
PAGE = f"/join/{CODE}"
WRONG = "This code does not work."
OWN = "three small words"


def a_code(world: World, group: Group | None = None, **facts: Any) -> InviteCode:
    """A code of Cedar, for pupils unless told otherwise."""
    facts = {"code": CODE, "role": "student", **facts}
    return InviteCode.objects.create(organization=world.cedar.organization, group=group, **facts)


def at_once(world: World, group: Group | None = None, **facts: Any) -> InviteCode:
    return a_code(world, group, proof=InviteCode.Proof.AT_ONCE, **facts)


def words(answer: Any) -> str:
    """What a reader sees of a page."""
    main = answer.content.decode().partition('id="content"')[2].partition("</main>")[0].partition(">")[2]
    text = " ".join(unescape(re.sub("<[^>]*>", " ", main.replace("<wbr>", ""))).split())
    return re.sub(r" ([.,])(?= |$)", r"\1", text)


def token(client: Client, page: str = PAGE) -> str:
    found = re.search(r'name="form" value="([^"]+)"', client.get(page).content.decode())
    assert found, "no form for new accounts"
    return found[1]


def child(client: Client, username: str = "Anna Kiln", password: str = OWN, **more: str) -> Any:
    """Fill in the form of the page and send it."""
    filled = {"username": username, "password": password, "email": "", **more}
    return client.post(PAGE, {"form": token(client), **filled} if "form" not in more else filled)


def people() -> int:
    return Account.objects.count()


def here(world: World, person: Person) -> Membership | None:
    return Membership.objects.filter(account=person.account_id, organization=world.cedar.id).first()


def is_in(client: Client) -> bool:
    return client.get("/password").status_code == 200


# However it is typed


@pytest.mark.parametrize(
    "typed",
    [CODE, "10ab29qx", " 10AB 29QX ", "1O-ab-29qx", "l0ab29qx", "I0AB–29QX", "https://usher.example/join/10AB-29QX"],
)
def test_a_code_is_read_however_it_is_typed(world: World, typed: str) -> None:
    a_code(world)
    answer = Client().post("/join", {"code": typed})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    if "/" not in typed:
        assert "You will join Cedar School as Student" in words(Client().get(f"/join/{typed}"))


@pytest.mark.parametrize("typed", ["", "   "])
def test_nothing_typed_is_no_guess(world: World, typed: str) -> None:
    assert "Type the code first." in words(Client().post("/join", {"code": typed}))
    assert not Bucket.objects.exists()


@pytest.mark.parametrize("typed", ["7K4M", "10AB29QY", "x" * 200, "🦊🦊🦊🦊🦊🦊🦊🦊"])
def test_a_wrong_code_is_said_and_kept_in_the_field(world: World, typed: str) -> None:
    a_code(world)
    for answer in (Client().post("/join", {"code": typed}), Client().get(f"/join/{typed}")):
        assert answer.status_code == 404
        assert WRONG in words(answer)
        assert f'value="{typed}"' in answer.content.decode()


def test_the_page_of_a_code_shows_and_changes_nothing(world: World) -> None:
    code = at_once(world, world.year5)
    before = (people(), CodeUse.objects.count(), Event.objects.count(), Mail.objects.count())
    for client in (Client(), signed_in(world.eve)):
        for method in (client.get, client.head):
            assert method(PAGE).status_code == 200
            assert method("/join").status_code == 200
    code.refresh_from_db()
    assert (people(), code.used, Event.objects.count(), Mail.objects.count()) == (before[0] + 1, 0, *before[2:])
    assert CodeUse.objects.count() == before[1]


# Guessing


def test_a_class_behind_one_address_mistypes_and_comes_in(world: World, clock: time_machine.Traveller) -> None:
    at_once(world, world.year5)
    for number in range(30):
        client = Client()
        for wrong in ("10AB29Q", "10AB2", "10AB29QZ"):
            assert client.post("/join", {"code": wrong}).status_code == 404
        assert client.post("/join", {"code": CODE}).status_code == 302
        assert child(client, f"Pupil {number}").status_code == 302
    assert CodeUse.objects.count() == 30


def test_only_wrong_guesses_count(world: World) -> None:
    a_code(world)
    for _ in range(3):
        Client().get(PAGE)
        Client().post("/join", {"code": CODE})
    assert not Bucket.objects.exists()


@pytest.mark.parametrize("guess", ["post", "get", "head", "register", "register by link"])
def test_every_way_to_try_a_code_counts(world: World, clock: time_machine.Traveller, guess: str) -> None:
    a_code(world)
    fill(CODE_ADDRESS.capacity - 1)
    client, wrong = Client(), "10AB29QZ"
    form = {"username": "Eve", "email": "eve@mail.example", "password": OWN, "code": wrong}
    {
        "post": lambda: client.post("/join", {"code": wrong}),
        "get": lambda: client.get(f"/join/{wrong}"),
        "head": lambda: client.head(f"/join/{wrong}"),
        "register": lambda: client.post("/register", form),
        "register by link": lambda: client.get(f"/register?code={wrong}"),
    }[guess]()
    for late in (client.get(PAGE), client.post("/join", {"code": CODE}), client.post("/register", form)):
        assert late.status_code == 429
        assert "Wait 1 minutes" in words(late)
    assert "Cedar" not in client.get(f"/register?code={CODE}").content.decode()
    assert Client(REMOTE_ADDR="203.0.113.7").get(PAGE).status_code == 200


def fill(times: int) -> None:
    for _ in range(times):
        CODE_ADDRESS.add("127.0.0.1")


def test_an_account_has_fewer_guesses_than_a_class(world: World, clock: time_machine.Traveller) -> None:
    a_code(world)
    client = signed_in(world.eve)
    for _ in range(CODE_ACCOUNT.capacity):
        assert client.get("/join/10AB29QZ").status_code == 404
    assert client.get(PAGE).status_code == 429
    assert signed_in(world.bob).get(PAGE).status_code == 200
    clock.shift(dt.timedelta(minutes=3))
    assert client.get(PAGE).status_code == 200


def test_guesses_from_everywhere_stop_and_are_said_once_in_the_log(
    world: World, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    a_code(world)
    CODE_ANYWHERE.add(guesses.EVERYBODY)
    Bucket.objects.update(level=CODE_ANYWHERE.capacity)
    for network in range(5):
        assert Client(REMOTE_ADDR=f"203.0.113.{network}").get(PAGE).status_code == 429
    said = [record for record in caplog.records if "code_guesses_everywhere" in record.getMessage()]
    assert [record.levelname for record in said] == ["WARNING"]
    clock.shift(dt.timedelta(seconds=1))
    assert Client().get(PAGE).status_code == 200


# Signed in


def test_somebody_with_an_account_reads_what_will_happen_and_joins(world: World) -> None:
    a_code(world, world.year5)
    client = signed_in(world.eve)
    page = words(client.get(PAGE))
    assert "Join Year 5" in page
    assert "You will join Cedar School as Student, in Year 5." in page
    answer = client.post(PAGE, follow=True)
    assert answer.redirect_chain == [("/o/cedar/", 302)]
    assert "You are in Cedar School now, as Student." in words(answer)
    member = here(world, world.eve)
    assert member
    assert (member.state, member.role, member.method) == ("active", "student", "invite_code")
    assert "You are in, Eve" in words(client.get(PAGE))
    client.post(PAGE)
    assert CodeUse.objects.count() == 1


def test_a_member_is_taken_into_one_more_group(world: World) -> None:
    a_code(world, world.cedar.group("Choir"))
    client = signed_in(world.pia)
    assert "You are in Cedar School already. This code takes you into Choir too." in words(client.get(PAGE))
    assert "You are in Choir now." in words(client.post(PAGE, follow=True))
    assert "You are in, Pia Pine" in words(client.get(PAGE))


def test_a_member_whom_the_code_gives_nothing_new_is_told_so(world: World) -> None:
    a_code(world, world.year5)
    client = signed_in(world.pia)
    assert "You are in, Pia Pine" in words(client.get(PAGE))
    assert client.post(PAGE)["Location"] == PAGE
    assert not CodeUse.objects.exists()


def test_who_left_the_group_since_comes_in_again(world: World) -> None:
    code = a_code(world, world.cedar.group("Choir"))
    client = signed_in(world.pia)
    client.post(PAGE)
    assert code.group_id
    remove_from_group(world.cedar.id, world.pia.membership.id, code.group_id, world.ada.by)
    assert "This code takes you into Choir too." in words(client.get(PAGE))
    assert "You are in Choir now." in words(client.post(PAGE, follow=True))


def test_who_asks_waits_for_an_admin(world: World) -> None:
    a_code(world, world.year5, needs_approval=True)
    client = signed_in(world.eve)
    page = client.get(PAGE)
    assert "An admin decides whether you come in." in words(page)
    assert "Ask to come in" in words(page)
    answer = client.post(PAGE, follow=True)
    assert "You asked to come in An admin of Cedar School decides." in words(answer)
    assert world.eve.account.email in words(answer)
    assert client.post(PAGE, follow=True).status_code == 200
    member = here(world, world.eve)
    assert member
    assert member.state == "waiting"


TRUE_REASONS: dict[str, tuple[dict[str, Any], str]] = {
    "paused": ({"paused_at": dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)}, "This code is paused."),
    "not begun": ({"starts_at": dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)}, "This code works from"),
    "ended": ({"ends_at": dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)}, "This code ended on"),
    "used up": ({"max_uses": 0}, "This code is used up."),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("what", TRUE_REASONS)
def test_somebody_signed_in_is_told_the_true_reason(world: World, what: str) -> None:
    facts, said = TRUE_REASONS[what]
    a_code(world, **facts)
    client = signed_in(world.eve)
    for answer in (client.get(PAGE), client.post(PAGE), client.post("/join", {"code": CODE})):
        assert said in words(answer)
        assert answer.status_code >= 400
    assert said not in words(Client().get(PAGE))
    assert here(world, world.eve) is None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("what", ["ended", "used up"])
def test_a_code_that_lets_people_ask_at_its_end_is_alive(world: World, what: str) -> None:
    a_code(world, at_end=InviteCode.AtEnd.ASK, **TRUE_REASONS[what][0])
    assert "An admin decides whether you come in." in words(Client().get(PAGE))
    signed_in(world.eve).post(PAGE)
    member = here(world, world.eve)
    assert member
    assert member.state == "waiting"
    assert not Bucket.objects.exists()


def test_the_door_says_no_with_the_reason_and_another_try(world: World) -> None:
    a_code(world)
    SeatPool.objects.filter(organization=world.cedar.id, pool="student").update(limit=1)
    client = signed_in(world.eve)
    answer = client.post(PAGE)
    assert answer.status_code == 409
    assert "All 1 student seats are taken." in words(answer)
    assert "Try again" in words(answer)
    assert here(world, world.eve) is None
    world.cedar.seats("student", 500)
    assert client.post(PAGE)["Location"] == "/o/cedar/"


def test_an_account_that_another_organisation_made_is_shown_the_way(world: World) -> None:
    a_code(world)
    answer = signed_in(world.bob).post(PAGE)
    assert answer.status_code == 403
    assert "belongs to another organisation and its address is not proved" in words(answer)
    assert 'href="/account/address"' in answer.content.decode()
    assert here(world, world.bob) is None


def test_a_code_for_a_domain_leads_to_an_address_there(world: World) -> None:
    a_code(world, domains=["cedar.example"])
    answer = signed_in(world.eve).post(PAGE)
    assert "This code is for people with an address at cedar.example." in words(answer)
    assert 'href="/account/address"' in answer.content.decode()


def test_who_was_deactivated_is_told_so(world: World) -> None:
    a_code(world)
    deactivate(world.cedar.id, world.pia.membership.id, world.ada.by)
    answer = signed_in(world.pia).post(PAGE)
    assert "This membership was deactivated." in words(answer)


def test_a_suspended_organisation_is_a_reason_for_those_who_are_signed_in(world: World) -> None:
    a_code(world)
    world.cedar.organization.suspended_at = clocks.now()
    world.cedar.organization.save()
    assert "suspended" in words(signed_in(world.eve).get(PAGE))
    assert WRONG in words(Client().get(PAGE))


def test_a_first_password_is_changed_before_a_code_is_used(world: World) -> None:
    a_code(world)
    outcome = world.birch.add(somebody("New", "creator", email="new@birch.example"))
    client = Client()
    client.force_login(world.birch.account(outcome))
    for answer in (client.get(PAGE), client.post(PAGE)):
        assert answer["Location"] == "/first-password"


# Not signed in: proved first


def test_a_stranger_finds_both_ways(world: World) -> None:
    a_code(world, world.year5)
    page = Client().get(PAGE)
    assert "You will join Cedar School as Student, in Year 5." in words(page)
    for way in (f'href="/register?code={CODE}"', f'href="/?next={PAGE}"', f'href="/o/cedar/sign-in?next={PAGE}"'):
        assert way in page.content.decode()
    assert f'value="{CODE}"' in Client().get(f"/register?code={CODE}").content.decode()
    assert "You will join Cedar School" in words(Client().get(f"/register?code={CODE}"))


def test_a_stranger_who_posts_is_not_let_in(world: World) -> None:
    a_code(world)
    before = people()
    for sent in ({}, {"username": "X", "password": OWN, "form": "f"}):
        assert "New here" in words(Client().post(PAGE, sent))
    assert people() == before
    assert not CodeUse.objects.exists()


def test_after_signing_in_one_is_back_at_the_code(world: World) -> None:
    a_code(world, world.cedar.group("Choir"))
    signing = {"name": "pia@cedar.example", "password": PASSWORD, "next": PAGE}
    client = Client()
    assert client.post("/", signing)["Location"] == PAGE
    assert client.post(PAGE)["Location"] == "/o/cedar/"


# Not signed in: in at once


def test_a_child_is_in_and_reads_its_sign_in_name(world: World, hashes: list[str]) -> None:
    code = at_once(world, world.year5, max_uses=1)
    client = Client()
    page = words(client.get(PAGE))
    assert "Join Year 5" in page
    answer = child(client)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert hashes == []  # the worker wraps the password; a class does not wait for it
    page = words(client.get(PAGE))  # the last use was this one's
    assert "You are in, Anna Kiln" in page
    assert "Your sign-in name is anna.kiln" in page
    assert "Write it down now." in page
    assert is_in(client)
    account = Account.objects.get(username="Anna Kiln")
    assert (account.email, account.is_claimed, account.home_id) == ("", False, world.cedar.id)
    assert account.must_change_password is False
    assert CodeUse.objects.get().membership.group_links.get().group_id == world.year5.id
    code.refresh_from_db()
    assert code.used == 1
    later = Client().post("/o/cedar/sign-in", {"name": "anna.kiln", "password": OWN})
    assert later["Location"] == "/home"


def test_a_child_pressed_twice_and_is_one_child(world: World) -> None:
    """Two requests at once carry the same cookies: none. The answer that the browser shows is the second."""
    at_once(world, max_uses=1)
    first, second = Client(), Client()
    form = token(first)
    before = people()
    for client in (first, second):
        answer = child(client, form=form)
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
        assert "Your sign-in name is anna.kiln" in words(client.get(PAGE))
    assert people() == before + 1
    assert CodeUse.objects.count() == 1
    assert not Event.objects.filter(type=EventType.MEMBERSHIP_REFUSED).exists()


def test_the_lock_at_the_door_tells_two_at_once_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second looks for the first before that one is written."""
    at_once(world)
    first, second = Client(), Client()
    form = token(first)
    child(first, form=form)
    before, real, looks = people(), arrivals.of_form, iter([None])
    monkeypatch.setattr(arrivals, "of_form", lambda sent: next(looks, real(sent)))
    assert child(second, form=form).status_code == 302
    assert (people(), is_in(second)) == (before, True)
    assert not Event.objects.filter(type=EventType.MEMBERSHIP_REFUSED).exists()


@pytest.mark.parametrize("changed", [{"username": "Bea Brick"}, {"password": "other small words"}])
def test_the_same_form_with_something_else_in_it_makes_nobody(world: World, changed: dict[str, str]) -> None:
    at_once(world)
    client = Client()
    form = token(client)
    child(client, form=form)
    client.post("/sign-out")
    before = people()
    if "password" in changed:
        answer = child(client, form=form, **changed)
        assert answer.status_code == 409
        assert "Somebody came in by this page already." in words(answer)
        assert not is_in(client)
    else:
        assert child(client, form=form, **changed).status_code == 302  # the same child, who corrected the name too late
        assert "You are in, Anna Kiln" in words(client.get(PAGE))
    assert people() == before


def test_after_an_hour_the_form_of_somebody_else_opens_nothing(world: World, clock: time_machine.Traveller) -> None:
    at_once(world)
    client = Client()
    form = token(client)
    child(client, form=form)
    client.post("/sign-out")
    clock.shift(AGAIN)
    answer = child(client, form=form)
    assert (answer.status_code, is_in(client)) == (409, False)


def test_a_form_without_its_token_lets_a_child_in_all_the_same(world: World) -> None:
    at_once(world)
    assert child(Client(), form="").status_code == 302
    assert child(Client(), "Bea Brick", form="").status_code == 302
    assert CodeUse.objects.count() == 2


def test_going_back_after_a_no_and_sending_again_is_no_second_try_too_many(world: World) -> None:
    at_once(world)
    client = Client()
    form = token(client)
    assert child(client, "Anna", "short", form=form).status_code == 400
    assert child(client, "Anna", OWN, form=form).status_code == 302


def test_the_next_child_at_the_same_computer_finds_the_way_out(world: World) -> None:
    at_once(world)
    client = Client()
    child(client)
    assert "Not you? Sign out" in words(client.get(PAGE))
    client.post("/sign-out")
    assert child(client, "Bea Brick").status_code == 302
    assert "You are in, Bea Brick" in words(client.get(PAGE))


def test_somebody_signed_in_makes_no_account_by_going_back(world: World) -> None:
    at_once(world)
    client = Client()
    form = token(client)
    child(client, form=form)
    before = people()
    assert "You are in, Anna Kiln" in words(child(client, "Bea Brick", form=form))
    assert people() == before


def test_two_children_of_one_name_are_told_apart(world: World) -> None:
    at_once(world)
    child(Client())
    answer = child(Client(), "ANNA  kiln")
    assert answer.status_code == 409
    assert "“ANNA kiln” is here already. Is that you? Then sign in below." in words(answer)
    assert 'value="ANNA  kiln"' in answer.content.decode()
    assert OWN not in answer.content.decode()
    assert child(Client(), "Anna Kiln 2").status_code == 302
    made = CodeUse.objects.order_by("at").values_list("membership__account__sign_in_key", flat=True)
    assert [name.partition("@")[0] for name in made] == ["anna.kiln", "anna.kiln.2"]


WRONG_FIELDS = [
    ({"username": ""}, "Type your name."),
    ({"username": "\u202eAnna"}, "hidden characters"),
    ({"username": "=Anna"}, "a spreadsheet would read it as a formula"),
    ({"username": "A" * 151}, "The name has 151 characters"),
    ({"password": ""}, "Make up a password"),
    ({"password": "tooshort9"}, "The password has 9 characters; at least 10 are needed."),
    ({"password": "basketball"}, "The password is one that many people use."),
    ({"email": "anna@"}, "The address “anna@” is not complete."),
]


@pytest.mark.parametrize(("given", "said"), WRONG_FIELDS)
def test_what_is_wrong_is_said_at_the_field_and_nobody_comes_in(world: World, given: dict[str, str], said: str) -> None:
    at_once(world)
    before = people()
    answer = child(Client(), **{"username": "Anna", **given})
    assert answer.status_code == 400
    assert said in words(answer)
    assert "leave it empty" not in words(answer).replace("Leave it empty if you have none", "")
    assert people() == before


def test_all_that_is_wrong_is_said_at_once(world: World) -> None:
    at_once(world)
    page = words(child(Client(), "=Anna", "tooshort9", email="anna@"))
    assert all(said in page for said in ("formula", "at least 10", "not complete"))


def test_a_full_school_is_said_to_a_child(world: World) -> None:
    at_once(world)
    world.cedar.seats("student", 1)
    answer = child(Client())
    assert answer.status_code == 409
    assert "All 1 student seats are taken. Tell your teacher." in words(answer)


def test_a_child_that_has_to_ask_reads_its_name_and_is_not_in(world: World) -> None:
    at_once(world, world.year5, needs_approval=True)
    client = Client()
    form, before = token(client), people()
    for _ in range(2):
        answer = child(client, form=form)
        assert answer.status_code == 200
        page = words(answer)
        assert "You asked to come in An admin of Cedar School decides." in page
        assert "Your sign-in name is anna.kiln" in page
        assert not is_in(client)
    assert people() == before + 1
    assert Client().post("/o/cedar/sign-in", {"name": "anna.kiln", "password": OWN}).status_code == 403


@pytest.mark.parametrize("address", ["pia@cedar.example", "eve@elsewhere.example", "new@mail.example"])
def test_an_address_typed_by_a_child_is_looked_for_nowhere(world: World, address: str) -> None:
    at_once(world)
    assert world.eve.account.email == "eve@elsewhere.example"
    client = Client()
    assert child(client, email=address).status_code == 302
    assert "Your sign-in name is anna.kiln" in words(client.get(PAGE))
    account = Account.objects.get(username="Anna Kiln")
    assert (account.email, account.is_claimed) == ("", False)
    assert list(Mail.objects.values_list("kind", "to")) == [("address", address)]


def test_nobody_gets_more_mail_than_his_share_and_the_child_is_in_all_the_same(world: World) -> None:
    at_once(world)
    for number in range(8):
        assert child(Client(), f"Pupil {number}", email="one@mail.example").status_code == 302
    assert Mail.objects.filter(to="one@mail.example").count() == MAIL_TO.capacity


def test_the_code_is_in_no_log_and_in_no_event(world: World, caplog: pytest.LogCaptureFixture) -> None:
    at_once(world, world.year5)
    caplog.set_level("DEBUG", "usher")
    client = Client()
    child(client)
    child(Client())
    client.get(PAGE)
    Client().get("/join/10AB29QZ")
    events = repr([(event.data, event.personal) for event in Event.objects.all()])
    for text in (caplog.text, events):
        assert CODE not in text
        assert "10AB29QZ" not in text
        assert OWN not in text
