"""Names: what is refused and why, when two are the same, how they are found, which sign-in names they make."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.people.names import clean_name, name_key, query_words, search_words, stem

FAMILY = "👨\u200d👩\u200d👧"

KEPT = [
    ("Ada", "Ada"),
    ("  Ada   Lovelace ", "Ada Lovelace"),
    ("Ada\nLovelace", "Ada Lovelace"),
    ("Ada\u00a0\u3000Lovelace", "Ada Lovelace"),
    ("A\u030asa O\u0308berg", "Åsa Öberg"),
    ("O'Brien-Smith, Jr. (Y5)", "O'Brien-Smith, Jr. (Y5)"),
    ("山田 太郎", "山田 太郎"),
    ("佐々木", "佐々木"),
    ("محمد", "محمد"),
    ("علی\u200cرضا", "علی\u200cرضا"),
    ("അനില്\u200d", "അനില്\u200d"),
    (f"Team {FAMILY}", f"Team {FAMILY}"),
    ("葛\U000e0100城", "葛\U000e0100城"),
    ("4A", "4A"),
    ("'Ada'", "'Ada'"),
    ("x" * 150, "x" * 150),
]

REFUSED = [
    ("", Reason.NAME_MISSING),
    (" \t\n", Reason.NAME_MISSING),
    ("x" * 151, Reason.NAME_TOO_LONG),
    ("Å" * 400, Reason.NAME_TOO_LONG),
    ("Ada\u202eecalevoL", Reason.NAME_HIDDEN_CHARACTERS),
    ("\u2066Ada\u2069", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\u200f", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\u061c", Reason.NAME_HIDDEN_CHARACTERS),
    ("A\u200bda", Reason.NAME_HIDDEN_CHARACTERS),
    ("\ufeffAda", Reason.NAME_HIDDEN_CHARACTERS),
    ("A\u00adda", Reason.NAME_HIDDEN_CHARACTERS),
    ("A\u2060da", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\u2028Lovelace", Reason.NAME_HIDDEN_CHARACTERS),
    ("\u3164", Reason.NAME_HIDDEN_CHARACTERS),
    ("\u200d", Reason.NAME_HIDDEN_CHARACTERS),
    ("A\u200dda", Reason.NAME_HIDDEN_CHARACTERS),
    ("\u200cعلی", Reason.NAME_HIDDEN_CHARACTERS),
    ("علی \u200cرضا", Reason.NAME_HIDDEN_CHARACTERS),
    ("علی\u200c\u200cرضا", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\x00", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\x1fLovelace", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\x85Lovelace", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\U000e0041", Reason.NAME_HIDDEN_CHARACTERS),
    ("Ada\ud800", Reason.NAME_HIDDEN_CHARACTERS),
    ("J\ufffdrg", Reason.NAME_DAMAGED),
    ("=1+1", Reason.NAME_LOOKS_LIKE_FORMULA),
    ("+Ada", Reason.NAME_LOOKS_LIKE_FORMULA),
    ("-Ada", Reason.NAME_LOOKS_LIKE_FORMULA),
    ("@Ada", Reason.NAME_LOOKS_LIKE_FORMULA),
    (" ＝1+1", Reason.NAME_LOOKS_LIKE_FORMULA),
]


@pytest.mark.parametrize(("typed", "kept"), KEPT)
def test_name_is_kept(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize(("typed", "reason"), REFUSED)
def test_name_is_refused(typed: str, reason: Reason) -> None:
    with pytest.raises(UsherError) as no:
        clean_name(typed, "name")
    (finding,) = no.value.findings
    assert (finding.reason, finding.column) == (reason, "name")
    assert finding.sentence
    assert finding.next_step


@given(st.text(max_size=160))
def test_a_name_once_cleaned_stays_as_it_is(typed: str) -> None:
    try:
        name = clean_name(typed)
    except UsherError:
        return
    assert clean_name(name) == name
    assert name == unicodedata.normalize("NFC", name).strip()
    assert 0 < len(name) <= 150


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "ADA  lovelace"),
        ("Åsa", "A\u030aSA"),
        ("Ａｄａ", "ada"),
        ("Weiß", "WEISS"),
        ("علی\u200cرضا", "علیرضا"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
    ],
)
def test_same_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Asa", "Åsa"), ("Ada L", "AdaL"), ("Ада", "Ada")])
def test_other_name(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    ("username", "sign_in", "words"),
    [
        ("Ada Lovelace", "ada.l@x.example", ("ada", "lovelace", "ada.l@x.example", "l")),
        ("Åsa Öberg", "asa.oberg@c.usher.invalid", ("asa", "oberg", "asa.oberg@c.usher.invalid")),
        ("Søren Łuczak", "s@x.example", ("soren", "luczak", "s@x.example", "s")),
        ("O'Brien-Smith", "", ("o", "brien", "smith")),
        (
            "山田 太郎",
            "student.4831@c.usher.invalid",
            ("山田", "太郎", "student.4831@c.usher.invalid", "student", "4831"),
        ),
        ("佐々木", "", ("佐々木",)),
        ("が", "", ("が",)),
        ("김철수", "", ("김철수",)),
        ("हिन्दी", "", ("हिन्दी",)),
        ("علی\u200cرضا", "", ("علیرضا",)),
        ("Йохан", "", ("иохан",)),
        ("İpek Weiß", "", ("ipek", "weiss")),
        ("", "", ()),
        ("x" * 50, "", ("x" * 40,)),
    ],
)
def test_search_words(username: str, sign_in: str, words: tuple[str, ...]) -> None:
    assert search_words(username, sign_in) == words


@given(st.text(max_size=200), st.emails() | st.text(max_size=80))
def test_search_words_are_few_short_and_distinct(username: str, sign_in: str) -> None:
    words = search_words(username, sign_in)
    assert len(words) == len(set(words)) <= 12
    assert all(0 < len(word) <= 40 for word in words)


@given(st.lists(st.text("aäÖsø éжが김山", min_size=1, max_size=8), min_size=1, max_size=4).map(" ".join))
def test_whoever_types_the_name_finds_the_person(username: str) -> None:
    found = search_words(username, "")
    assert set(query_words(username)) <= set(found)
    assert set(query_words(username.upper())) <= set(found)


def test_an_address_is_searched_as_a_whole() -> None:
    assert query_words("Ada@Cedar.ex Öb") == ("ada@cedar.ex", "ob")
    assert any(word.startswith("ada@cedar.ex") for word in search_words("", "ada@cedar.example"))


STEMS = [
    ("Åsa Öberg", "asa.oberg"),
    ("Søren Ørsted", "soren.orsted"),
    ("Łukasz Żak", "lukasz.zak"),
    ("Weiß", "weiss"),
    ("O'Brien", "obrien"),
    ("Anne-Marie  Smith", "anne-marie.smith"),
    ("Anne–Marie", "anne-marie"),
    ("J. R. Smith", "j.r.smith"),
    ("ada.lovelace", "ada.lovelace"),
    ("ada_lovelace", "ada.lovelace"),
    ("Ａｄａ", "ada"),
    ("- Ada -", "ada"),
    ("a--b", "a-b"),
    ("12345", "12345"),
    ("山田太郎", ""),
    ("山田 2", ""),
    ("!!!", ""),
    ("", ""),
    ("Anna-2", "anna.2"),
    ("Anna-1234", "anna1234"),
    ("student 4831", "student4831"),
    ("student 483", "student.483"),
    ("a b 4831", "a.b.4831"),
    ("x" * 60, "x" * 40),
    ("x" * 37 + "-12345", "x" * 37 + ".12"),
]


@pytest.mark.parametrize(("username", "expected"), STEMS)
def test_stem(username: str, expected: str) -> None:
    assert stem(username) == expected


@given(st.text(max_size=60) | st.text("aB1-. _'å", max_size=60))
def test_no_stem_meets_a_made_name(username: str) -> None:
    made = stem(username)
    assert re.fullmatch(r"(?:[a-z0-9]+(?:[.-][a-z0-9]+)*)?", made)
    assert len(made) <= 40
    assert not re.search(r"-[0-9]+$", made)
    assert not re.fullmatch(r"[a-z]+\.[0-9]{4,}", made)
