"""Who waits: seen by those who may decide, let in or refused one by one or together, and nobody lost."""

from __future__ import annotations

import pytest
from asking import ask, asking_code
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import BY_OPERATOR, World, signed_in

from usher.core.models import Mail
from usher.events.types import EventType
from usher.lifecycle.move import set_group_right
from usher.people.models import GroupMembership, Membership

ASKS = "/o/cedar/asks"
DECIDE = f"{ASKS}/decide"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def tom(world: World) -> Client:
    return signed_in(world.tom)


def state(member: Membership) -> str:
    member.refresh_from_db()
    return member.state


def text(client: Client, address: str = ASKS) -> str:
    return client.get(address).content.decode()


def test_the_page_says_who_waits_for_what_and_how_they_came(world: World, ada: Client) -> None:
    ask(asking_code(world.cedar, world.year5), "Zoë Zander", "zoe@mail.example")
    ask(asking_code(world.cedar, role="teacher"), "Yan Yew")
    page = text(ada)
    for words in ("Zoë Zander", "zoe@", "Proved", "Year 5", "the code of Year 5", "Invite code"):
        assert words in page
    for words in ("Yan Yew", "Teacher", "a code of the organisation", "None"):
        assert words in page


def test_nobody_waits(ada: Client) -> None:
    assert "Nobody waits" in text(ada)
    assert "Who waits" not in text(ada, "/o/cedar/")


def test_the_front_page_the_list_and_the_rail_lead_there(world: World, ada: Client) -> None:
    code = asking_code(world.cedar)
    ask(code, "Zoë")
    ask(code, "Yan")
    for page in ("/o/cedar/", "/o/cedar/users"):
        assert f'<a href="{ASKS}">2 people ask to come in</a>' in text(ada, page)
    assert 'class="many num">2</b>' in text(ada, "/o/cedar/licence")


def test_letting_in_takes_a_seat_and_tells_the_person(world: World, ada: Client) -> None:
    zoe = ask(asking_code(world.cedar, world.year5), "Zoë", "zoe@mail.example")
    before = world.cedar.seats("student").used
    assert ada.post(DECIDE, {"in": str(zoe.id)})["Location"] == ASKS
    assert "1 person is in." in text(ada)
    assert state(zoe) == "active"
    assert world.cedar.seats("student").used == before + 1
    assert world.cedar.events(EventType.MEMBERSHIP_APPROVED)[0].actor_id == world.ada.account_id
    assert Mail.objects.filter(kind="approved", to="zoe@mail.example").count() == 1


def test_refusing_leaves_the_way_back_open(world: World, ada: Client) -> None:
    zoe = ask(asking_code(world.cedar), "Zoë")
    ada.post(DECIDE, {"no": str(zoe.id)})
    assert "1 person is refused. They are listed as deactivated" in text(ada)
    assert state(zoe) == "inactive"
    ada.post(f"/o/cedar/users/{zoe.id}/reactivate")
    assert state(zoe) == "active"


def test_several_at_once_and_the_reason_beside_each_who_stays_out(world: World, ada: Client) -> None:
    code = asking_code(world.cedar)
    waiting = [ask(code, name) for name in ("Xia", "Yan", "Zoë")]
    world.cedar.seats("student", world.cedar.seats("student").used + 2)
    page = ada.post(DECIDE, {"do": "in", "who": [str(one.id) for one in waiting]}).content.decode()
    assert "2 people are in." in page
    assert "1 person is not changed." in page
    assert page.count("student seats are taken.") == 1
    assert [state(one) for one in waiting] == ["active", "active", "waiting"]
    assert "Zoë" in text(ada)
    assert "Students: all" in text(ada), "and what to do about it"


def test_several_are_refused_together(world: World, ada: Client) -> None:
    code = asking_code(world.cedar)
    waiting = [ask(code, name) for name in ("Xia", "Yan")]
    ada.post(DECIDE, {"do": "no", "who": [str(one.id) for one in waiting]})
    assert [state(one) for one in waiting] == ["inactive", "inactive"]


def test_the_button_of_one_person_leaves_the_ticks_alone(world: World, ada: Client) -> None:
    code = asking_code(world.cedar)
    xia, yan = ask(code, "Xia"), ask(code, "Yan")
    ada.post(DECIDE, {"who": str(yan.id), "in": str(xia.id)})
    assert (state(xia), state(yan)) == ("active", "waiting")


@pytest.mark.parametrize("sent", [{}, {"do": "in"}, {"do": "x", "who": "y"}, {"in": "nonsense"}, {"who": "0" * 32}])
def test_nobody_or_nothing_decides_nothing(world: World, ada: Client, sent: dict[str, str]) -> None:
    zoe = ask(asking_code(world.cedar), "Zoë")
    assert ada.post(DECIDE, sent)["Location"] == ASKS
    assert state(zoe) == "waiting"


