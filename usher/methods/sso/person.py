"""The person as an identity provider describes one: a frozen value, made from verified claims only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from usher.core.errors import UsherError
from usher.people.addresses import parse_address
from usher.people.names import clean_name

Facts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Person:
    """Who came back from the provider.

    ``issuer`` and ``subject`` are the key, and stable; all else may change. ``address`` is in our strict form, or
    empty; ``is_vouched`` says that the organisation of the connection answers for it, so that it may lead to an
    account. ``facts`` are what rules look at; ``unknown`` names those that could not be read in full: nothing is
    decided by them. ``has_second``: the provider asked for a second proof (``amr``, RFC 8176). ``seen_at``: when it
    asked at all (``auth_time``), in seconds since 1970; 0 where it does not say.
    ``asked_at``: when facts beside the token were asked of it, likewise; 0 for never.
    """

    issuer: str
    subject: str
    address: str = ""
    is_vouched: bool = False
    name: str = ""
    facts: Facts = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    has_second: bool = False
    seen_at: int = 0
    asked_at: float = 0

    @property
    def key(self) -> str:
        """The compare key of the address; empty for none."""
        return parse_address(self.address).key if self.address else ""

    @property
    def username(self) -> str:
        """How the person is called: the name, else what stands before the @, else nothing."""
        return self.name or self.address.partition("@")[0]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "facts": dict(self.facts), "unknown": sorted(self.unknown)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Person:
        facts = {name: tuple(values) for name, values in kept["facts"].items()}
        return cls(**{**kept, "facts": facts, "unknown": frozenset(kept["unknown"])})


# What the tables of the kinds are made with


def words(claim: object) -> tuple[str, ...]:
    """The texts of a claim that is one text, a list of them, a number or a truth value; nothing else."""
    values = claim if isinstance(claim, list) else [claim]
    return tuple(_word(value) for value in values if isinstance(value, str | int) and _word(value))[:2000]


def _word(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()[:255]


def address_in(*claims: object) -> str:
    """The first of these that is an address in our strict form; "" for none."""
    for claim in claims:
        if isinstance(claim, str):
            try:
                return parse_address(claim).original
            except UsherError:
                continue
    return ""


def name_in(claims: Mapping[str, Any]) -> str:
    """The person's name as we would take it from a form; "" where there is none that we would."""
    parts = " ".join(str(claims.get(part) or "") for part in ("given_name", "family_name")).strip()
    for given in (claims.get("name"), parts):
        if isinstance(given, str) and given.strip():
            try:
                return clean_name(given)
            except UsherError:
                continue
    return ""


def had_second(claims: Mapping[str, Any]) -> bool:
    """Whether the provider says that it asked for more than one factor (RFC 8176 section 2)."""
    return "mfa" in words(claims.get("amr"))


def seen_at(claims: Mapping[str, Any]) -> int:
    """``auth_time``, where it is a time."""
    said = claims.get("auth_time")
    return said if isinstance(said, int) and not isinstance(said, bool) and said > 0 else 0
