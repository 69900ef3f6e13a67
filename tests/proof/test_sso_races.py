"""Races of real processes for people whom a provider proved: one person is one account, one seat is one seat."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from crew import Act, Crew, numbers

MANY = [pytest.param(3, id="sample"), pytest.param(100, marks=pytest.mark.proof, id="whole")]
AT_ONCE = 16


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(answer[0] for answer in answers)


def house(crew: Crew, **seats: int) -> str:
    return crew.found(seats={"student": 50, "teacher": 9, **seats})["organization"]


def domain() -> str:
    return f"cedar{next(numbers)}.example"


@pytest.mark.parametrize("times", MANY)
@pytest.mark.parametrize("addressed", [True, False], ids=["address", "none"])
def test_r8_many_first_sign_ins_of_one_person_make_one_account(crew: Crew, times: int, addressed: bool) -> None:
    for number in range(times):
        organization, name = house(crew), domain()
        connection = crew.do("connection_for", organization=organization, domain=name)
        address = f"zoe@{name}" if addressed else ""
        before = crew.do("look", organization=organization)["used"]["student"]
        act: Act = ("arrive", {"connection": connection, "subject": "zoe", "address": address, "is_whole": True})
        answers = crew.deal([act] * AT_ONCE)
        assert told(answers) == {"in": AT_ONCE}, number
        assert len({answer[1] for answer in answers}) == 1, number
        found = crew.do("known_by", connection=connection)
        assert (len(found["identities"]), found["accounts"], found["members"]) == (1, 1, 1), number
        assert found["orphans"] == 0
        after = crew.do("look", organization=organization)
        assert (after["used"]["student"], after["faults"]) == (before + 1, []), number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_two_connections_of_one_organisation_and_one_address(crew: Crew, times: int) -> None:
    """Microsoft and Google at once for one address: one account has it, and one seat is taken for it."""
    for number in range(times):
        organization, name = house(crew), domain()
        pair = [crew.do("connection_for", organization=organization, domain=one) for one in (name, "")]
        acts: list[Act] = [
            ("arrive", {"connection": one, "subject": f"s{at}", "address": f"zoe@{name}"})
            for at, one in enumerate(pair)
        ]
        answers = crew.deal(acts * 4)
        assert told(answers).keys() <= {"in", "asked"}, number
        assert crew.do("owners", address=f"zoe@{name}")["proved"] == 1, number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_f1_the_last_seat_by_single_sign_on_and_by_a_code(crew: Crew, times: int) -> None:
    """F1: exactly as many come in as there are seats, and nobody has an account who has no seat."""
    for number in range(times):
        dice = random.Random(number)
        free = dice.randint(1, 4)
        organization = house(crew, student=free)
        connection = crew.do("connection_for", organization=organization)
        code = crew.do("code_for", organization=organization, code=f"{next(numbers):08}")
        acts: list[Act] = [("arrive", {"connection": connection, "subject": f"s{n}"}) for n in range(6)]
        acts += [("come", {"code": code, "username": f"Child {n}", "form": f"form {next(numbers)}"}) for n in range(6)]
        dice.shuffle(acts)
        answers = told(crew.deal(acts))
        assert answers["in"] + answers["created"] == free, number
        assert answers["seats_taken"] == 12 - free, number
        found = crew.do("known_by", connection=connection)
        assert (len(found["identities"]), found["orphans"]) == (answers["in"], 0), number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_a1_the_provider_claims_an_account_while_its_owner_proves_the_mailbox(crew: Crew, times: int) -> None:
    """A1, A6: in the end the mailbox has it; the provider opens it only where it came after her, or she is asked."""
    for number in range(times):
        organization, name = house(crew), domain()
        connection = crew.do("connection_for", organization=organization, domain=name)
        address = f"zoe@{name}"
        made = crew.do("shell", organization=organization, address=address)
        link = crew.do("forget", address=address)
        acts: list[Act] = [
            ("choose", {"token": link, "password": "Set by its owner"}),
            ("arrive", {"connection": connection, "subject": "zoe", "address": address, "is_whole": True}),
            ("arrive", {"connection": connection, "subject": "zoe", "address": address, "is_whole": True}),
        ]
        random.Random(number).shuffle(acts)
        answers = told(crew.at_once(*[[act] for act in acts]))
        assert answers.keys() <= {"Set by its owner", "in", "asked", "sign_in_failed", "link_dead"}, answers
        if answers["link_dead"]:  # the provider came first, and all links from before ended: she asks for another
            again = {"token": crew.do("forget", address=address), "password": "Set by its owner"}
            answers += told([crew.do("choose", **again)])
        assert answers["Set by its owner"] == 1, answers
        assert crew.do("owners", address=address)["proved"] == 1, number
        assert crew.do("fits", address=address, password="Set by its owner"), number
        assert crew.do("proved_by", address=address) == {"proved": [made], "links": []}, number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_b2_one_tenant_is_proved_by_one_organisation(crew: Crew, times: int) -> None:
    for number in range(times):
        tenant = f"{next(numbers):08}-0000-4000-8000-000000000000"
        facts = {"kind": "microsoft", "tenant": tenant, "issuer": "", "client_id": "", "state": "draft"}
        rows = [crew.do("connection_for", organization=house(crew), **facts) for _ in range(4)]
        answers = told(crew.at_once(*[[("vouch_for_tenant", {"connection": row})] for row in rows]))
        assert answers == {"proved": 1, "tenant_taken": 3}, number


@pytest.mark.parametrize("times", MANY)
def test_a_question_that_is_answered_many_times_at_once(crew: Crew, times: int) -> None:
    """As somebody new and as the account that is there: whichever comes first, one account and one identity."""
    for number in range(times):
        organization, name = house(crew), domain()
        connection = crew.do("connection_for", organization=organization)
        address = f"zoe@{name}"
        made = crew.do("shell", organization=organization, address=address)
        given = {"connection": connection, "subject": "zoe", "address": address}
        acts: list[Act] = [("answer_new", given)] * 4 + [("answer_link", {**given, "account": made})] * (
            4 * (number % 2)
        )
        random.Random(number).shuffle(acts)
        answers = crew.deal(acts)
        assert told(answers).keys() <= {"in", "identity_of_another"}, answers
        assert len({answer[1] for answer in answers if answer[0] == "in"}) == 1, number
        found = crew.do("known_by", connection=connection)
        assert (len(found["identities"]), found["orphans"]) == (1, 0), number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
@pytest.mark.parametrize("end", ["switch_off", "remove_connection"])
def test_a_connection_that_ends_while_people_come_back(crew: Crew, times: int, end: str) -> None:
    """Each is in with all that belongs to it, or not at all; and nobody is known by a connection that is gone."""
    for number in range(times):
        organization, name = house(crew), domain()
        connection = crew.do("connection_for", organization=organization, domain=name)
        crew.do("shell", organization=organization, address=f"made@{name}")
        acts: list[Act] = [("arrive", {"connection": connection, "subject": f"s{n}"}) for n in range(6)]
        acts += [
            ("arrive", {"connection": connection, "subject": "made", "address": f"made@{name}"}),
            (end, {"connection": connection}),
        ]
        random.Random(number).shuffle(acts)
        answers = told(crew.deal(acts))
        assert answers.keys() <= {"in", "sso_off", "unknown_connection", "off", "removed"}, answers
        found = crew.do("known_by", connection=connection)
        assert found["orphans"] == 0, number
        assert len(found["identities"]) == (0 if end == "remove_connection" else answers["in"]), number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


@pytest.mark.parametrize("times", MANY)
def test_an_invitation_that_is_taken_back_while_the_invited_comes_by_the_provider(crew: Crew, times: int) -> None:
    """C7: in with what was promised, or with what everybody gets; never a promise that was taken back and used."""
    for number in range(times):
        organization, name = house(crew), domain()
        connection = crew.do("connection_for", organization=organization, domain=name)
        address = f"guest@{name}"
        crew.do("invite", organization=organization, addresses=[address], reserve=True)
        acts: list[Act] = [
            ("arrive", {"connection": connection, "subject": "guest", "address": address}),
            ("revoke", {"organization": organization, "address": address}),
        ]
        answers = crew.at_once(*[[act] for act in acts])
        assert answers[0][0] == "in", answers
        after = crew.do("invitations", organization=organization)
        assert (after["open"], after["kept"]) == (0, 0), number
        assert after["accepted"] == (0 if answers[1] == ["revoked"] else 1), number
        assert crew.do("look", organization=organization)["faults"] == [], number
    assert crew.do("check") == []


# kill -9


def die_at(crew: Crew, folder: Path, tick: int, *, made: bool) -> str:
    """Killed at a statement of the return: nothing is half there, and the person simply signs in again."""
    organization, name = house(crew), domain()
    connection = crew.do("connection_for", organization=organization, domain=name)
    address = f"zoe@{name}"
    if made:
        crew.do("shell", organization=organization, address=address)
    given = {"connection": connection, "subject": "zoe", "address": address}
    end: str = crew.do("arrive_until", out=str(folder / f"{organization}"), tick=tick, **given)
    assert end in ("killed", "done"), end
    assert crew.do("look", organization=organization)["faults"] == [], tick
    assert crew.do("known_by", connection=connection)["orphans"] == 0, tick
    assert crew.do("arrive", is_whole=True, **given)[0] == "in", tick
    found = crew.do("known_by", connection=connection)
    assert (len(found["identities"]), found["members"], found["orphans"]) == (1, 1, 0), tick
    assert crew.do("look", organization=organization)["faults"] == [], tick
    if end == "done":
        return (folder / f"{organization}.ticks").read_text()
    return end


@pytest.mark.parametrize("made", [False, True], ids=["somebody new", "made here"])
@pytest.mark.parametrize(
    "whole", [pytest.param(False, id="sample"), pytest.param(True, marks=pytest.mark.proof, id="whole")]
)
def test_r3_killed_at_a_statement_of_the_return(crew: Crew, tmp_path: Path, made: bool, whole: bool) -> None:
    ticks = int(die_at(crew, tmp_path, 10**9, made=made))
    points = range(1, ticks + 1) if whole else [round(1 + point * (ticks - 1) / 6) for point in range(7)]
    for tick in points:
        assert die_at(crew, tmp_path, tick, made=made) == "killed", tick
    assert crew.do("check") == []
