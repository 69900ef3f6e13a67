"""What `usher check` says about the installation itself: warnings, since no data are wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count

from usher.core import clock, embedded, jobs, postman, switches
from usher.core.checks import rows, warning
from usher.core.models import Mail

BACKUP_DAYS = 7  # the timer in deploy/ makes one every night
LEAST_FREE = 0.05
OFTEN = 3  # tries of a mail; by then some minutes have gone by
LONG = timedelta(hours=1)
MOST_APART = timedelta(seconds=30)  # codes of a second factor live that long


@warning("backup", "A backup was made within the last days.")
def a_backup_was_made() -> Iterator[str]:
    made_at = switches.since(switches.BACKED_UP)
    if made_at is None:
        yield "No backup was ever made. Make one with: usher backup FILE"
    elif clock.now() - made_at > timedelta(days=BACKUP_DAYS):
        yield f"The last backup is of {made_at:%Y-%m-%d}. Make one with: usher backup FILE"


@warning("paused", "What is outgoing leaves.")
def nothing_is_paused() -> Iterator[str]:
    paused_at = switches.since(switches.OUTBOX_PAUSED)
    if paused_at:
        yield f"Nothing has been sent since the restore of {paused_at:%Y-%m-%d}. Let it out with: usher jobs resume"


@warning("disk", "There is room on the disk.")
def there_is_room() -> Iterator[str]:
    here = embedded.path()
    for folder in dict.fromkeys(
        [Path(settings.USHER_DATA_DIR), here.parent if here else Path(settings.USHER_DATA_DIR)]
    ):
        if folder.is_dir():
            disk = shutil.disk_usage(folder)
            if disk.free < disk.total * LEAST_FREE:
                yield f"The disk of {folder} has {disk.free / 1e9:.1f} GB left, less than {LEAST_FREE:.0%}. Make room."


@warning("clock", "This machine and the database tell the same time.")
def the_clocks_agree() -> Iterator[str]:
    """Links and leases end by our clock; with several machines each has its own."""
    if connection.vendor == "postgresql":
        before = clock.now()
        ((theirs,),) = rows("SELECT clock_timestamp()")
        yield from _apart(theirs, before, clock.now())


def _apart(theirs: datetime, before: datetime, after: datetime) -> Iterator[str]:
    if not before - MOST_APART <= theirs <= after + MOST_APART:
        apart = abs((theirs - before).total_seconds())
        yield f"The clock of this machine and that of the database are {apart:,.0f} seconds apart. Set them by NTP."


# Mails (V5): none is lost, and why one is not out yet is shown


@warning("mails", "Every mail went out at the first tries.")
def mails_go_out() -> Iterator[str]:
    waiting = Mail.objects.filter(attempts__gte=OFTEN, dead_at=None).values_list("failure")
    for failure, count in waiting.annotate(n=Count("id")).order_by("-n", "failure"):
        yield f"{count} mails were tried {OFTEN} times or more and will be tried again. {failure or 'No answer yet.'}"


@warning("mails", "No mail lies still.")
def no_mail_lies_still() -> Iterator[str]:
    if switches.is_on(switches.OUTBOX_PAUSED) or not postman.can_send():
        return
    late = Mail.objects.filter(run_at__lt=clock.now() - LONG, lease_token=None, dead_at=None).count()
    if late:
        yield f"{late} mails have been due for more than an hour. Is a worker running (usher worker)?"


@warning("dead", "No work was given up.")
def no_work_was_given_up() -> Iterator[str]:
    dead = jobs.count_dead()
    if dead:
        yield f"{dead} {'job was' if dead == 1 else 'jobs were'} given up. See why with: usher jobs --dead"
