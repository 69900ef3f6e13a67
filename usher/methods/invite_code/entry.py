"""By invite code to the door."""

from __future__ import annotations

import uuid

from usher.events.types import SYSTEM, Actor
from usher.lifecycle.join import join
from usher.lifecycle.joiner import By, Joiner, NewAccount, Outcome
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.ticket import CodeTicket, group_names
from usher.organizations.plans import Method


def enter(code: InviteCode, account: uuid.UUID | NewAccount, form: str = "") -> Outcome:
    """Take one person in by this code: an account that proved itself in this request, or somebody new.

    Raises FormUsedError when this ``form`` has made an account already (ticket.py).
    """
    actor = Actor("account", account) if isinstance(account, uuid.UUID) else SYSTEM
    joiner = Joiner(Method.INVITE_CODE, account, code.role, group_names(code), evidence=_evidence(code))
    rank = code.organization.license.plan.admin.rank - 1  # no code makes an admin
    return join(code.organization_id, joiner, By(actor, rank), CodeTicket(code, form))


def _evidence(code: InviteCode) -> str:
    return f"the code of {code.group.name}" if code.group else "a code of the organisation"
