"""Races of real processes for the last seat, the last place and the last admin: none too many, none left over."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter

import pytest
from crew import Act, Crew

QUICK, LONG = 10, 1000
INVITE, CLASS = "join_one", "join_class"


def rounds(quick: int) -> list[object]:
    """A sample for the suite, the whole for `make proof`."""
    return [pytest.param(quick, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]


def seat_seekers(dice: random.Random, ids: dict[str, str]) -> list[Act]:
    """Twelve acts or so that want a pupil's seat, by every way there is."""
    here = {"organization": ids["organization"]}
    acts: list[Act] = [("join_one", {**here, "number": number}) for number in range(6)]
    acts += [("join_one", {**here, "number": number}) for number in range(2)]  # the same person twice
    acts += [("join_class", {**here, "start": 20, "count": dice.randint(1, 4)})]
    acts += [("join_nameless", here), ("join_nameless", here)]
    acts += [("come_back", {**here, "membership": ids[name]}) for name in ("pia", "kim")]
    acts += [("become", {**here, "membership": ids["tom"], "role": "student"})]
    dice.shuffle(acts)
    return acts


def demand(acts: list[Act]) -> int:
    """How many people want something: the same person twice is one."""
    people = {str(sorted(args.items())) + act for act, args in acts if act not in ("join_class", "join_nameless")}
    classes: int = sum(args["count"] for act, args in acts if act == "join_class")
    return len(people) + classes + sum(act == "join_nameless" for act, _ in acts)


@pytest.mark.parametrize("times", rounds(QUICK))
def test_the_last_seats(crew: Crew, times: int) -> None:
    for number in range(times):
        dice = random.Random(number)
        ids = crew.found(seats={"student": (limit := dice.randint(1, 16)), "teacher": 5})
        acts = seat_seekers(dice, ids)
        told = Counter(word for answer in crew.deal(acts) for word in answer)
        after = crew.do("look", organization=ids["organization"])
        assert after["faults"] == [], number
        assert after["used"]["student"] == min(limit, demand(acts)), number
        assert told["created"] == after["used"]["student"], number
        assert told.keys() <= {"created", "unchanged", "seats_taken"}, number
    assert crew.do("check") == []


def place_seekers(dice: random.Random, ids: dict[str, str]) -> list[Act]:
    here = {"organization": ids["organization"]}
    acts: list[Act] = [("join_one", {**here, "number": number, "group": "Choir"}) for number in range(5)]
    acts += [("join_class", {**here, "start": 20, "count": dice.randint(1, 4), "group": "choir"})]
    acts += [("join_nameless", {**here, "group": "Choir"})]
    acts += [("come_back", {**here, "membership": ids[name]}) for name in ("pia", "kim")]
    into = [ids[name] for name in ("ada", "ann", "tom", "tom")]
    acts += [("into_group", {**here, "membership": one, "group": ids["choir"]}) for one in into]
    dice.shuffle(acts)
    return acts


@pytest.mark.parametrize("times", rounds(QUICK))
def test_the_last_places_in_a_group(crew: Crew, times: int) -> None:
    for number in range(times):
        dice = random.Random(number)
        cap = dice.randint(1, 14)
        ids = crew.found(seats={"student": 50, "teacher": 50}, cap=cap)
        acts = place_seekers(dice, ids)
        told = Counter(word for answer in crew.deal(acts) for word in answer)
        after = crew.do("look", organization=ids["organization"])
        assert after["faults"] == [], number
        assert after["places"]["Choir"] == min(cap, demand(acts)), number
        assert told["created"] == after["places"]["Choir"], number
        assert told.keys() <= {"created", "unchanged", "group_full"}, number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", rounds(5))
def test_two_admins_send_each_other_away(crew: Crew, times: int) -> None:
    for number in range(times):
        ids = crew.found(seats={"student": 5, "teacher": 5})
        here = {"organization": ids["organization"]}
        demote = {"role": "teacher", "by": "the other"}
        answers = crew.at_once(
            [("become", {**here, "membership": ids["ada"], **demote})],
            [("go" if number % 2 else "become", {**here, "membership": ids["ann"], **({} if number % 2 else demote)})],
        )
        assert sorted(answers) == [["created"], ["last_admin"]], number
        after = crew.do("look", organization=ids["organization"])
        assert (after["admins"], after["faults"]) == (1, [])


def a_file(people: int) -> str:
    """Half with address, some with a password of their own, two lines of one person, one that is refused."""
    lines = ["email,username,password,role,groups"]
    lines += [f"p{n}@cedar.example,Pupil {n},,,Year 5" for n in range(people // 2)]
    lines += [f",Åsa {n},sunny-meadow-{n}77,,New {n % 2}" for n in range(people // 2)]
    lines += ["p0@cedar.example,Again,,,", "broken@,Nobody,,,", ",Headless,,king,"]
    return "\r\n".join(lines) + "\r\n"


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.proof)])
def test_one_file_sent_twice_at_once(crew: Crew, times: int) -> None:
    people = 24
    crew.at_once(*[[("set_batch", {"size": 5})]] * 4)
    for number in range(times):
        ids = crew.found(seats={"student": people - 3 if number % 2 else 50, "teacher": 5})
        here = {"organization": ids["organization"]}
        begun = crew.at_once(*[[("begin_import", {**here, "text": a_file(people)})]] * 3)
        assert len(set(begun)) == 1, "one file is one import"
        first, *others = crew.at_once(*[[("write_import", here)]] * 3)
        assert others == [first, first]
        rows = table(first)
        assert len(rows) == people + 3
        made = [row for row in rows if row["result"] == "created"]
        assert len(made) == len({row["sign_in"] for row in made}) == (people - 3 if number % 2 else people)
        logins = [(row["sign_in"], row["password"]) for row in made]
        assert crew.do("opens", logins=logins, **here) == []
        assert crew.do("look", **here)["faults"] == []
    assert crew.do("check") == []


def test_two_files_with_the_same_people_at_once(crew: Crew) -> None:
    crew.at_once(*[[("set_batch", {"size": 5})]] * 4)
    ids = crew.found(seats={"student": 50, "teacher": 5})
    here = {"organization": ids["organization"]}
    head, *lines = "".join(a_file(40).split("\r\n,")[:1]).split("\r\n")
    files = ["\r\n".join([head, *lines]), "\r\n".join([head, *reversed(lines)])]
    crew.at_once(*[[("begin_import", {**here, "text": text})] for text in files])
    results = [table(text) for text in crew.at_once(*[[("write_import", here)]] * 2)]
    told = Counter((row["sign_in"], row["result"]) for rows in results for row in rows)
    assert {result: n for (_, result), n in told.items()}.keys() == {"created", "unchanged"}
    assert Counter(result for _, result in told) == {"created": 20, "unchanged": 20}
    assert crew.do("look", **here)["faults"] == []
