"""The second proof: a code of the app or a recovery code, each once, and not many tries."""

from __future__ import annotations

from typing import Final

from allauth.mfa.models import Authenticator
from django.db import transaction

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import RECOVERY_CODE, SECOND_FACTOR
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.people import factors, recovery_codes, totp
from usher.people.models import Account

_WAYS: Final = {factors.APP: totp.use, factors.CODES: recovery_codes.use}


def prove(account: Account, typed: str) -> str:
    """Use a code up; returns its kind, ``totp`` or ``recovery_codes``.

    Raises UsherError: second_factor_wrong, too_many_tries.
    """
    answer = _try(account, typed)
    if isinstance(answer, int):
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=answer))
    if not answer:
        raise UsherError(Reason.SECOND_FACTOR_WRONG())
    return answer


@retrying
def _try(account: Account, typed: str) -> str | int:
    """The kind of the code, empty when it is wrong, or the minutes to wait.

    One try at a time: under the lock of the account no two requests use one code, and no crowd of them outruns the
    limit. A wrong one is an answer and no error, so that counting it is not undone.
    """
    limit, who = RECOVERY_CODE if recovery_codes.as_code(typed) else SECOND_FACTOR, str(account.id)
    with transaction.atomic():
        factors.lock(account)
        if minutes := limit.wait_minutes(who):
            return minutes
        kind = _use(account, typed)
        if not kind:
            limit.add(who)
            if limit.is_full(who):
                factors.tell(account, "guesses")
    return kind


def _use(account: Account, typed: str) -> str:
    for row in Authenticator.objects.filter(user=account, type__in=_WAYS):
        changed = _WAYS[Authenticator.Type(row.type)](row.data, account.id, typed)
        if changed is not None:
            Authenticator.objects.filter(pk=row.pk).update(data=changed, last_used_at=clock.now())
            if row.type == factors.CODES:
                factors.tell(account, "recovery_code_used", str(recovery_codes.left(changed)))
            return str(row.type)
    return ""
