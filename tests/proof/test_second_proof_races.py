"""Races of real processes for one code of an app, one recovery code, one answer of a passkey, and the last try."""

from __future__ import annotations

from collections import Counter

import pytest
from crew import Crew

QUICK, LONG = 5, 200
MANY = [pytest.param(QUICK, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]


def protected(crew: Crew) -> dict[str, object]:
    account = crew.found(seats={"student": 5, "teacher": 5})["tom_account"]
    return {"account": account, **crew.do("protect", account=account)}


def told(answers: list[list[str]]) -> Counter[str]:
    return Counter(word for answer in answers for word in answer)


@pytest.mark.parametrize("times", MANY)
def test_one_code_is_used_once(crew: Crew, times: int) -> None:
    for _ in range(times):
        tom = protected(crew)
        answers = crew.at_once(*[[("prove", {"account": tom["account"], "code": tom["now"]})]] * 4)
        assert told(answers) == {"totp": 1, "second_factor_wrong": 3}


@pytest.mark.parametrize("times", MANY)
def test_each_recovery_code_is_used_once(crew: Crew, times: int) -> None:
    for _ in range(times):
        tom = protected(crew)
        codes = tom["codes"]
        assert isinstance(codes, list)
        acts = [("prove", {"account": tom["account"], "code": code}) for code in codes[:3]]
        answers = crew.at_once(acts, acts, acts[::-1], acts)
        assert told(answers) == {"recovery_codes": 3, "second_factor_wrong": 9}


@pytest.mark.parametrize("times", MANY)
def test_one_challenge_is_answered_once(crew: Crew, times: int) -> None:
    for _ in range(times):
        row = protected(crew)["row"]
        answers = crew.at_once(*[[("answer", {"row": row, "at": 7})]] * 4)
        assert told(answers) == {"answered": 1, "replayed": 3}


@pytest.mark.parametrize("times", [pytest.param(2, id="sample"), pytest.param(50, marks=pytest.mark.proof)])
def test_no_crowd_outruns_the_limit(crew: Crew, times: int) -> None:
    for _ in range(times):
        tom = protected(crew)
        wrong = [("prove", {"account": tom["account"], "code": "no code"})] * 5
        assert told(crew.at_once(wrong, wrong, wrong, wrong)) == {"second_factor_wrong": 10, "too_many_tries": 10}
