"""The guard against formulas: nothing we write begins like one, and nothing is lost by writing and reading it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usher.core.cells import begins_like_formula, guard, unguard

STARTS = "=+-@\t\r\n＝＋－＠"
TRICKY = st.text(st.sampled_from("'=+-@\t\r\n＝＋－＠a1 "), max_size=6) | st.text()


@pytest.mark.parametrize("start", STARTS)
def test_every_beginning_of_a_formula_is_guarded(start: str) -> None:
    assert begins_like_formula(start + "1")
    assert guard(start + "1+1") == "'" + start + "1+1"
    assert unguard("'" + start + "1+1") == start + "1+1"


@pytest.mark.parametrize("text", ["", "Ada", "'Ada", "'", "''", "a=1", " =1", "1-2", "O'Brien", "’=1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert not begins_like_formula(text)
    assert guard(text) == unguard(text) == text


def test_text_that_looks_guarded_comes_back_as_it_was() -> None:
    assert guard("'=1") == "''=1"
    assert unguard("''=1") == "'=1"


@given(TRICKY)
def test_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert not begins_like_formula(guard(text))
    assert unguard(guard(text)) == text
