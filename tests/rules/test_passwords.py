"""Passwords: what may be chosen, what is stored, and that every try costs one argon2id."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pytest_django import Settings

from usher.core.errors import UsherError
from usher.people import passwords
from usher.people.passwords import UNUSABLE, Cost, Verdict, digest, harden, make, salt_of, verify

OLD = "old-pepper-for-tests-0123456789abcdef"
NEW = "new-pepper-for-tests-0123456789abcdef"
GOOD = "river-lamp-4821"
CHEAP = Cost(memory_kib=64, passes=1, lanes=1, tag_bytes=16)


@pytest.fixture(autouse=True)
def _pepper_and_a_cheap_cost(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.USHER_PEPPER = [OLD]
    monkeypatch.setattr(passwords, "COST", CHEAP)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Cost]:
    """Every argon2id that runs, by its cost."""
    counted: list[Cost] = []
    real = passwords._argon2

    def counting(secret: str, salt: bytes, cost: Cost) -> str:
        counted.append(cost)
        return real(secret, salt, cost)

    monkeypatch.setattr(passwords, "_argon2", counting)
    return counted


def codes(check: Callable[[str], None], password: str) -> list[str]:
    try:
        check(password)
    except UsherError as error:
        return [finding.code for finding in error.findings]
    return []


SHORT, LONG = "password_too_short", "password_too_long"
MIXED, COMMON = "password_needs_letters_and_numbers", "password_too_common"
FORMULA, HIDDEN = "password_looks_like_formula", "password_hidden_characters"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        (GOOD, []),
        ("abcdefghj1", []),
        ("Zürich-2024", []),
        ("пароль-на-2024", []),
        ("密码密码密码密码密码42", []),
        ("correct horse 1", []),
        ("a-b+c=d@e1", []),
        ("کتاب\u200cخانه-1234", []),
        ("x1" * 64, []),
        ("x1" * 64 + "x", [LONG]),
        ("abcdefgx1", [SHORT]),
        ("", [SHORT, MIXED]),
        ("abcdefghijk", [MIXED]),
        ("31415926535", [MIXED]),
        ("princess01", [COMMON]),
        ("PRINCESS01", [COMMON]),
        ("ｐｒｉｎｃｅｓｓ０１", [COMMON]),
        ("1234567890", [COMMON, MIXED]),
        ("qwerty", [SHORT, COMMON, MIXED]),
        ("=abcdefgh12", [FORMULA]),
        ("+abcdefgh12", [FORMULA]),
        ("-abcdefgh12", [FORMULA]),
        ("@abcdefgh12", [FORMULA]),
        ("abcdefgh\x0012", [HIDDEN]),
        ("abcdefgh\t12", [HIDDEN]),
        ("abcdefgh\u202e12", [HIDDEN]),
        ("abcdefgh\u200b12", [HIDDEN]),
        ("abcdefgh\u202812", [HIDDEN]),
        ("abcdefgh\ud80012", [HIDDEN]),
    ],
)
def test_supplied(password: str, expected: list[str]) -> None:
    assert codes(passwords.check_supplied, password) == expected


@pytest.mark.parametrize(
    ("password", "least", "expected"),
    [
        ("only letters here", 10, []),
        ("27182818284590", 10, []),
        ("=starts as a formula", 10, []),
        ("🦊🦉🐢🦔🐘🦩🐙🦁🐧🦓", 10, []),
        ("ninechars", 10, [SHORT]),
        ("fourteen chars", 15, [SHORT]),
        ("fifteen chars ok", 15, []),
        ("basketball", 10, [COMMON]),
        (" basketball ", 10, [COMMON]),
        ("y" * 129, 10, [LONG]),
        ("bell\x07 and whistle", 10, [HIDDEN]),
    ],
)
def test_chosen(password: str, least: int, expected: list[str]) -> None:
    assert codes(lambda text: passwords.check_chosen(text, least), password) == expected


def test_a_refusal_names_the_column_and_never_the_password() -> None:
    with pytest.raises(UsherError) as refused:
        passwords.check_supplied("flute2", column="pw")
    assert [finding.column for finding in refused.value.findings] == ["pw"]
    assert "flute2" not in str(refused.value)


# What is stored


def test_the_cost_is_at_the_floor_of_owasp_or_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert passwords.COST.memory_kib >= 19 * 1024
    assert passwords.COST.passes >= 2
    assert passwords.COST.tag_bytes >= 16


def test_the_forms_and_that_they_fit_into_the_column(runs: list[Cost], monkeypatch: pytest.MonkeyPatch) -> None:
    quick = digest(GOOD)
    assert re.fullmatch(r"keyed\$[0-9a-f]{8}\$[A-Za-z0-9_-]{22}\$[0-9a-f]{64}", quick)
    assert not runs
    monkeypatch.setattr(passwords, "COST", Cost(memory_kib=19 * 1024, passes=2, lanes=1, tag_bytes=16))
    hard = harden(quick)
    assert hard.startswith(f"argon2id-{quick[:38]}$argon2id$v=19$m=19456,t=2,p=1$")
    assert max(len(quick), len(hard)) <= 128
    assert (passwords.is_hardened(quick), passwords.is_hardened(hard)) == (False, True)
    assert quick.startswith(passwords.KEYED)
    assert len(runs) == 1


STORED_HEAD = "keyed$e55d7eb8$uo2WRaZK3cou8e_UKd2xEw$"
STORED_DIGEST = "023dca86ab5788af7780ff6cd86f6266bfe2291131f69e994a15fdccc6e40847"
STORED_WRAP = "$argon2id$v=19$m=19456,t=2,p=1$9Zv0lFGXHMjHr1dozX8BBA$mmXOfn1GYfdDHJ+mYFNA8Q"


def test_a_stored_hash_of_today_is_readable_for_ever() -> None:
    """Known answers: a change of form or derivation would lock everybody out."""
    assert verify(GOOD, STORED_HEAD + STORED_DIGEST).ok
    assert verify(GOOD, f"argon2id-{STORED_HEAD}{STORED_WRAP}").ok


def test_hardening_keeps_salt_and_key_and_needs_no_pepper(settings: Settings) -> None:
    quick = digest(GOOD)
    settings.USHER_PEPPER = []
    hard = harden(quick)
    assert salt_of(hard) == salt_of(quick) == quick.split("$")[2]
    assert hard.split("$")[1] == quick.split("$")[1]
    assert hard != harden(quick)  # the inner salt is random


@pytest.mark.parametrize("encoded", ["", UNUSABLE, "!abc", "nonsense", "keyed$short", "bcrypt$$2b$12$abc"])
def test_what_opens_nothing_is_left_alone(encoded: str, runs: list[Cost]) -> None:
    assert harden(encoded) == encoded
    assert harden(hard := make(GOOD)) == hard
    assert len(runs) == 1


def test_each_password_has_its_own_salt_and_no_trace_of_itself() -> None:
    stored = [digest(GOOD), digest(GOOD), make(GOOD)]
    assert len({salt_of(encoded) for encoded in stored}) == 3
    assert len({encoded.rsplit("$", 1)[1] for encoded in stored}) == 3
    assert not any(GOOD in encoded for encoded in stored)


@pytest.mark.parametrize(("encoded", "salt"), [(UNUSABLE, ""), ("!abc", "abc"), ("", ""), ("nonsense", "")])
def test_salt_of_what_is_no_password(encoded: str, salt: str) -> None:
    assert salt_of(encoded) == salt


def test_hardening_runs_in_threads() -> None:
    stored = [digest(f"{GOOD}{number}") for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        hardened = list(pool.map(harden, stored))
    assert all(verify(f"{GOOD}{number}", hard) == Verdict(ok=True) for number, hard in enumerate(hardened))


# What a try costs


def broken(hard: str) -> list[str]:
    """Hashes that were damaged, or written by somebody who wants our memory."""
    head = hard.partition("$argon2id")[0]
    tail = hard.rsplit("$", 2)[1:]
    costs = (
        "m=999999999,t=1,p=1",
        "m=9999999,t=1,p=1",
        "m=64,t=99,p=1",
        "m=64,t=0,p=1",
        "m=64,t=1,p=0",
        "m=7,t=1,p=1",
    )
    return [
        hard[:-1],
        hard + "$",
        hard + "\n",
        hard.replace("argon2id-keyed", "argon2id"),
        *(f"{head}$argon2id$v=19${cost}${tail[0]}${tail[1]}" for cost in costs),
        f"{head}$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAA${tail[1]}",
        f"{head}$argon2id$v=19$m=64,t=1,p=1${'A' * 13}${tail[1]}",
        f"{head}$argon2id$v=19$m=64,t=1,p=1${tail[0]}${'A' * 25}",
    ]


NOBODY = [
    "",
    UNUSABLE,
    "!abc",
    "nonsense",
    "keyed$",
    "argon2id-keyed$",
    "keyed$a$b$c",
    "$" * 9,
    "pbkdf2_sha256$1$a$b",
]


@pytest.mark.parametrize("password", [GOOD, "wrong-word-1234", "", "x" * 129, "x" * 100_000, "\ud800" * 12, "\0"])
def test_every_wrong_try_costs_one(password: str, runs: list[Cost]) -> None:
    stored = [
        digest("other-word-1234"),
        make("other-word-1234"),
        *NOBODY,
        *broken(make(GOOD)),
        digest(GOOD)[:-1],
    ]
    runs.clear()
    for count, encoded in enumerate(stored, start=1):
        assert verify(password, encoded) == Verdict(ok=False), encoded
        assert len(runs) == count, encoded
    assert {replace(cost, tag_bytes=16) for cost in runs} == {CHEAP}


@pytest.mark.parametrize("write", [digest, make])
@pytest.mark.parametrize("password", ["", "x" * 129])
def test_what_could_never_be_chosen_never_opens(password: str, write: Callable[[str], str], runs: list[Cost]) -> None:
    encoded = write(password)
    runs.clear()
    assert not verify(password, encoded).ok
    assert len(runs) == 1


def test_the_right_password_costs_one(runs: list[Cost]) -> None:
    hard = make(GOOD)
    assert len(runs) == 1
    assert verify(GOOD, hard) == Verdict(ok=True, better="")
    assert len(runs) == 2


def test_the_first_sign_in_hardens_with_the_same_one(runs: list[Cost]) -> None:
    quick = digest(GOOD)
    verdict = verify(GOOD, quick)
    assert verdict.ok
    assert len(runs) == 1
    assert passwords.is_hardened(verdict.better)
    assert salt_of(verdict.better) == salt_of(quick)
    assert verify(GOOD, verdict.better) == Verdict(ok=True)


@pytest.mark.parametrize(("write", "cost"), [(digest, 1), (make, 2)])
def test_after_a_rotation_the_old_password_opens_and_is_rewrapped(
    write: Callable[[str], str], cost: int, runs: list[Cost], settings: Settings
) -> None:
    old = write(GOOD)
    settings.USHER_PEPPER = [NEW, OLD]
    runs.clear()
    verdict = verify(GOOD, old)
    assert verdict.ok
    assert len(runs) == cost
    assert salt_of(verdict.better) == salt_of(old)
    settings.USHER_PEPPER = [NEW]
    assert verify(GOOD, verdict.better) == Verdict(ok=True)


@pytest.mark.parametrize("write", [digest, make])
def test_a_wrong_try_costs_one_after_a_rotation_too(
    write: Callable[[str], str], runs: list[Cost], settings: Settings
) -> None:
    old = write(GOOD)
    settings.USHER_PEPPER = [NEW, OLD]
    runs.clear()
    assert verify("wrong-word-1234", old) == Verdict(ok=False)
    assert len(runs) == 1


@pytest.mark.parametrize("write", [digest, make])
def test_without_its_pepper_a_password_opens_nothing(
    write: Callable[[str], str], runs: list[Cost], settings: Settings
) -> None:
    encoded = write(GOOD)
    settings.USHER_PEPPER = [NEW]
    runs.clear()
    assert verify(GOOD, encoded) == Verdict(ok=False)
    assert len(runs) == 1


def test_another_cost_still_opens_and_is_brought_up(runs: list[Cost], monkeypatch: pytest.MonkeyPatch) -> None:
    old = make(GOOD)
    dearer = replace(CHEAP, passes=2, tag_bytes=24)
    monkeypatch.setattr(passwords, "COST", dearer)
    runs.clear()
    verdict = verify(GOOD, old)
    assert runs == [CHEAP, dearer]
    assert "t=2" in verdict.better
    assert verify(GOOD, verdict.better) == Verdict(ok=True)


@pytest.mark.parametrize(
    ("stored", "typed", "opens"),
    [
        ("Zürich-school-1", "Zu\u0308rich-school-1", True),  # composed and decomposed
        ("password-１２３４", "password-1234", True),  # full-width digits of a Japanese keyboard
        ("River-lamp-4821", GOOD, False),
        (GOOD, f"{GOOD} ", False),
        ("x" * 128, "x" * 127, False),
    ],
)
def test_what_counts_as_the_same_password(stored: str, typed: str, opens: bool) -> None:
    assert verify(typed, make(stored)).ok is opens
    assert verify(typed, digest(stored)).ok is opens
