"""Whose code is this? For the operator, who is shown a poster."""

from __future__ import annotations

from django.db import transaction

from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.methods.invite_code import text
from usher.methods.invite_code.models import InviteCode


@retrying
def look_up(typed: str, actor: Actor) -> InviteCode | None:
    """The code, with its organisation and group; an event tells of the look, by the code's id alone."""
    normal = text.normal(typed)
    if not normal:
        return None
    with transaction.atomic():
        code = InviteCode.objects.select_related("organization", "group").filter(code=normal).first()
        if code:
            record.record(Draft(EventType.OPERATOR_LOOKED_UP, None, actor, data={"code": str(code.id)}))
    return code
