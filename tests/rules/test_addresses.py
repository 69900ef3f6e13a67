"""Addresses: one strict form. The corpus holds what parsers are known to read in different ways (security.md B6)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.people.addresses import Address, parse_address

TAKEN = [
    "ada@cedar.example",
    "Ada.Lovelace@Cedar.EXAMPLE",
    "ada+maths@cedar.example",
    "ada_l-x@cedar.example",
    "o'brien@cedar.example",
    "_ada@cedar.example",
    "1@2.example",
    "a@b.co",
    "a-@b.co",
    "ada@mail.cedar-school.example",
    "ada@xn--mnchen-3ya.example",
    "ada@school.xn--p1ai",
    "ada@1.2.3.example",
    "#1&co~{x}*=?^$@cedar.example",
    "x" * 64 + "@cedar.example",
    "a@" + "b" * 63 + ".example",
]

REFUSED = [
    ("ada", Reason.ADDRESS_INCOMPLETE),
    ("@", Reason.ADDRESS_INCOMPLETE),
    ("", Reason.ADDRESS_INCOMPLETE),
    ("@cedar.example", Reason.ADDRESS_INCOMPLETE),
    ("ada@", Reason.ADDRESS_INCOMPLETE),
    ("ada@cedar", Reason.ADDRESS_INCOMPLETE),
    ("ada@localhost", Reason.ADDRESS_INCOMPLETE),
    ("ada@cedar.", Reason.ADDRESS_INCOMPLETE),
    ("ada@cedar.example.", Reason.ADDRESS_INCOMPLETE),
    ("ada@.example", Reason.ADDRESS_INCOMPLETE),
    ("ada@cedar..example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@host.localhost", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar.example@evil.example", Reason.ADDRESS_NOT_ALLOWED),
    ('"ada@evil.example"@cedar.example', Reason.ADDRESS_NOT_ALLOWED),
    ('"ada"@cedar.example', Reason.ADDRESS_NOT_ALLOWED),
    ('"ada\\" x"@cedar.example', Reason.ADDRESS_NOT_ALLOWED),
    ("=?utf-8?q?ada?=@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada(comment)@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@(comment)cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("Ada <ada@cedar.example>", Reason.ADDRESS_NOT_ALLOWED),
    ("<ada@cedar.example>", Reason.ADDRESS_NOT_ALLOWED),
    ("ada%evil.example@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("evil.example!ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada|id@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("`id`@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada/x@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada\\x@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada,bob@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar.example,bob@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada;x@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada:x@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada lovelace@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar .example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada\r\nBcc: eve@evil.example@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar.example\nx", Reason.ADDRESS_NOT_ALLOWED),
    ("ada\x00@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar.example\x00", Reason.ADDRESS_NOT_ALLOWED),
    ("ada\x7f@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    (".ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada.@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("a..da@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("=ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("+ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("-ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("'ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("mailto:ada@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@[192.0.2.1]", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@[IPv6:::1]", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@192.0.2.1", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar.123", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@-cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar-.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@ce_dar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@" + "b" * 64 + ".example", Reason.ADDRESS_NOT_ALLOWED),
    ("åsa@cedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ad\u212a@cedar.example", Reason.ADDRESS_NOT_ALLOWED),  # the Kelvin sign lowers to k
    ("m\u0131ke@cedar.example", Reason.ADDRESS_NOT_ALLOWED),  # dotless i uppers to I
    ("ada@git.example\u212a.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada\uff20cedar.example", Reason.ADDRESS_INCOMPLETE),
    ("ada@cedar\u3002example", Reason.ADDRESS_INCOMPLETE),
    ("ada@cedar\uff0eevil.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@ⓒedar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@straße.example", Reason.ADDRESS_NOT_ALLOWED),  # strasse.example belongs to somebody else
    ("ada@ced\u200dar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@ced\u00adar.example", Reason.ADDRESS_NOT_ALLOWED),
    ("ada@cedar.usher.invalid", Reason.ADDRESS_MADE_UP),
    ("ada@cedar.INVALID", Reason.ADDRESS_MADE_UP),
    ("ada@x.invalid.", Reason.ADDRESS_MADE_UP),
    ("x" * 65 + "@cedar.example", Reason.ADDRESS_NAME_TOO_LONG),
    ("ada@" + "b." * 122 + "example", Reason.ADDRESS_TOO_LONG),
    ("a@" + "b" * 1_000_000 + ".example", Reason.ADDRESS_TOO_LONG),
]


@pytest.mark.parametrize("typed", TAKEN)
def test_taken_as_typed_and_compared_in_lower_case(typed: str) -> None:
    assert parse_address(f"  {typed}\n") == Address(typed, typed.lower())


@pytest.mark.parametrize(("typed", "reason"), REFUSED)
def test_refused(typed: str, reason: Reason) -> None:
    with pytest.raises(UsherError) as no:
        parse_address(typed, "address")
    (finding,) = no.value.findings
    assert (finding.reason, finding.column) == (reason, "address")
    assert len(finding.sentence) < 200


@pytest.mark.parametrize(
    ("typed", "original"),
    [
        ("Ada@münchen.example", "Ada@xn--mnchen-3ya.example"),
        ("ada@MÜNCHEN.Example", "ada@xn--mnchen-3ya.example"),
        ("ada@почта.рф", "ada@xn--80a1acny.xn--p1ai"),
        ("ada@сedar.example", "ada@xn--edar-k6d.example"),  # a Cyrillic с cannot pass for the Latin one
    ],
)
def test_an_international_domain_is_kept_in_ascii(typed: str, original: str) -> None:
    assert parse_address(typed) == Address(original, original.lower())


@given(st.emails())
def test_any_valid_address_is_taken_whole_or_refused(typed: str) -> None:
    try:
        address = parse_address(typed)
    except UsherError:
        return
    assert address == Address(typed, typed.lower())
    assert re.fullmatch(r"[^@\s\"%!=+@-][^@\s\"%!]*@[a-z0-9.-]+", address.key)


@given(st.text(st.sampled_from("ada@.-+='\"%!<>() \n\r\0ıKß1"), max_size=30))
def test_whatever_is_taken_is_plain_and_stable(typed: str) -> None:
    try:
        address = parse_address(typed)
    except UsherError:
        return
    assert address.original.isascii()
    assert address.original.count("@") == 1
    assert parse_address(address.original) == address
    assert parse_address(address.key).key == address.key
