"""Pasted people: every shape in which addresses are copied, nobody dropped in silence, hostile texts read at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.lifecycle.lists.paste import LONGEST, pasted
from usher.people.addresses import parse_address

# Text, and (name, address) of everybody in it.
SHAPES = [
    ("Ann <ann@x.org>; bob@y.org", [("Ann", "ann@x.org"), ("", "bob@y.org")]),
    ("ann@x.org\r\n\r\nbob@y.org\rcarl@z.org\n", [("", "ann@x.org"), ("", "bob@y.org"), ("", "carl@z.org")]),
    ("ann@x.org bob@y.org", [("", "ann@x.org"), ("", "bob@y.org")]),
    ("ann@x.org,bob@y.org;carl@z.org\tdora@z.org,", [("", f"{n}.org") for n in ("ann@x", "bob@y", "carl@z", "dora@z")]),
    ('"Doe, Ann" <ann@x.org>, Bob <bob@y.org>', [("Doe, Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Doe, Ann <ann@x.org>; Roe, Bob <bob@y.org>;", [("Doe, Ann", "ann@x.org"), ("Roe, Bob", "bob@y.org")]),
    ("Doe, Ann <ann@x.org>\nRoe, Bob <bob@y.org>", [("Doe, Ann", "ann@x.org"), ("Roe, Bob", "bob@y.org")]),
    ("ann@x.org (Ann Doe)\nbob@y.org", [("Ann Doe", "ann@x.org"), ("", "bob@y.org")]),
    ("Ann (5b) <ann@x.org>", [("Ann (5b)", "ann@x.org")]),
    ("Ann ann@x.org (5b)", [("Ann (5b)", "ann@x.org")]),
    ("mailto:ann@x.org?subject=Hello", [("", "ann@x.org")]),
    ("<ann@x.org>", [("", "ann@x.org")]),
    ("Ann Doe ann@x.org", [("Ann Doe", "ann@x.org")]),
    ("Ann Doe, ann@x.org", [("Ann Doe", "ann@x.org")]),
    ("ann@x.org, Ann Doe", [("Ann Doe", "ann@x.org")]),
    ("ann@x.org, Ann, bob@y.org, Bob", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Ann, ann@x.org, Bob, bob@y.org", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Ann Doe\tann@x.org\nBob Roe\tbob@y.org", [("Ann Doe", "ann@x.org"), ("Bob Roe", "bob@y.org")]),
    ("Ann\tDoe\tann@x.org\t5b", [("Ann Doe", "ann@x.org")]),
    ("ann@x.org\tAnn\tDoe", [("Ann Doe", "ann@x.org")]),
    ("Ann;ann@x.org\nBob;bob@y.org", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Doe;Ann;ann@x.org;5b\nRoe;Bob;bob@y.org;5c", [("Doe Ann", "ann@x.org"), ("Roe Bob", "bob@y.org")]),
    ("ann@x.org;Ann;5b\nbob@y.org;Bob;5c", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Ann,ann@x.org,student\nBob,bob@y.org,teacher", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Ann <ann@x.org; Bob bob@y.org>", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("Ann <ann＠x.org>；bob@y.org，carl@z.org", [("Ann", "ann@x.org"), ("", "bob@y.org"), ("", "carl@z.org")]),
    ("\ufeff\u200bann@x.org\u00a0", [("", "ann@x.org")]),
    ("Ann\u00a0Doe\u3000<\u202aann@x.org\u202c>", [("Ann Doe", "ann@x.org")]),
    ("“Ann Doe” <ann@x.org>", [("Ann Doe", "ann@x.org")]),
    ("'ann@x.org' <ann@x.org>", [("", "ann@x.org")]),
    ('"Ann@X.org" <ann@x.org>; bob@y.org', [("", "Ann@X.org"), ("", "bob@y.org")]),
    ("Ann Doe <ann@x.org<mailto:ann@x.org>>", [("Ann Doe", "ann@x.org")]),
    ("[ann@x.org](mailto:ann@x.org)", [("", "ann@x.org")]),
    ("bob@y.org <ann@x.org>", [("", "bob@y.org"), ("", "ann@x.org")]),
    ("To: Ann <ann@x.org>, Bob <bob@y.org>", [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("E-mail address: ann@x.org.", [("", "ann@x.org")]),
    ("1. ann@x.org\n2. Bob bob@y.org", [("", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("- ann@x.org\n• Bob – bob@y.org", [("", "ann@x.org"), ("Bob", "bob@y.org")]),
    ("| Ann | ann@x.org |", [("Ann", "ann@x.org")]),
    ("O'Brien <o'brien@x.org>", [("O'Brien", "o'brien@x.org")]),
    ("李小龙 <li@x.org>; Ann <ann@schüle.example>", [("李小龙", "li@x.org"), ("Ann", "ann@xn--schle-mva.example")]),
    ('  \n,;\t<>() "\n--\n1.', []),
]


@pytest.mark.parametrize(("text", "people"), SHAPES)
def test_every_shape_is_read(text: str, people: list[tuple[str, str]]) -> None:
    found = pasted(text)
    assert [(one.username, one.email) for one in found] == people
    assert [one.findings for one in found] == [()] * len(people)
    assert [one.address for one in found] == [email.lower() for _name, email in people]


def test_each_is_told_with_its_line() -> None:
    assert [one.line for one in pasted("a@x.org b@x.org\n\nc@x.org\r\nd@x.org")] == [1, 1, 3, 4]


# What is refused: text, (name, e-mail as typed, reason).
REFUSED = [
    ("Ann", "Ann", "", Reason.NO_ADDRESS_HERE),
    ("undisclosed recipients:;", "undisclosed recipients", "", Reason.NO_ADDRESS_HERE),
    ("Ann </o=Exchange/cn=ann>", "Ann </o=Exchange/cn=ann", "", Reason.NO_ADDRESS_HERE),
    ("ann@", "", "ann@", Reason.ADDRESS_INCOMPLETE),
    ("@ann", "", "@ann", Reason.ADDRESS_INCOMPLETE),
    ("Ann <ann@x>", "Ann", "ann@x", Reason.ADDRESS_INCOMPLETE),
    ("Ann <ann doe@x.org>", "Ann", "ann doe@x.org", Reason.ADDRESS_NOT_ALLOWED),
    ("ann@x.org/bob@y.org", "", "ann@x.org/bob@y.org", Reason.ADDRESS_NOT_ALLOWED),
    ("ann@x.org\u200dx", "", "ann@x.org\u200dx", Reason.ADDRESS_NOT_ALLOWED),
    ("=HYPERLINK <ann@x.org>", "=HYPERLINK", "ann@x.org", Reason.NAME_LOOKS_LIKE_FORMULA),
    ("A\u202enn <ann@x.org>", "A\u202enn", "ann@x.org", Reason.NAME_HIDDEN_CHARACTERS),
    (f"{'A' * 151} <ann@x.org>", f"{'A' * 80}…", "ann@x.org", Reason.NAME_TOO_LONG),
    (f"{'A' * 5_000} <ann@x.org>", f"{'A' * 80}…", "ann@x.org", Reason.NAME_TOO_LONG),
]


@pytest.mark.parametrize(("text", "name", "email", "reason"), REFUSED)
def test_what_cannot_be_used_is_kept_and_explained(text: str, name: str, email: str, reason: Reason) -> None:
    (one,) = pasted(text)
    assert (one.username, one.email) == (name, email)
    (finding,) = one.findings
    assert finding.reason is reason
    assert finding.sentence
    assert finding.next_step


def test_names_without_addresses_in_a_list_of_recipients_are_told_one_by_one() -> None:
    found = pasted("Bob Roe; Carol; ann@x.org, dora@x.org, Emil")
    assert [(one.username, one.email, bool(one.findings)) for one in found] == [
        ("Bob Roe", "", True),
        ("Carol", "", True),
        ("", "ann@x.org", False),
        ("", "dora@x.org", False),
        ("Emil", "", True),
    ]


def test_a_heading_above_a_table_is_told_and_the_table_read() -> None:
    heading, ann, bob = pasted("Name;E-mail address;Class\nAnn;ann@x.org;5b\nBob;bob@y.org;5c")
    assert heading.findings[0].reason is Reason.NO_ADDRESS_HERE
    assert [(one.username, one.email) for one in (ann, bob)] == [("Ann", "ann@x.org"), ("Bob", "bob@y.org")]


def test_a_broken_list_of_recipients_is_no_table() -> None:
    """Two lines with one address each, but not cells beside it: the names would be lost on somebody else."""
    found = pasted("Bob Roe; Carol; ann@x.org;\ndora@x.org")
    assert [one.username for one in found] == ["Bob Roe", "Carol", "", ""]


def test_too_much_is_refused_before_it_is_judged() -> None:
    with pytest.raises(UsherError) as no:
        pasted("a@x.org; " * 12, most=10)
    assert no.value.findings[0].facts == {"limit": 10, "count": 12}
    assert len(pasted("a@x.org\n" * 10, most=10)) == 10
    with pytest.raises(UsherError) as no:
        pasted("a" * (LONGEST + 1))
    assert no.value.findings[0].reason is Reason.TEXT_TOO_LONG


HOSTILE = [
    '"', '"a', '"a",', "<", "<a", "(", ",", ",a", ";", "a;", "@", "a@ ", "- ", " ", "\n", "a", "mailto:", "a@b.org ",
    "\u0301\u0323", "a@é.", "'", "b.",
]  # fmt: skip


@pytest.mark.parametrize("bait", HOSTILE)
def test_a_hostile_text_is_read_at_once(bait: str) -> None:
    text = (bait * LONGEST)[: LONGEST // 4]
    begun = time.process_time()
    for whole in (text, f"a@b.org {text}", f"{text} <a@b.org>"):
        try:
            pasted(whole)
        except UsherError as no:
            assert no.findings[0].reason is Reason.TOO_MANY_TO_INVITE  # noqa: PT017
    assert time.process_time() - begun < 10  # seconds for three; with a square of the length it would be hours


PIECES = st.sampled_from(
    [
        "Ann",
        "Doe, Ann",
        "ann@x.org",
        "<ann@x.org>",
        '"',
        "<",
        ">",
        "(",
        ")",
        ",",
        ";",
        "\t",
        "\n",
        " ",
        "@",
        "mailto:",
        "é",
    ]
)


@given(st.text() | st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_read_without_a_crash_and_nobody_is_both_wrong_and_right(text: str) -> None:
    for one in pasted(text):
        assert 1 <= one.line <= len(text.splitlines())
        assert one.username or one.email
        assert bool(one.address) or one.findings
        if one.address:
            assert parse_address(one.email).key == one.address


ADDRESSES = st.from_regex(r"\A[a-z][a-z0-9]{0,8}@[a-z]{1,8}\.(org|example)\Z")
NAMES = st.sampled_from(["", "Ann", "Ann Doe", "Doe, Ann", "Åsa Öberg", "李小龙"])


@given(st.lists(st.tuples(NAMES, ADDRESSES), min_size=1, max_size=8), st.sampled_from(["\n", "; ", ";", "\r\n"]))
def test_named_addresses_come_back_as_they_were_written(people: list[tuple[str, str]], separator: str) -> None:
    text = separator.join(f"{name} <{address}>" for name, address in people)
    assert [(one.username, one.email) for one in pasted(text)] == people
