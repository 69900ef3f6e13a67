"""Races of real processes by code, file, hand and approval at once: no use, no seat and no place too many."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from crew import Act, Crew, numbers

QUICK, LONG = 10, 1000
MANY = [pytest.param(QUICK, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]


def new_code() -> str:
    return f"{next(numbers):08}"


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(word for answer in answers for word in answer)


def a_file(people: int) -> str:
    return "username\n" + "".join(f"Pupil {n}\n" for n in range(people))


def waiting(crew: Crew, organization: str, people: int, **facts: Any) -> list[str]:
    """So many who asked to come in: their memberships."""
    code = new_code()
    crew.do("make_code", organization=organization, code=code, needs_approval=True, **facts)
    return [crew.do("ask", organization=organization, code=code, who=f"Asks {n}") for n in range(people)]


@pytest.mark.parametrize("at_end", ["refuse", "ask"])
@pytest.mark.parametrize("times", MANY)
def test_the_last_uses_of_a_code(crew: Crew, times: int, at_end: str) -> None:
    """Strangers, people with an account of their own (each twice), and a file that takes no use."""
    for number in range(times):
        dice = random.Random(number)
        organization = crew.found(seats={"student": 50, "teacher": 5})["organization"]
        code, limit = new_code(), dice.randint(1, 10)
        code_id = crew.do("make_code", organization=organization, code=code, max_uses=limit, at_end=at_end)
        own = [crew.do("own_account", address=f"own{next(numbers)}@mail.example") for _ in range(3)]
        acts: list[Act] = [("by_code", {"code": code, "who": who}) for who in (*own, *own, *"ABCDEF")]
        acts.append(("import_now", {"organization": organization, "text": a_file(2)}))
        dice.shuffle(acts)
        answers = told(crew.deal(acts))
        people = len(own) + len("ABCDEF")
        came, late = min(limit, people), max(0, people - limit)
        after = crew.do("of_code", code_id=code_id)
        assert (after["used"], after["came"]) == (came, came), number
        assert answers["created"] + answers["joined"] == came + 2, number
        # Whoever comes a second time is in, or waits, or is refused once more.
        assert answers["waiting"] == after["asked"] == (late if at_end == "ask" else 0), number
        assert (answers["code_used_up"] >= late) is (at_end == "refuse" or not late), number
        assert answers.keys() <= {"created", "joined", "unchanged", "waiting", "code_used_up"}, number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_the_last_seats_by_every_way(crew: Crew, times: int) -> None:
    """A code, a file, accounts made in advance, approvals and somebody who comes back, all at once."""
    for number in range(times):
        dice = random.Random(number)
        ids = crew.found(seats={"student": 50, "teacher": 5})
        organization, code = ids["organization"], new_code()
        here = {"organization": organization}
        asked = waiting(crew, organization, 3)
        crew.do("make_code", code=code, **here)
        crew.do("resize", student=(limit := dice.randint(1, 16)), **here)
        acts: list[Act] = [("by_code", {"code": code, "who": who}) for who in "ABCD"]
        acts += [("let_in", {**here, "membership": one}) for one in asked]
        acts += [("come_back", {**here, "membership": ids[name]}) for name in ("pia", "kim")]
        acts += [("import_now", {**here, "text": a_file(3)}), ("make_accounts", {**here, "count": 2})]
        acts += [("join_one", {**here, "number": n}) for n in range(2)]
        dice.shuffle(acts)
        answers = told(crew.deal(acts))
        after = crew.do("look", **here)
        wanted = 4 + 3 + 2 + 3 + 2 + 2
        assert after["faults"] == [], number
        assert after["used"]["student"] == min(limit, wanted) == answers["created"], number
        assert answers["seats_taken"] == max(0, wanted - limit), number
        assert answers.keys() <= {"created", "seats_taken"}, number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_the_last_places_by_code_and_by_hand(crew: Crew, times: int) -> None:
    """Members use the group's code while an admin puts them in by hand; strangers come, and those who asked."""
    for number in range(times):
        dice = random.Random(number)
        ids = crew.found(seats={"student": 50, "teacher": 50})
        organization, choir, code = ids["organization"], ids["choir"], new_code()
        here = {"organization": organization}
        asked = waiting(crew, organization, 2, group=choir)
        code_id = crew.do("make_code", code=code, group=choir, **here)
        crew.do("resize", cap=(cap := dice.randint(1, 12)), **here)
        members = [ids[f"{name}_account"] for name in ("ada", "ann", "tom")]
        acts: list[Act] = [("by_code", {"code": code, "who": who}) for who in (*members, *"ABCD")]
        acts += [("into_group", {**here, "membership": ids[name], "group": choir}) for name in ("ada", "ann", "tom")]
        acts += [("let_in", {**here, "membership": one}) for one in asked]
        acts += [("come_back", {**here, "membership": ids[name]}) for name in ("pia", "kim")]
        dice.shuffle(acts)
        answers = told(crew.deal(acts))
        after = crew.do("look", **here)
        wanted = 3 + 4 + 2 + 2
        assert after["faults"] == [], number
        assert after["places"]["Choir"] == min(cap, wanted) == answers["created"] + answers["placed"], number
        assert answers.keys() <= {"created", "placed", "unchanged", "group_full"}, number
        assert crew.do("of_code", code_id=code_id)["used"] <= min(cap, 7), number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_nobody_comes_in_by_a_code_that_was_rotated(crew: Crew, times: int) -> None:
    for number in range(times):
        organization = crew.found(seats={"student": 50, "teacher": 5})["organization"]
        code = new_code()
        code_id = crew.do("make_code", organization=organization, code=code)
        joins: list[list[Act]] = [
            [("by_code", {"code": code, "who": f"{hand}{n}"}) for n in range(3)] for hand in "ABC"
        ]
        turn: Act = ("rotate", {"organization": organization, "code_id": code_id})
        *answers, new = crew.at_once(*joins, [turn])
        after = crew.do("of_code", code_id=code_id)
        assert new != code
        assert told(answers)["created"] == after["used"] == after["came"], number
        assert after["late"] == 0, number
        assert told(answers).keys() <= {"created", "code_dead"}, number
        assert crew.do("by_code", code=code, who="Late") == ["code_dead"]
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_two_admins_decide_about_one_who_asked(crew: Crew, times: int) -> None:
    for number in range(times):
        organization = crew.found(seats={"student": 50, "teacher": 5})["organization"]
        (asked,) = waiting(crew, organization, 1)
        one = {"organization": organization, "membership": asked}
        no: list[Act] = [("send_away", one)] * (2 if number % 2 else 0)
        answers = told(
            crew.at_once([("let_in", one)], no or [("let_in", one)], [("let_in", one)], no or [("let_in", one)])
        )
        assert answers["created"] + answers["declined"] == 1, number
        after = crew.do("look", organization=organization)
        assert after["used"]["student"] == answers["created"], number
        assert crew.do("state_of", membership=asked) == ("active" if answers["created"] else "inactive"), number
        assert after["faults"] == [], number
    assert crew.do("check") == []
