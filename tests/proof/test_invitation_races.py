"""Races of real processes for one link, for kept seats and for the last seats: nobody in twice, no seat twice."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from crew import Act, Crew, numbers

MANY = [pytest.param(6, id="sample"), pytest.param(200, marks=pytest.mark.proof, id="whole")]
AT_ONCE = 16


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(word for answer in answers for word in answer)


def address() -> str:
    return f"guest{next(numbers)}@mail.example"


@pytest.mark.parametrize("times", MANY)
def test_c5_one_link_pressed_by_one_person_many_times(crew: Crew, times: int) -> None:
    """C5, R14: 16 at once with the account that the address has."""
    for number in range(times):
        here = {"organization": crew.found(seats={"student": 50, "teacher": 5})["organization"]}
        who = address()
        crew.do("invite", addresses=[who], **here)
        link, account = crew.do("token", address=who, **here), crew.do("own_account", address=who)
        before = crew.do("invitations", **here)["members"]
        answers = told(crew.deal([("accept_as", {"token": link, "account": account})] * AT_ONCE))
        after = crew.do("invitations", **here)
        assert (answers["joined"], after["members"], after["accepted"]) == (1, before + 1, 1), number
        assert answers.keys() <= {"joined", "invitation_used"}, number
        assert crew.do("look", **here)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_c5_one_link_used_by_many_who_are_new(crew: Crew, times: int) -> None:
    """C5: 16 send the form at once; one account, one member, and the others read that there is one."""
    for number in range(times):
        here = {"organization": crew.found(seats={"student": 50, "teacher": 5})["organization"]}
        who = address()
        crew.do("invite", addresses=[who], **here)
        link = crew.do("token", address=who, **here)
        acts: list[Act] = [("accept_new", {"token": link, "name": f"Guest {n}"}) for n in range(AT_ONCE)]
        answers = told(crew.deal(acts))
        assert answers["created"] == 1, number
        assert answers.keys() <= {"created", "account_exists", "invitation_used"}, number
        assert crew.do("owners", address=who)["proved"] == 1, number
        assert crew.do("look", **here)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_c7_a_link_taken_back_while_it_is_used(crew: Crew, times: int) -> None:
    for number in range(times):
        here = {"organization": crew.found(seats={"student": 50, "teacher": 5})["organization"]}
        who = address()
        crew.do("invite", addresses=[who], reserve=True, **here)
        link, account = crew.do("token", address=who, **here), crew.do("own_account", address=who)
        acts: list[Act] = [("accept_as", {"token": link, "account": account}), ("revoke", {"address": who, **here})]
        answers = told(crew.deal(acts * 2))
        after = crew.do("invitations", **here)
        assert (answers["joined"], answers["revoked"]) in ((1, 0), (0, 1)), number
        assert after["kept"] == 0, number
        assert crew.do("look", **here)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_the_last_seats_that_can_be_kept(crew: Crew, times: int) -> None:
    """16 invitations that keep a seat, beside people who come by other ways: together exactly as many as fit."""
    for number in range(times):
        dice = random.Random(number)
        limit = dice.randint(1, 12)
        here = {"organization": crew.found(seats={"student": limit, "teacher": 5})["organization"]}
        acts: list[Act] = [("invite", {"addresses": [address()], "reserve": True, **here}) for _ in range(AT_ONCE)]
        acts += [("join_one", {"number": n, **here}) for n in range(4)]
        dice.shuffle(acts)
        answers = told(crew.deal(acts))
        after = crew.do("look", **here)
        kept = crew.do("invitations", **here)["kept"]
        assert kept + after["used"]["student"] == limit, number
        assert (answers["new"], answers["created"]) == (kept, after["used"]["student"]), number
        assert answers["seats_taken"] == AT_ONCE + 4 - limit, number
        assert after["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_the_last_kept_seat_is_for_the_one_it_is_kept_for(crew: Crew, times: int) -> None:
    """16 at the door for the one seat that is left, and kept: the invited one gets it, whenever he comes."""
    for number in range(times):
        dice = random.Random(number)
        here = {"organization": crew.found(seats={"student": 1, "teacher": 5})["organization"]}
        who = address()
        assert crew.do("invite", addresses=[who], reserve=True, **here) == ["new"]
        link, account = crew.do("token", address=who, **here), crew.do("own_account", address=who)
        acts: list[Act] = [("join_one", {"number": n, **here}) for n in range(AT_ONCE - 1)]
        acts.insert(dice.randrange(AT_ONCE), ("accept_as", {"token": link, "account": account}))
        answers = told(crew.deal(acts))
        assert answers == {"joined": 1, "seats_taken": AT_ONCE - 1}, number
        assert crew.do("look", **here)["faults"] == [], number
    assert crew.do("check") == []
