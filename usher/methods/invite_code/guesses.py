"""Looking a typed code up, with limits on guessing, and with one answer to strangers for every code that is dead.

Before sign-in, a code that nobody made, one that ended, rests, has not begun or is used up, and one of a suspended
organisation cost the same queries, count as the same wrong guess and get the same Reason.
"""

from __future__ import annotations

import structlog
from django.http import HttpRequest

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import CODE_ACCOUNT, CODE_ADDRESS, CODE_ALARM, CODE_ANYWHERE, Limit, network_of, wait_minutes
from usher.core.middleware import client_ip
from usher.core.reasons import Finding, Reason
from usher.methods.invite_code.arrivals import codes
from usher.methods.invite_code.models import InviteCode, Standing
from usher.methods.invite_code.text import normal
from usher.methods.invite_code.ticket import stop_of
from usher.people.models import Account

EVERYBODY = ""

log = structlog.get_logger("usher.codes")


def find(request: HttpRequest, typed: str) -> InviteCode:
    """The living code that was typed, with its organisation, licence and group.

    Raises UsherError: too_many_tries; code_dead to strangers whatever the cause, the true reason to somebody who is
    signed in. Call it outside a transaction: a guess that is rolled back was not counted.
    """
    account = request.user if isinstance(request.user, Account) else None
    limits = _limits(request, account)
    _check(limits)
    code = _look_up(typed)
    no = _objection(code)
    if code is None or no:
        for limit, who in limits:
            limit.add(who)
        raise UsherError(no if no and account else Reason.CODE_DEAD("code"))
    return code


def _limits(request: HttpRequest, account: Account | None) -> list[tuple[Limit, str]]:
    """Whose wrong guess it would be."""
    mine = [(CODE_ACCOUNT, str(account.id))] if account else []
    return [*mine, (CODE_ADDRESS, network_of(client_ip(request))), (CODE_ANYWHERE, EVERYBODY)]


def _check(limits: list[tuple[Limit, str]]) -> None:
    minutes = wait_minutes(*limits)
    if not minutes:
        return
    if CODE_ANYWHERE.is_full(EVERYBODY) and not CODE_ALARM.is_full(EVERYBODY):
        CODE_ALARM.add(EVERYBODY)
        log.warning("code_guesses_everywhere", capacity=CODE_ANYWHERE.capacity)
    raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))


def _look_up(typed: str) -> InviteCode | None:
    """One query, also for what cannot be a code."""
    return codes().filter(code=normal(typed)).first()


def _objection(code: InviteCode | None) -> Finding | None:
    """Why a code lets nobody in. One that lets people ask at its end is alive."""
    if code is None:
        return None
    if code.organization.is_suspended:
        return Reason.ORGANIZATION_SUSPENDED()
    standing = code.standing(clock.now())
    if standing is Standing.SPENT and code.at_end == InviteCode.AtEnd.REFUSE:
        return Reason.CODE_USED_UP("code")
    return stop_of(code, standing)
