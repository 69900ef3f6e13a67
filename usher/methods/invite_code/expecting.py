"""Somebody who opened the page of a code and then signs in by another way: the code is used for him."""

from __future__ import annotations

import re
from typing import Final

from usher.core import clock
from usher.lifecycle.expected import Caller, Expected, expects
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.text import normal
from usher.methods.invite_code.ticket import CodeTicket, group_names, stop_of

_PAGE: Final = re.compile(r"/join/([^/?#]+)")


@expects
def with_code(caller: Caller) -> Expected | None:
    """The code whose page led here, where it is one of this organisation and lets somebody in now."""
    page = _PAGE.match(caller.next)
    letters = normal(page[1]) if page else ""
    codes = InviteCode.objects.filter(organization_id=caller.organization_id, code=letters) if letters else None
    code = codes.select_related("group", "organization").first() if codes is not None else None
    if code is None or stop_of(code, code.standing(clock.now())):
        return None
    evidence = f"the code of {code.group.name}" if code.group else "a code of the organisation"
    return Expected(code.role, group_names(code), evidence, CodeTicket(code), order=1)