def test_a_second_admin_who_comes_too_late_is_told(world: World, ada: Client) -> None:
    zoe = ask(asking_code(world.cedar), "Zoë")
    ada.post(DECIDE, {"in": str(zoe.id)})
    ada.get(ASKS)
    ada.post(DECIDE, {"no": str(zoe.id)})
    assert "Somebody else has decided meanwhile." in text(ada)
    assert state(zoe) == "active"


def test_another_house_is_not_touched(world: World, ada: Client) -> None:
    other = ask(asking_code(world.birch), "Bea")
    assert "Bea" not in text(ada)
    ada.post(DECIDE, {"in": str(other.id)})
    assert state(other) == "waiting"


def test_the_page_of_the_person_decides_too(world: World, ada: Client) -> None:
    zoe = ask(asking_code(world.cedar), "Zoë")
    page = text(ada, f"/o/cedar/users/{zoe.id}")
    assert f'name="in" value="{zoe.id}"' in " ".join(page.split())
    assert "waits for approval." in page


def test_a_hostile_name_is_only_a_name(world: World, ada: Client) -> None:
    ask(asking_code(world.cedar), "<script>alert(1)</script> \"'><img src=x onerror=alert(1)>")
    page = text(ada)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# A manager


def test_a_manager_sees_those_who_asked_for_his_groups_alone(world: World, tom: Client) -> None:
    choir = world.cedar.group("Choir")
    mine = ask(asking_code(world.cedar, world.year5), "Mine")
    ask(asking_code(world.cedar, choir), "Theirs")
    ask(asking_code(world.cedar), "Nobodys")
    ask(asking_code(world.cedar, world.year5, role="teacher"), "Teaching")
    both = ask(asking_code(world.cedar, world.year5), "Both")
    GroupMembership.objects.create(organization_id=world.cedar.id, group=choir, membership=both)
    page = text(tom)
    assert "Mine" in page
    assert not [name for name in ("Theirs", "Nobodys", "Teaching", "Both") if f">{name}<" in page]
    assert ">1</b>" in page, "and the rail counts no other"
    tom.post(DECIDE, {"in": str(mine.id)})
    assert state(mine) == "active"


def test_a_manager_decides_about_nobody_else(world: World, tom: Client) -> None:
    theirs = ask(asking_code(world.cedar, world.cedar.group("Choir")), "Theirs")
    teaching = ask(asking_code(world.cedar, world.year5, role="teacher"), "Teaching")
    page = tom.post(DECIDE, {"do": "in", "who": [str(theirs.id), str(teaching.id)]}).content.decode()
    assert "This person is in none of your groups." in page or "You may add people to your own groups only." in page
    assert "This person's role is above your own." in page.replace("&#x27;", "'")
    assert (state(theirs), state(teaching)) == ("waiting", "waiting")


def test_his_front_page_leads_there(world: World, tom: Client) -> None:
    ask(asking_code(world.cedar, world.year5), "Mine")
    assert "1 person asks to come in" in text(tom, "/o/cedar/")
    assert "1 person asks to come in" in text(tom, f"/o/cedar/groups/{world.year5.id}")


def test_who_manages_nothing_has_no_such_page(world: World, tom: Client) -> None:
    set_group_right(world.cedar.id, world.tom.membership.id, world.year5.id, "member", BY_OPERATOR)
    ask(asking_code(world.cedar, world.year5), "Mine")
    assert tom.get(ASKS).status_code == 403
    assert "ask to come in" not in text(tom, "/o/cedar/")
    assert signed_in(world.pia).get(ASKS).status_code == 403
    assert signed_in(world.bob).get(ASKS).status_code == 404


# Many of them


def test_pages_by_name(world: World, ada: Client) -> None:
    code = asking_code(world.cedar)
    for number in range(120):
        ask(code, f"Child {number:03}")
    first = ada.get(ASKS)
    second = ada.get(first.context["next_url"])
    third = ada.get(second.context["next_url"])
    pages = [[row.name for row in page.context["rows"]] for page in (first, second, third)]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert sum(pages, []) == [f"Child {number:03}" for number in range(120)]  # noqa: RUF017 - three short lists
    assert (first.context["back_url"], third.context["next_url"]) == ("", "")
    back = ada.get(third.context["back_url"])
    assert [row.name for row in back.context["rows"]] == pages[1]
    again = ada.get(back.context["back_url"])
    assert [row.name for row in again.context["rows"]] == pages[0]
    assert again.context["back_url"] == ""
    assert ada.get(f"{ASKS}?at=nonsense").status_code == 200


def test_more_people_ask_no_more_questions(world: World, ada: Client, tom: Client) -> None:
    def asked(client: Client) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(ASKS).status_code == 200
        return len(queries)

    code = asking_code(world.cedar, world.year5)
    ask(code, "First")
    before = asked(ada), asked(tom)
    for number in range(40):
        ask(code, f"Child {number:03}")
    assert (asked(ada), asked(tom)) == before
