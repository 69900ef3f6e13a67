"""Domain names are compared label by label on A-labels, and what many share is nobody's (security.md B5)."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from usher.core.domain_names import is_shared, lineage, parse_domain
from usher.core.errors import UsherError
from usher.core.reasons import Reason

LETTERS = string.ascii_lowercase + string.digits
labels = st.text(LETTERS, min_size=1, max_size=8)
words = st.text(string.ascii_lowercase, min_size=1, max_size=8)
names = st.builds(lambda below, own: ".".join([*below, own, "example"]), st.lists(labels, max_size=3), labels).filter(
    lambda name: not is_shared(name)
)  # “gmail.example” is what everybody shares, under any country


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("cedar.example", "cedar.example"),
        (" @Cedar.EXAMPLE\n", "cedar.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
        ("сedar.example", "xn--edar-k6d.example"),  # a Cyrillic с cannot pass for the Latin one
        ("почта.рф", "xn--80a1acny.xn--p1ai"),
    ],
)
def test_a_name_has_one_spelling(typed: str, name: str) -> None:
    assert parse_domain(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "", "cedar", ".", "cedar.", ".example", "cedar..example", "cedar.example.", "ada@cedar.example",
        "http://cedar.example", "cedar.example/x", "cedar example", "ce_dar.example", "-cedar.example",
        "cedar-.example", "*.cedar.example", "192.0.2.1", "cedar.123", "[::1]", "cedar.usher.invalid",
        "cedar.INVALID", "straße.example", "cedar\u3002example", "ced\u00adar.example", "ced\u200dar.example",
        "ⓒedar.example", "cedar.example\x00", "cedar\n.example", "b" * 64 + ".example", "b." * 130 + "example",
        "git.example\u212a.example",
    ],
)  # fmt: skip
def test_what_is_no_mail_domain_is_refused(typed: str) -> None:
    with pytest.raises(UsherError) as no:
        parse_domain(typed, "domain")
    (finding,) = no.value.findings
    assert (finding.reason, finding.column) == (Reason.DOMAIN_NOT_ALLOWED, "domain")


@pytest.mark.parametrize(
    ("name", "chain"),
    [
        ("cedar.example", ["cedar.example"]),
        ("a.students.cedar.example", ["a.students.cedar.example", "students.cedar.example", "cedar.example"]),
        ("mail.cedar.co.uk", ["mail.cedar.co.uk", "cedar.co.uk"]),
        ("cedar.herts.sch.uk", ["cedar.herts.sch.uk"]),  # each county of sch.uk is a suffix
        ("www.cedar.github.io", ["www.cedar.github.io", "cedar.github.io"]),
        ("city.kawasaki.jp", ["city.kawasaki.jp"]),
        ("x.cedar.onmicrosoft.com", ["x.cedar.onmicrosoft.com", "cedar.onmicrosoft.com"]),
        ("cedar.mail.onmicrosoft.com", ["cedar.mail.onmicrosoft.com"]),
        ("evilonmicrosoft.com", ["evilonmicrosoft.com"]),
        ("notgmail.com", ["notgmail.com"]),
        ("gmail.com.cedar.example", ["gmail.com.cedar.example", "com.cedar.example", "cedar.example"]),
        ("school.xn--p1ai", ["school.xn--p1ai"]),
        ("comp.nus.edu.sg", ["comp.nus.edu.sg", "nus.edu.sg"]),
    ],
)
def test_who_is_above_a_name(name: str, chain: list[str]) -> None:
    assert list(lineage(name)) == chain
    assert not is_shared(name)


@pytest.mark.parametrize(
    "name",
    [
        "com", "example", "co.uk", "sch.uk", "herts.sch.uk", "kawasaki.jp", "x.kawasaki.jp", "xn--p1ai", "github.io",
        "azurewebsites.net", "compute.amazonaws.com", "onmicrosoft.com", "mail.onmicrosoft.com", "onmicrosoft.us",
        "partner.onmschina.cn", "test-google-a.com",
        "gmail.com", "googlemail.com", "googlemail.co.uk", "outlook.com", "outlook.fr", "outlook.com.pe", "hotmail.com",
        "hotmail.no", "live.com", "msn.com", "yahoo.co.jp", "yahoo.no", "icloud.com", "me.com", "aol.com", "gmx.de",
        "gmx.at", "web.de", "t-online.de", "mail.ru", "yandex.kz", "qq.com", "163.com", "naver.com", "proton.me",
        "protonmail.com", "tutanota.com", "tuta.com", "fastmail.com", "zoho.com", "hey.com", "laposte.net", "free.fr",
        "privaterelay.appleid.com", "x.gmail.com", "a.b.outlook.com", "school.web.de",
    ],
)  # fmt: skip
def test_what_many_share_is_nobodys(name: str) -> None:
    assert is_shared(name)
    assert lineage(name) == ()


@given(names, words)
def test_the_end_of_a_string_is_no_parent(name: str, evil: str) -> None:
    """evil-cedar.example, evilcedar.example and cedar.example.evil.example are nothing to cedar.example."""
    for stranger in (f"{evil}{name}", f"{evil}-{name}", f"{name}.{evil}.test", f"{name}-{evil}.test"):
        assert name not in lineage(stranger)


@given(names, labels)
def test_every_name_below_falls_under_the_name(name: str, below: str) -> None:
    assert lineage(f"{below}.{name}") == (f"{below}.{name}", *lineage(name))


@given(names, names)
def test_a_parent_is_a_whole_number_of_labels(name: str, other: str) -> None:
    mine, theirs = name.split("."), other.split(".")
    assert (other in lineage(name)) == (len(theirs) >= 2 and mine[-len(theirs) :] == theirs)


@given(names)
def test_a_chain_never_reaches_a_suffix(name: str) -> None:
    assert all(not is_shared(one) for one in lineage(name))
    assert "example" not in lineage(name)


@given(st.text(st.characters(min_codepoint=0x61, max_codepoint=0x24F, categories=["Ll"]), min_size=1, max_size=12))
def test_what_is_taken_is_in_a_labels_and_means_the_same_again(label: str) -> None:
    try:
        name = parse_domain(f"{label}.example")
    except UsherError:
        assume(False)
    assert name.isascii()
    assert name == name.lower()
    assert parse_domain(name) == name


@given(st.text(max_size=30))
def test_any_text_is_a_name_or_refused(typed: str) -> None:
    try:
        name = parse_domain(typed)
    except UsherError:
        return
    assert name.isascii()
    assert all(0 < len(label) < 64 for label in name.split("."))
    assert name.encode("idna")
