"""Races of real processes: one form makes one child, the last use goes to one, one address becomes one account."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from crew import Act, Crew, numbers

QUICK, LONG = 5, 200
MANY = [pytest.param(QUICK, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]


def school(crew: Crew) -> str:
    return crew.found(seats={"student": 50, "teacher": 5})["organization"]


def a_code(crew: Crew, organization: str, max_uses: int | None = None) -> str:
    made: str = crew.do("code_for", organization=organization, code=f"{next(numbers):08}", max_uses=max_uses)
    return made


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(word for answer in answers for word in answer)


@pytest.mark.parametrize("times", MANY)
def test_one_form_makes_one_child(crew: Crew, times: int) -> None:
    for _ in range(times):
        organization = school(crew)
        code = a_code(crew, organization)
        act: Act = ("come", {"code": code, "username": "Anna", "form": f"form {next(numbers)}"})
        assert told(crew.at_once(*[[act, act]] * 4)) == {"created": 1, "again": 7}
        assert crew.do("uses", code=code) == [1, 1]
        assert crew.do("look", organization=organization)["faults"] == []


@pytest.mark.parametrize("times", MANY)
def test_the_last_uses_of_a_code(crew: Crew, times: int) -> None:
    for number in range(times):
        dice = random.Random(number)
        organization, limit = school(crew), dice.randint(1, 5)
        code = a_code(crew, organization, limit)
        acts: list[Act] = [
            ("come", {"code": code, "username": f"Child {n}", "form": f"form {next(numbers)}"}) for n in range(8)
        ]
        acts += [("join_one", {"organization": organization, "number": n}) for n in range(4)]  # takes no use
        dice.shuffle(acts)
        assert told(crew.deal(acts)) == {"created": limit + 4, "code_used_up": 8 - limit}
        assert crew.do("uses", code=code) == [limit, limit]
        assert crew.do("look", organization=organization)["faults"] == []


@pytest.mark.parametrize("times", MANY)
def test_one_registration_makes_one_account(crew: Crew, times: int) -> None:
    for _ in range(times):
        address = f"zoe{next(numbers)}@mail.example"
        act: Act = ("confirm", {"token": crew.do("pend", address=address)})
        answers = told(crew.at_once(*[[act, act]] * 4))
        assert answers["made"] == 1
        assert answers.keys() <= {"made", "registration_dead", "account_exists"}
        assert crew.do("owners", address=address) == {"proved": 1, "openable": 1, "registrations": 0}


@pytest.mark.parametrize("times", MANY)
@pytest.mark.parametrize("made", ["for the address", "with a made name"])
def test_one_address_is_proved_by_one(crew: Crew, times: int, made: str) -> None:
    """By a registration and, at the same moment, on the way to accounts that organisations made."""
    for _ in range(times):
        address = f"zoe{next(numbers)}@mail.example"
        given = address if made == "for the address" else ""
        shells = [crew.do("shell", organization=school(crew), address=given) for _ in range(2)]
        acts: list[list[Act]] = [[("prove_mailbox", {"account": one, "address": address})] for one in shells]
        confirm: Act = ("confirm", {"token": crew.do("pend", address=address)})
        answers = told(crew.at_once([confirm], *acts, [confirm]))
        assert answers["made"] == 1, answers
        assert answers.keys() <= {"made", "found", "registration_dead", "account_exists"}
        assert crew.do("owners", address=address) == {"proved": 1, "openable": 1, "registrations": 0}
