"""Races of real processes around an undo: nobody is removed twice, and nobody whom something happened to."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from crew import Act, Crew
from world import PASSWORD

QUICK, LONG = 5, 1000
MANY = [pytest.param(QUICK, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]
PEOPLE = 8
FILE = "username,password,groups\n" + "".join(f"Pupil {n},{PASSWORD},Choir\n" for n in range(PEOPLE))


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(word for answer in answers for word in answer)


def sent(crew: Crew) -> dict[str, str]:
    """An organisation with an import, and the id of it."""
    organization = crew.found(seats={"student": 50, "teacher": 5})["organization"]
    assert crew.do("import_now", organization=organization, text=FILE) == ["created"] * PEOPLE
    return {"organization": organization, "run": crew.do("newest_run", organization=organization)}


@pytest.mark.parametrize("times", MANY)
def test_undone_by_several_at_once(crew: Crew, times: int) -> None:
    crew.at_once(*[[("set_undo_batch", {"size": 2})]] * 4)
    for number in range(times):
        here = sent(crew)
        answers = told(crew.at_once(*[[("undo_run", here)]] * 4))
        left = crew.do("what_is_left", **here)
        # Whoever asks when all is done already finds nobody, and is told so.
        assert answers["removed"] == PEOPLE, number
        assert answers.keys() <= {"removed", "nobody_to_undo"}, number
        assert (left["gone"], left["undone"], left["told"], left["state"]) == (PEOPLE, PEOPLE, 1, "undone"), number
        after = crew.do("look", organization=here["organization"])
        assert (after["used"]["student"], after["places"]["Choir"], after["faults"]) == (0, 0, []), number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_people_sign_in_while_they_are_undone(crew: Crew, times: int) -> None:
    """Whoever got in is still there; whoever is gone was told that the name or the password is not right."""
    crew.at_once(*[[("set_undo_batch", {"size": 2})]] * 4)
    for number in range(times):
        dice, here = random.Random(number), sent(crew)
        organization = here["organization"]
        signs: list[Act] = [("sign_in_of", {"organization": organization, "number": n}) for n in (0, 3, 5)]
        dice.shuffle(signs)
        answers = told(crew.at_once([("undo_run", here)], signs[:1], signs[1:2], signs[2:]))
        left = crew.do("what_is_left", **here)
        assert left["gone"] == answers["removed"] == PEOPLE - left["still_signed_in"], number
        assert left["still_signed_in"] == answers["signed_in"], number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_the_file_is_sent_again_while_it_is_undone(crew: Crew, times: int) -> None:
    """Before the undo it is the same import; after it a new one. Nobody is in twice, and the seats are exact."""
    crew.at_once(*[[("set_undo_batch", {"size": 2}), ("set_batch", {"size": 3})]] * 4)
    for number in range(times):
        here = sent(crew)
        organization = here["organization"]
        send: Act = ("import_now", {"organization": organization, "text": FILE})
        answers = told(crew.at_once([("undo_run", here)], [send], [send]))
        after = crew.do("look", organization=organization)
        assert after["faults"] == [], number
        assert answers["removed"] == PEOPLE, number
        assert after["used"]["student"] == after["places"]["Choir"] <= PEOPLE, number
        assert answers.keys() <= {"removed", "created", "unchanged", "same_name", "run_undone"}, number
        assert crew.do("import_now", organization=organization, text=FILE), number
        assert crew.do("look", organization=organization)["used"]["student"] == PEOPLE, number
    assert crew.do("check") == []
