"""Races of real processes: two changes of address, two uses of one link, two proofs of one mailbox, all at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from crew import Crew, numbers

QUICK, LONG = 5, 200
MANY = [pytest.param(QUICK, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]
NEW, SEATS = "Set by its owner", {"student": 9, "teacher": 9}


def mailbox(name: str) -> str:
    return f"{name}{next(numbers)}@mail.example"


def told(answers: list[Any]) -> Counter[str]:
    return Counter(word for answer in answers for word in (answer if isinstance(answer, list) else [answer]))


@pytest.mark.parametrize("times", MANY)
def test_of_changes_at_once_one_link_lives_and_sets_its_own_address(crew: Crew, times: int) -> None:
    """security.md A10 (Devise CVE-2026-32700)."""
    for _ in range(times):
        zoe = crew.do("owner", address=mailbox("old"))
        wanted = [mailbox("new") for _ in range(4)]
        asked = crew.at_once(*[[("ask_address", {"account": zoe, "address": one})] for one in wanted])
        (alive,) = crew.do("address_of", account=zoe)["links"]
        for address, token in zip(wanted, asked, strict=True):
            answer = crew.do("prove_address", account=zoe, token=token)
            assert answer == ([address] if address == alive else ["link_dead"])
        assert crew.do("address_of", account=zoe) == {"address": alive, "links": []}


@pytest.mark.parametrize("times", MANY)
def test_a_link_that_is_used_while_another_is_asked_for_sets_no_other_address(crew: Crew, times: int) -> None:
    for _ in range(times):
        old, one, two = mailbox("old"), mailbox("one"), mailbox("two")
        zoe = crew.do("owner", address=old)
        first = crew.do("ask_address", account=zoe, address=one)
        use = "prove_address", {"account": zoe, "token": first}
        used, second = crew.at_once([use], [("ask_address", {"account": zoe, "address": two})])
        assert used in ([one], ["link_dead"])
        stands = crew.do("address_of", account=zoe)
        assert stands["address"] == (one if used == [one] else old)
        if crew.do("prove_address", account=zoe, token=second) == [two]:
            assert crew.do("address_of", account=zoe)["address"] == two


@pytest.mark.parametrize("times", MANY)
def test_two_accounts_cannot_prove_one_mailbox(crew: Crew, times: int) -> None:
    for _ in range(times):
        address = mailbox("wanted")
        people = [crew.do("owner", address=mailbox("old")) for _ in range(4)]
        tokens = [crew.do("ask_address", account=one, address=address) for one in people]
        acts = [("prove_address", {"account": one, "token": token}) for one, token in zip(people, tokens, strict=True)]
        answers = crew.at_once(*[[act] for act in acts])
        assert told(answers) == {address: 1, "address_opens_another": 3}
        assert len(crew.do("proved_by", address=address)["proved"]) == 1


@pytest.mark.parametrize("times", MANY)
@pytest.mark.parametrize("is_made", [False, True], ids=["proved", "made"])
def test_a_reset_link_is_used_once(crew: Crew, times: int, is_made: bool) -> None:
    for _ in range(times):
        address = mailbox("zoe")
        if is_made:
            crew.do("shell", organization=crew.found(seats=SEATS)["organization"], address=address)
        else:
            crew.do("owner", address=address)
        token = crew.do("forget", address=address)
        answers = crew.at_once(*[[("choose", {"token": token, "password": f"{NEW} {n}"})] for n in range(4)])
        words = told(answers)
        assert words.pop("link_dead") == 3
        (winner,) = words
        assert crew.do("fits", address=address, password=winner)
        assert crew.do("proved_by", address=address)["links"] == []


@pytest.mark.parametrize("times", MANY)
def test_a_mailbox_proved_in_every_way_at_once_has_one_account(crew: Crew, times: int) -> None:
    for _ in range(times):
        address = mailbox("zoe")
        crew.do("shell", organization=crew.found(seats=SEATS)["organization"], address=address)
        other = crew.do("owner", address=mailbox("old"))
        acts = [
            [("choose", {"token": crew.do("forget", address=address), "password": NEW})],
            [("prove_address", {"account": other, "token": crew.do("ask_address", account=other, address=address)})],
            [("confirm", {"token": crew.do("pend", address=address)})],
        ]
        crew.at_once(*acts)
        assert len(crew.do("proved_by", address=address)["proved"]) == 1
