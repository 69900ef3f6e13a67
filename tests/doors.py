"""Codes and doors for tests: opened, used, and read from pages as a person reads them."""

from __future__ import annotations

import re
from typing import Any

from world import PASSWORD, World

from usher.lifecycle.joiner import NewAccount, Outcome
from usher.methods.invite_code import codes, find
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.wish import Wish
from usher.people import passwords
from usher.people.models import Group

PAGE = "/o/cedar/settings/codes"
PLAIN = Wish()


def made(world: World, wish: Wish = PLAIN) -> InviteCode:
    """A code of Cedar, made by Ada."""
    return codes.create(world.cedar.organization, wish, world.ada.by)


def opened(world: World, minutes: int = 15, group: Group | None = None) -> InviteCode:
    """The door of Year 5, or of another group, opened by Ada."""
    group = group or world.year5
    return codes.open_door(world.cedar.organization, group.id, minutes, world.ada.by)


def code_of(group: Group) -> InviteCode:
    """The code of a group as the database has it now."""
    code = find.of_group(group)
    assert code
    return code


def comes(code: InviteCode | Group, name: str) -> Outcome:
    """Somebody new by a code, as a page that was shown earlier knows it, or by that of a group."""
    known = code if isinstance(code, InviteCode) else code_of(code)
    return enter(known, NewAccount(name, password=passwords.digest(PASSWORD), chosen=True))


def of_code(code: InviteCode, rest: str = "") -> str:
    return f"{PAGE}/{code.id}{rest}"


def at_door(group: Group, rest: str = "") -> str:
    return f"/o/cedar/groups/{group.id}/door{rest}"


def text_of(response: Any) -> str:
    """What a page says, without its tags and with single spaces."""
    words = " ".join(re.sub(r"</?(?:b|bdi|wbr|span)\b[^>]*>", "", response.content.decode()).split())
    return " ".join(re.sub(r"<[^>]+>", " ", words).split())


def mark(response: Any) -> str:
    """What a window is known by, so that a poll which finds the same brings nothing."""
    found = re.search(r"\?mark=([0-9a-f]{16})", response.content.decode())
    assert found
    return found[1]
