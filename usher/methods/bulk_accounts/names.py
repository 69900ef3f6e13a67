"""Who is wanted: a list of names, one a line in any script, or just so many."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext

from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason
from usher.people.names import clean_name

MOST: Final = 2_000  # one transaction; more people come by CSV
LARGEST: Final = 4 * 1024 * 1024  # bytes of a list; far more than the longest names need

_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Person:
    """One of the people wanted; without a name the door makes one."""

    line: int
    username: str = ""


class NamesError(UsherError):
    """Names that cannot be used: everything that is wrong, each with its line. Nobody is made."""

    def __init__(self, faults: list[tuple[int, Finding]]) -> None:
        super().__init__(*(finding for _, finding in faults))
        self.faults = tuple(faults)


def read(content: bytes) -> str:
    """The text of a file of names: UTF-8, UTF-16 with its mark, else Windows-1252. Raises UsherError."""
    if len(content) > LARGEST:
        raise UsherError(Reason.TOO_MANY_ACCOUNTS("names", count=content.count(b"\n") + 1, limit=MOST))
    codecs_to_try = ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "cp1252")
    for codec in codecs_to_try:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsherError(Reason.FILE_NOT_A_LIST("names", looks_like=gettext("a file for a program, not text")))


def named(text: str) -> tuple[Person, ...]:
    """The people of a list; blank lines name nobody and still count as lines.

    Raises NamesError with every name that is not allowed, UsherError (nobody_named, too_many_accounts).
    """
    faults: list[tuple[int, Finding]] = []
    people = tuple(_people(text, faults))
    if len(people) + len(faults) > MOST:
        raise UsherError(Reason.TOO_MANY_ACCOUNTS("names", count=len(people) + len(faults), limit=MOST))
    if faults:
        raise NamesError(faults)
    if not people:
        raise UsherError(Reason.NOBODY_NAMED("names"))
    return people


def _people(text: str, faults: list[tuple[int, Finding]]) -> Iterator[Person]:
    for line, typed in enumerate(_LINE_ENDS.split(text), start=1):
        if not typed.strip():
            continue
        try:
            yield Person(line, clean_name(typed, "names"))
        except UsherError as no:
            faults.extend((line, finding) for finding in no.findings)


def numbered(count: int) -> tuple[Person, ...]:
    """So many people without names. Raises UsherError: nobody_named, too_many_accounts."""
    if count < 1:
        raise UsherError(Reason.NOBODY_NAMED("count"))
    if count > MOST:
        raise UsherError(Reason.TOO_MANY_ACCOUNTS("count", count=count, limit=MOST))
    return tuple(Person(number) for number in range(1, count + 1))
