"""The keys of this installation, by which every LMS knows Usher: one signs, its successor and predecessors are
published beside it, so that an LMS that keeps a list of them for a while always has the right one.

1EdTech Security Framework 1.0, section 6.3: keys are published as a JWK Set, and changed without a break.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from usher.core import clock
from usher.core.retry import retrying
from usher.core.seal import seal, unseal
from usher.events import record
from usher.events.types import SYSTEM, Actor, Draft, EventType
from usher.methods.lti.models import ToolKey
from usher.people.access import open_to_anyone
from usher.protocols.lti13.keys import new_private_key, public_jwk

PURPOSE: Final = "lti-key"
OVERLAP: Final = dt.timedelta(hours=24)  # published, and not yet signing: so long an LMS may keep the old list
LASTS: Final = dt.timedelta(days=30)  # published, and not signing any more: an answer may lie in a queue
CACHED: Final = 3600  # seconds
# The id of the first key, and from each that of the next: of two processes that make one at once, one can.
FIRST: Final = uuid.UUID("018c7d7e-0000-7000-8000-6c7469313300")


def private_key() -> str:
    """The private JWK, as JSON, of the key that signs now; made where there is none.

    Raises SealError where the pepper that it was sealed under is gone: then a new one has to sign (``rotate``).
    """
    return unseal((_signing() or _first()).sealed_private, PURPOSE)


def signing_kid() -> str:
    """The name of the key that signs now."""
    return (_signing() or _first()).kid


def jwks() -> dict[str, Any]:
    """The JWK Set (RFC 7517, section 5) for everybody, the latest key first."""
    return {"keys": [key.public for key in published() or [_first()]]}


def published() -> list[ToolKey]:
    """Those that are in the set now, the latest first."""
    now = clock.now()
    return [key for key in ToolKey.objects.order_by("-signs_from") if _is_published(key, now)]


def rotate(actor: Actor, *, now: bool = False) -> str:
    """Publish a new key, which signs from tomorrow on, or at once; returns its name (kid).

    One that waits for tomorrow is not doubled: it stays, or signs at once. At once is for a key that got lost or
    known; until an LMS has read the new list, it does not believe us.
    """
    made = new_private_key()  # takes its time, so before the transaction
    _first_if_none()
    try:
        return _rotated(made, actor, at_once=now)
    except IntegrityError:  # another process did the same this very moment
        return ToolKey.objects.latest("signs_from").kid


@retrying
def _rotated(made: str, actor: Actor, *, at_once: bool) -> str:
    with transaction.atomic():
        rows = ToolKey.objects.select_for_update().order_by("-signs_from")
        latest, moment = rows[0], clock.now()
        starts = moment if at_once else moment + OVERLAP
        if latest.signs_from <= moment:
            latest = _row(made, uuid.uuid5(latest.id, "next"), starts)
            latest.save(force_insert=True)
        elif at_once:
            latest.signs_from = moment
            latest.save(update_fields=["signs_from"])
        older = ToolKey.objects.filter(signs_from__lt=latest.signs_from)
        older.filter(published_until=None).update(published_until=latest.signs_from + LASTS)
        older.filter(published_until__gt=latest.signs_from + LASTS).update(published_until=latest.signs_from + LASTS)
        record.record(Draft(EventType.SERVER_CHANGED, None, actor, method="lti", data={"tool_key": latest.kid}))
    return latest.kid


def _signing() -> ToolKey | None:
    return ToolKey.objects.filter(signs_from__lte=clock.now()).order_by("-signs_from").first()


def _first() -> ToolKey:
    _first_if_none()
    return _signing() or ToolKey.objects.latest("signs_from")


def _first_if_none() -> None:
    if ToolKey.objects.exists():
        return
    row = _row(new_private_key(), FIRST, clock.now())
    try:
        _keep_first(row)
    except IntegrityError:  # another process was first, and its key is everybody's
        return


@retrying
def _keep_first(row: ToolKey) -> None:
    with transaction.atomic():
        row.save(force_insert=True)
        record.record(Draft(EventType.SERVER_CHANGED, None, SYSTEM, method="lti", data={"tool_key": row.kid}))


def _row(private: str, row_id: uuid.UUID, signs_from: dt.datetime) -> ToolKey:
    public = public_jwk(private)
    return ToolKey(
        id=row_id, kid=public["kid"], sealed_private=seal(private, PURPOSE), public=public, signs_from=signs_from
    )


def _is_published(key: ToolKey, now: dt.datetime) -> bool:
    return key.published_until is None or key.published_until > now


def forget_old() -> None:
    """Those that are published no more; the latest always stays."""
    ToolKey.objects.filter(published_until__lte=clock.now()).delete()


def _etag(_request: HttpRequest) -> str:
    kids = [key["kid"] for key in jwks()["keys"]]
    return f'"{uuid.uuid5(FIRST, " ".join(kids)).hex}"'


@open_to_anyone
@require_safe
@cache_control(public=True, max_age=CACHED)
@condition(etag_func=_etag)
def jwks_page(_request: HttpRequest) -> HttpResponse:
    """``/lti/jwks``: nothing of anybody, so it may be kept for an hour by whoever reads it."""
    return HttpResponse(json.dumps(jwks()), content_type="application/jwk-set+json")
