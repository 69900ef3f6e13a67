"""Organisation → Users and its people, as an admin, a pupil and a stranger meet them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import Person, World, class_list, signed_in, somebody

from usher.lifecycle import leave
from usher.people.models import Account, Group, GroupMembership, SearchWord

USERS = "/o/cedar/users"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def of(person: Person, rest: str = "") -> str:
    return f"{USERS}/{person.membership_id}{rest}"


PAGES = ["/o/cedar/", USERS, f"{USERS}/add", f"{USERS}/export", "/o/cedar/licence", "/o/cedar/events", "/o/cedar/why"]


@pytest.mark.parametrize("page", PAGES)
def test_who_opens_what(world: World, page: str) -> None:
    inside = {"/o/cedar/": 200}.get(page, 403)
    assert signed_in(world.ada).get(page).status_code == 200
    assert signed_in(world.pia).get(page).status_code == inside
    assert signed_in(world.bob).get(page).status_code == 404
    assert signed_in(world.eve).get(page).status_code == 404
    assert Client().get(page).status_code == 302


def test_a_pupil_is_told_that_he_is_in(world: World) -> None:
    page = signed_in(world.pia).get("/o/cedar/").content.decode()
    assert "You are in, Pia Pine" in page
    assert "Year 5" in page
    assert "/o/cedar/users" not in page


def test_home_leads_to_the_one_place_or_says_what_to_do(world: World) -> None:
    assert signed_in(world.pia).get("/home")["Location"] == "/o/cedar/"
    assert "You sit in no organisation yet" in signed_in(world.eve).get("/home").content.decode()
    assert "You are an operator" in signed_in(world.olga).get("/home").content.decode()


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("", ["Ada Ash", "Tom Thorn", "Pia Pine", "People 1 to 3 of 3, by name"], ["Bob Briar"]),
        ("?q=th", ["Tom Thorn"], ["Ada Ash</bdi></a>", "Pia Pine"]),
        ("?q=nobody", ["No one matches “nobody”."], ["Pia Pine"]),
        ("?role=student", ["Pia Pine", "Role: Student"], ["Tom Thorn"]),
        ("?role=nonsense&way=x&group=y&state=z&at=w", ["Pia Pine", "Tom Thorn"], []),
        ("?state=inactive", ["Nobody fits these filters."], ["Pia Pine"]),
        ("?never=1", ["Pia Pine"], []),
    ],
)
def test_the_list(ada: Client, query: str, there: list[str], gone: list[str]) -> None:
    page = ada.get(USERS + query)
    assert page.status_code == 200
    text = page.content.decode()
    for words in there:
        assert words in text
    for words in gone:
        assert words not in text


def test_paging(world: World, ada: Client) -> None:
    world.cedar.add_many(class_list(120))
    first = ada.get(USERS)
    assert "People 1 to 50 of 123, by name" in first.content.decode()
    second = ada.get(first.context["next_url"])
    third = ada.get(second.context["next_url"])
    assert "People 101 to 123 of 123, by name" in third.content.decode()
    shown = [row.id for page in (first, second, third) for row in page.context["rows"]]
    assert len(shown) == len(set(shown)) == 123
    assert [row.id for row in ada.get(third.context["back_url"]).context["rows"]] == shown[50:100]


def test_the_page_asks_the_same_number_of_questions_of_a_larger_house(world: World, ada: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            ada.get(USERS)
        return len(queries)

    world.cedar.add_many(class_list(60))
    before = asked()
    world.cedar.add_many(class_list(200, start=100))
    assert asked() == before


def export(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{USERS}/export{query}")
    content: Iterator[bytes] = answer.streaming_content  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(b"".join(content).decode())))


def test_the_export_is_the_list_and_no_formula(world: World, ada: Client) -> None:
    Account.objects.filter(id=world.pia.account_id).update(username="=HYPERLINK(1)")
    rows = export(ada)
    assert [row["sign_in"] for row in rows] == ["ada@cedar.example", "pia@cedar.example", "tom@cedar.example"]
    assert rows[1]["username"] == "'=HYPERLINK(1)"
    assert rows[1]["groups"] == "Year 5"
    assert "password" not in rows[0]
    assert [row["role"] for row in export(ada, "?role=teacher")] == ["teacher"]


def test_a_person_and_why(world: World, ada: Client) -> None:
    page = ada.get(of(world.pia)).content.decode()
    assert "Why is Pia Pine here?" in page
    assert "Change role" in page
    drawer = ada.get(of(world.pia), headers={"HX-Request": "true"}).content.decode()
    assert "data-drawer" in drawer
    assert "<html" not in drawer
    assert ada.get(f"/o/cedar/users/{world.bob.membership_id}").status_code == 404


def test_change_role_and_meet_the_rules(world: World, ada: Client) -> None:
    assert ada.post(of(world.pia, "/role"), {"role": "teacher"}).status_code == 302
    assert world.pia.membership.role == "teacher"
    last = ada.post(of(world.ada, "/role"), {"role": "student"})
    assert last.status_code == 409
    assert "This is the last admin who can sign in." in last.content.decode()
    assert world.ada.membership.role == "admin"
    assert ada.post(of(world.pia, "/role"), {"role": "king"}).status_code == 400
    assert ada.get(of(world.pia, "/role")).status_code == 405


def test_change_groups_keeps_archived_ones(world: World, ada: Client) -> None:
    oak, old = world.cedar.group("Oak"), world.cedar.group("Old")
    GroupMembership.objects.create(organization_id=world.cedar.id, group=old, membership=world.pia.membership)
    Group.objects.filter(id=old.id).update(state="archived", used=1)
    page = ada.get(of(world.pia))
    sent = {"group": [str(oak.id), *(str(key) for key in page.context["kept"])]}
    assert ada.post(of(world.pia, "/groups"), sent).status_code == 302
    assert {link.group.name for link in world.pia.membership.group_links.all()} == {"Oak", "Old"}


def test_a_full_group_is_refused_and_the_ticks_stay(world: World, ada: Client) -> None:
    oak = world.cedar.group("Oak", cap=1)
    ada.post(of(world.tom, "/groups"), {"group": [str(oak.id), str(world.year5.id)]})
    refused = ada.post(of(world.pia, "/groups"), {"group": [str(oak.id), str(world.year5.id)]})
    assert refused.status_code == 409
    assert "All 1 places in the group “Oak” are taken." in refused.content.decode()
    assert set(refused.context["mine"]) == {oak.id, world.year5.id}
    assert [link.group_id for link in world.pia.membership.group_links.all()] == [world.year5.id]


def test_correct_name_and_address(world: World, ada: Client) -> None:
    before = world.pia.account.password
    ada.post(of(world.pia, "/correct"), {"username": "Pia Öpine", "email": "Pia.New@cedar.example"})
    account = world.pia.account
    assert (account.username, account.sign_in_key) == ("Pia Öpine", "pia.new@cedar.example")
    assert account.password == before
    assert SearchWord.objects.filter(membership=world.pia.membership_id, word="opine").exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"username": "Pia", "email": "pia@cedar"}, "is not complete."),
        ({"username": "Pia", "email": "tom@cedar.example"}, "Somebody here has the address"),
        ({"username": "=Pia", "email": "pia@cedar.example"}, "a spreadsheet would read it as a formula"),
        ({"username": "", "email": "pia2@cedar.example"}, "This field is required."),
    ],
)
def test_a_wrong_correction_keeps_what_was_typed(
    world: World, ada: Client, typed: dict[str, str], sentence: str
) -> None:
    page = ada.post(of(world.pia, "/correct"), typed)
    assert sentence in page.content.decode()
    assert f'value="{typed["email"]}"' in page.content.decode()
    assert world.pia.account.sign_in_key == "pia@cedar.example"


def test_a_new_password_is_shown_once_and_kept_nowhere(world: World, ada: Client) -> None:
    page = ada.post(of(world.pia, "/password"))
    password = page.context["reset"].password
    assert password in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert world.pia.account.check_password(password)
    assert password not in ada.get(of(world.pia)).content.decode()
    above = ada.post(of(world.ada, "/password"))
    assert above.status_code == 403


def test_deactivate_and_reactivate(world: World, ada: Client) -> None:
    ada.post(of(world.pia, "/deactivate"))
    assert world.pia.membership.state == "inactive"
    assert "Reactivate" in ada.get(of(world.pia)).content.decode()
    world.cedar.seats("student", 0)
    full = ada.post(of(world.pia, "/reactivate"))
    assert full.status_code == 409
    assert "seats are taken" in full.content.decode()
    world.cedar.seats("student", 5)
    ada.post(of(world.pia, "/reactivate"))
    assert world.pia.membership.state == "active"


def who(*people: Person) -> list[str]:
    return [str(person.membership_id) for person in people]


def test_bulk_says_what_became_of_each(world: World, ada: Client) -> None:
    asked = ada.post(f"{USERS}/bulk", {"do": "deactivate", "who": who(world.pia, world.ada)})
    assert "Deactivate 2 people?" in asked.content.decode()
    assert world.pia.membership.state == "active"
    done = ada.post(f"{USERS}/bulk", {"do": "deactivate", "sure": "1", "who": who(world.pia, world.ada)})
    text = done.content.decode()
    assert "1 person is changed." in text
    assert "This is the last admin who can sign in." in text
    assert (world.pia.membership.state, world.ada.membership.state) == ("inactive", "active")


def test_bulk_add_to_group(world: World, ada: Client) -> None:
    oak = world.cedar.group("Oak")
    asked = ada.post(f"{USERS}/bulk", {"do": "group", "who": who(world.pia, world.tom)})
    assert "Oak" in asked.content.decode()
    done = ada.post(f"{USERS}/bulk", {"do": "group", "group": str(oak.id), "who": who(world.pia, world.tom)})
    assert done["Location"] == USERS
    assert GroupMembership.objects.filter(group=oak).count() == 2


def test_bulk_new_passwords_is_a_file(world: World, ada: Client) -> None:
    before = world.pia.account.password
    ada.post(f"{USERS}/bulk", {"do": "passwords", "who": who(world.pia)})
    assert world.pia.account.password == before
    answer = ada.post(f"{USERS}/bulk", {"do": "passwords", "sure": "1", "who": who(world.pia, world.bob)})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["username"] for row in rows] == ["Pia Pine"]
    assert world.pia.account.check_password(rows[0]["password"])
    assert rows[0]["sign_in_at"].endswith("/o/cedar/sign-in")


@pytest.mark.parametrize("sent", [{}, {"do": "deactivate"}, {"do": "x", "who": "y"}, {"who": "00000000"}])
def test_bulk_with_nobody_or_nothing(ada: Client, sent: dict[str, str]) -> None:
    assert ada.post(f"{USERS}/bulk", sent)["Location"] == USERS


def test_bulk_never_touches_another_house(world: World, ada: Client) -> None:
    ada.post(f"{USERS}/bulk", {"do": "deactivate", "sure": "1", "who": who(world.bob)})
    assert world.bob.membership.state == "active"


def test_the_licence_page_warns(world: World, ada: Client) -> None:
    world.cedar.seats("student", 0)
    page = ada.get("/o/cedar/licence").content.decode()
    assert "Students: 1 people on 0 seats." in page


def test_events_and_their_filters(world: World, ada: Client) -> None:
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("Zoë", email="zoe@other.example"), world.ada.by)
    leave.deactivate(world.cedar.id, world.pia.membership_id, world.ada.by)  # type: ignore[arg-type]
    assert "All 1 student seats are taken." in ada.get("/o/cedar/events").content.decode()
    only = ada.get("/o/cedar/events?type=membership:deactivated")
    assert [one.type for one in only.context["told"]] == ["membership:deactivated"]
    none = ada.get("/o/cedar/events?reason=license_ended")
    assert "Nothing like this has happened." in none.content.decode()
    assert ada.get("/o/cedar/events?type=x&before=y").status_code == 200


def test_why_by_sign_in(world: World, ada: Client) -> None:
    world.cedar.seats("student", 1)
    world.cedar.add(somebody("Zoë", email="zoe@other.example"))
    assert "is not in. All 1 student seats" in ada.get("/o/cedar/why?sign_in=zoe@other.example").content.decode()
    assert ada.get("/o/cedar/why?sign_in=pia@cedar.example")["Location"] == of(world.pia)
    unknown = ada.get("/o/cedar/why?sign_in=bob@birch.example")
    assert unknown.status_code == 404
    assert "is not a member here." in unknown.content.decode()
