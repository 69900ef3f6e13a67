"""The person at the door as a frozen value, who brought them, on what terms, and what became of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from usher.core.reasons import Finding
from usher.events.types import Actor
from usher.organizations.plans import Method


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Somebody who has no account yet, or one that the address will find.

    ``email``/``address`` are the address as written and its compare key, both empty when there is none:
    then the door makes a sign-in name. ``password`` is a digest (see ``people.passwords``), never plain text;
    ``chosen`` says that the person chose it here, so that it need not be changed.
    """

    username: str = ""
    email: str = ""
    address: str = ""
    password: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Joiner:
    """What a room proved and describes. ``findings`` are what it already found wrong; the door refuses those.

    ``account`` is the id of an account that has proved itself here, or a :class:`NewAccount`.
    ``line`` is the line of a file, for rooms that read one.
    """

    method: Method
    account: uuid.UUID | NewAccount
    role: str
    groups: tuple[str, ...] = ()
    evidence: str = ""
    line: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class By:
    """Who brings the people: the actor, the rank of his role here, and his groups when he only manages some.

    ``groups`` is None for those who may use every group; a manager carries the ids of his own.
    """

    actor: Actor
    rank: int
    groups: frozenset[uuid.UUID] | None = None


OPERATOR_RANK = 99


@dataclass(frozen=True, slots=True)
class Terms:
    """What the person at the desk ticked for this run.

    ``returning`` lets a deactivated member in again, ``approving`` one who waits. ``inviting``: a dry run about
    people who will come by themselves, so that an address with an account of its own is no obstacle.
    """

    make_groups: bool = False
    allow_same_name: bool = False
    returning: bool = False
    approving: bool = False
    inviting: bool = False


class Result(StrEnum):
    """``placed``: a member already, now in another group too. ``waiting``: an admin decides."""

    CREATED = "created"
    JOINED = "joined"
    PLACED = "placed"
    WAITING = "waiting"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the door decided about one joiner.

    ``sign_in`` and ``username`` are what the person will use; ``email`` is empty for a made name.
    In a dry run the ids are None.
    """

    joiner: Joiner
    result: Result
    findings: tuple[Finding, ...] = ()
    account_id: uuid.UUID | None = None
    membership_id: uuid.UUID | None = None
    sign_in: str = ""
    username: str = ""
    email: str = ""

    @property
    def reason(self) -> str:
        return self.findings[0].code if self.findings else ""
