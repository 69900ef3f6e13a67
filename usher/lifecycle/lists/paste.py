"""People in a text pasted from anywhere: a mail's recipients, a spreadsheet's columns, one address per line.

Nothing is dropped in silence: what has letters is a person, and where its address or name is no good, a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.people.addresses import LONGEST as LONGEST_ADDRESS
from usher.people.addresses import parse_address
from usher.people.names import LONGEST as LONGEST_NAME
from usher.people.names import clean_name

LONGEST: Final = 1_000_000  # characters: some 20,000 people
MOST: Final = 20_000
_LONGEST_SHOWN: Final = 80
_LONGEST_READ: Final = 4 * LONGEST_NAME  # a letter may be typed as several signs; putting them together is slow

# What stands for a sign of ours on other keyboards and in other programs, and what nobody sees and no name needs.
_OURS: Final = str.maketrans(
    {
        **dict.fromkeys("＠﹫", "@"),
        **dict.fromkeys("；؛", ";"),
        **dict.fromkeys("，、،", ","),
        **dict.fromkeys("“”„‟＂", '"'),
        **dict(zip("＜＞（）", "<>()", strict=True)),
        **dict.fromkeys("\xad\u200b\u200e\u200f\u202a\u202c\u2060\u2068\u2069\ufeff", ""),
    }
)
# Each alternative ends at the first sign it cannot take, so that no text is walked more than a few times.
_TOKEN: Final = re.compile(
    r""""(?P<quoted>[^"<>@;]*)" | <(?P<angle>[^<>;,\t]*)> | \((?P<note>[^()<>@;]*)\)
    | (?P<sign>[;,]) | (?P<run>[^\s;,<>()"]+)""",
    re.VERBOSE,
)
_LABEL: Final = re.compile(r"\A\W*(?:to|cc|bcc|from|mail|e-?mail(?: address)?)\s*:", re.IGNORECASE)
_AROUND_NAME: Final = " ,;:|/-–—•·*'‘’\"<>"
_BEFORE_ADDRESS: Final = "'‘’«»[•·…-–—"
_AFTER_ADDRESS: Final = ".,:!?'`‘’«»]})*_-…。"


@dataclass(frozen=True, slots=True)
class Named:
    """One person of a text.

    ``line`` is where the person stands, 1 first; ``email`` is as typed, ``address`` its compare key: empty when
    there is none or it is refused; ``username`` is empty when there is none; ``findings`` is all that is wrong.
    """

    line: int
    email: str
    address: str
    username: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Person:
    """As found, before anything is judged; ``address`` is empty for a name alone."""

    name: str
    address: str = ""


def pasted(text: str, most: int = MOST) -> list[Named]:
    """The people of a text, each with what is wrong. Raises UsherError: text_too_long, too_many_to_invite."""
    refuse_too_long(text)
    lines = text.translate(_OURS).splitlines()
    found = _found(lines, is_table=_is_table(lines))
    people = list(islice(found, most))
    left = sum(1 for _ in found)
    if left:
        raise UsherError(Reason.TOO_MANY_TO_INVITE(limit=most, count=most + left))
    return [_judged(line, person) for line, person in people]


def refuse_too_long(text: str) -> None:
    """Raises UsherError: text_too_long."""
    if len(text) > LONGEST:
        raise UsherError(Reason.TEXT_TOO_LONG("text", length=len(text), limit=LONGEST))


def _is_table(lines: list[str]) -> bool:
    """One address in every line, save perhaps a heading: what else stands there tells of that person alone."""
    filled = [line for line in lines if line.strip()]
    addresses = [line.count("@") for line in filled]
    is_even = len({line.count(";") for line in filled}) == 1
    return is_even and len(filled) > 1 and addresses[0] < 2 and all(count == 1 for count in addresses[1:])


def _found(lines: list[str], *, is_table: bool) -> Iterator[tuple[int, _Person]]:
    for number, line in enumerate(lines, start=1):
        if line and not line.isspace():
            for person in _in_line(line, is_row=is_table or "\t" in line):
                yield number, person


def _in_line(line: str, *, is_row: bool) -> list[_Person]:
    people = [person for piece in _pieces(line) for person in _in_piece(piece)]
    addressed = sum(1 for person in people if person.address)
    if not addressed:
        name = _name(" ".join(line.split()))
        return [_Person(name)] if name else []
    if addressed == 1 and is_row:
        return [_row(people)]
    return people


def _row(people: list[_Person]) -> _Person:
    """One address and the cells beside it: the name is in those before it, else in the one after."""
    at = next(at for at, person in enumerate(people) if person.address)
    before, after = (" ".join(person.name for person in some) for some in (people[:at], people[at + 1 : at + 2]))
    return _Person(people[at].name or before or after, people[at].address)


# From a line to names and addresses. Only a semicolon surely separates people: "Doe, Ann" is one.


def _pieces(line: str) -> Iterator[list[tuple[str, str]]]:
    """Between semicolons: the kind and text of each token."""
    piece: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(line):
        token = match.lastgroup or "", match[match.lastgroup or 0]
        if token == ("sign", ";"):
            yield piece
            piece = []
        else:
            piece.append(token)
    yield piece


def _in_piece(tokens: list[tuple[str, str]]) -> list[_Person]:
    """Names stand before their addresses, or each behind its own."""
    between, addresses = _apart(tokens)
    names = [_name(" ".join(words)) for words in between]
    if not addresses:
        return [_Person(names[0])] if names[0] else []
    if not names[0] and all(names[1:]):
        return [_Person(*pair) for pair in zip(names[1:], addresses, strict=True)]
    people = [_Person(*pair) for pair in zip(names, addresses, strict=False)]
    return [*people, _Person(names[-1])] if names[-1] else people


def _apart(tokens: list[tuple[str, str]]) -> tuple[list[list[str]], list[str]]:
    """The words before, between and behind the addresses, and the addresses."""
    between: list[list[str]] = [[]]
    addresses: list[str] = []
    for kind, text in tokens:
        words = between[-1]
        if kind == "sign":
            if words and words[-1][-1:] != text:
                words[-1] += text
        elif "@" in text:
            address = _bare(text)
            # Twice in a row is one person: "ann@x.org" <ann@x.org>, and what mail programs make of links.
            if words or not addresses or addresses[-1].lower() != address.lower():
                addresses.append(address)
                between.append([])
        elif kind == "note":
            beside = between[-2] if addresses and not words else words
            beside.append(text if beside is not words and not beside else f"({text})")
        elif text:
            words.append(text)
    return between, addresses


def _bare(text: str) -> str:
    """An address without ``mailto:`` and the signs that a sentence or a program put around it."""
    local, at, domain = text.strip().partition("@")
    local = local.rpartition(":")[2].lstrip(_BEFORE_ADDRESS)
    return local + at + domain.partition("?")[0].rstrip(_AFTER_ADDRESS)


def _name(text: str) -> str:
    """The name in what stands beside an address: without labels, bullets and numbers; "" when no letter is left."""
    words = _LABEL.sub("", text).strip(_AROUND_NAME).split()
    first = next((at for at, word in enumerate(words) if any(map(str.isalpha, word))), len(words))
    return " ".join(words[first:]).strip(_AROUND_NAME)


# What is wrong with a person


def _judged(line: int, person: _Person) -> Named:
    findings: list[Finding] = []
    email, address = "", ""
    if person.address:
        email, address = _address(person.address, findings)
        username = _username(person.name, findings)
    else:
        username = _short(person.name)
        findings.append(Reason.NO_ADDRESS_HERE("email", given=username))
    return Named(line, email, address, username, tuple(findings))


def _address(typed: str, findings: list[Finding]) -> tuple[str, str]:
    try:
        address = parse_address(typed)
    except UsherError as no:
        findings.extend(no.findings)
        return typed[:LONGEST_ADDRESS], ""
    return address.original, address.key


def _username(name: str, findings: list[Finding]) -> str:
    if not name:
        return ""
    if len(name) > _LONGEST_READ:
        findings.append(Reason.NAME_TOO_LONG("name", length=len(name), limit=LONGEST_NAME))
        return _short(name)
    try:
        return clean_name(name, "name")
    except UsherError as no:
        findings.extend(no.findings)
        return _short(name)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
