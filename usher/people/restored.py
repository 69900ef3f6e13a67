"""After a restore: nobody is signed in any more, and no link that somebody may have used or taken back works."""

from __future__ import annotations

import datetime as dt

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from usher.core import clock
from usher.core.restored import after_restore
from usher.events import record
from usher.events.types import OPERATOR, Draft, EventType
from usher.people.models import OneTimeLink, Registration


@after_restore
def end_sessions_and_links(made_at: dt.datetime) -> None:
    """Between the backup and now a password may have been changed, a link used, a sign-out meant."""
    Session.objects.all().delete()
    UserSession.objects.all().delete()
    for links in (OneTimeLink, Registration):
        links.objects.filter(consumed_at=None).update(consumed_at=clock.now())
    facts = {"made_at": made_at.isoformat(timespec="seconds")}
    record.record(Draft(EventType.SERVER_RESTORED, None, OPERATOR, data=facts))
