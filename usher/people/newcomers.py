"""Somebody who has no account yet and types who he is: name, perhaps an address, a password of his own choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from usher.core.errors import UsherError
from usher.core.reasons import Finding
from usher.people import passwords
from usher.people.addresses import Address, parse_address
from usher.people.names import clean_name

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What was typed, checked. ``address`` is None for somebody who gave none."""

    username: str
    address: Address | None
    password: str = field(repr=False)


def newcomer(username: str, email: str, password: str) -> Newcomer:
    """Raises UsherError with all that is wrong, by field: username, email, password. Asks no table."""
    findings: list[Finding] = []

    def passed(check: Callable[[], T]) -> T | None:
        try:
            return check()
        except UsherError as no:
            findings.extend(no.findings)
            return None

    name = passed(lambda: clean_name(username))
    address = passed(lambda: parse_address(email)) if email.strip() else None
    passed(lambda: passwords.check_chosen(password))
    if findings or name is None:
        raise UsherError(*findings)
    return Newcomer(name, address, password)
