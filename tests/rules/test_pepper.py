"""The pepper, its subkeys and its rotation; tokens, which live without it."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from usher.core import pepper
from usher.core.clock import now
from usher.core.tokens import new_token, token_hash

OLD = "old-pepper-for-tests-0123456789abcdef"
NEW = "new-pepper-for-tests-0123456789abcdef"


@pytest.fixture(autouse=True)
def _one_pepper(settings: Settings) -> None:
    settings.USHER_PEPPER = [OLD]


def test_the_id_names_the_pepper_and_shows_nothing_of_it() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", pepper.current_id())
    assert OLD.encode().hex().find(pepper.current_id()) == -1


def test_each_purpose_has_its_own_key_of_256_bits() -> None:
    keys = [pepper.subkey(purpose) for purpose in ("password", "limits", "import", "id")]
    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}


def test_keys_are_the_same_in_every_process() -> None:
    """A known answer: whoever changes how keys are derived makes every stored password unreadable."""
    assert pepper.current_id() == "e55d7eb8"
    assert pepper.subkey("password").hex() == "717eccfee663002a774885798ae76d1b90388229ecfca4ac2993964ecc0e6433"


def test_after_a_rotation_the_first_is_current_and_the_old_one_readable(settings: Settings) -> None:
    old_id, old_key = pepper.current_id(), pepper.subkey("password")
    settings.USHER_PEPPER = [NEW, OLD]
    assert pepper.current_id() != old_id
    assert pepper.subkey("password") != old_key
    assert pepper.subkey("password", old_id) == old_key
    assert pepper.subkey("password", pepper.current_id()) == pepper.subkey("password")


def test_a_pepper_that_was_taken_away_is_unknown(settings: Settings) -> None:
    old_id = pepper.current_id()
    settings.USHER_PEPPER = [NEW]
    with pytest.raises(LookupError, match=old_id):
        pepper.subkey("password", old_id)


@pytest.mark.parametrize("peppers", [[], [""], [OLD, ""]])
def test_an_empty_pepper_is_never_used(settings: Settings, peppers: list[str]) -> None:
    settings.USHER_PEPPER = peppers
    with pytest.raises(ImproperlyConfigured):
        pepper.subkey("password")


def test_tokens_are_long_and_fit_into_an_address() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_a_token_hash_depends_on_token_and_purpose_alone(settings: Settings) -> None:
    token = new_token()
    kept = token_hash(token, "setup")
    settings.USHER_PEPPER = [NEW, OLD]
    assert kept == token_hash(token, "setup")
    assert len(kept) == 64
    assert token not in kept
    assert len({kept, token_hash(token, "invitation"), token_hash(new_token(), "setup")}) == 3


def test_a_token_that_is_no_text_is_hashed_too() -> None:
    assert len(token_hash("\ud800", "setup")) == 64


def test_now_is_in_utc() -> None:
    assert now().tzinfo is UTC
