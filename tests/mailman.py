"""A process of the mail proofs, on a real database with a real mail server; started by postoffice.py.

``mailman.py LEASE`` is a worker as `usher worker` has it, but for the seconds of its lease. ``mailman.py LEASE desk``
takes orders as JSON lines: post mails, send some in a child that is killed at a tick, send the rest, say what is left.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import django

django.setup()

import hand_of_invitations  # noqa: E402 - models want Django ready
from django.db import connection  # noqa: E402
from ticks import ticking  # noqa: E402
from world import House  # noqa: E402

from usher.core import checks, clock, heartbeat, schema, work, worker  # noqa: E402
from usher.core import mail as outbox  # noqa: E402
from usher.core.models import Mail  # noqa: E402
from usher.methods.email_invitation.models import Invitation  # noqa: E402

PATIENCE = 120.0  # seconds


def prepare() -> None:
    schema.migrate()


def post(*, count: int, start: int = 0) -> None:
    """Mails to people who have no account: that letter needs nothing but itself."""
    asked = {"at": clock.now().isoformat()}
    for n in range(start, start + count):
        outbox.post("reset", f"p{n}@mail.example", outbox.Envelope(data=asked))


def invite(*, slug: str, count: int) -> str:
    """So many invitations of a new organisation, each with a seat that is kept; its id."""
    house = House(slug, slug.title(), "school")
    house.settle("Ada Ash", "admin")
    house.seats("student", count)
    answers = hand_of_invitations.invite(
        organization=str(house.id), addresses=[f"p{n}@{slug}.example" for n in range(count)], reserve=True
    )
    assert set(answers) == {"new"}, answers
    return str(house.id)


def revoke(*, organization: str, addresses: list[str]) -> None:
    for address in addresses:
        assert hand_of_invitations.revoke(organization=organization, address=address) == ["revoked"]


def invitations(*, organization: str) -> dict[str, Any]:
    """What the desk says became of the mails of those that wait, and what `usher check` finds wrong."""
    rows = Invitation.objects.filter(organization_id=organization, state="open")
    found = checks.run(checks.everything()).invariants
    return {
        "mailing": dict(Counter(rows.values_list("mailing", flat=True))),
        "broken": [case for verdict in found for case in verdict.cases],
    }


def left() -> dict[str, Any]:
    """How many still wait, and why each try was in vain."""
    rows = list(Mail.objects.order_by("id").values_list("failure", "dead_at"))
    return {"alive": sum(dead_at is None for _, dead_at in rows), "why": [why for why, _ in rows]}


def send_until(*, tick: int) -> int:
    """Send in a child that is killed at the tick: 0, or else how many ticks there were until all was sent."""
    connection.close()
    # A child has none of our threads, but the locks as they were: none of ours may be beating when it is born.
    while heartbeat._pulse is not None:
        time.sleep(0.005)
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _send_and_die(tick, writes)
    os.close(writes)
    status = _end_of(child)
    with os.fdopen(reads) as told:
        said = told.read()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return 0
    if os.WEXITSTATUS(status):
        raise RuntimeError(said)
    return int(said)


def _end_of(child: int) -> int:
    """Its status; one that hangs is killed, and says so by that of the wrong kind."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(0.005)
    os.kill(child, signal.SIGABRT)
    os.waitpid(child, 0)
    raise TimeoutError("The child hung.")


def _send_and_die(tick: int, told: int) -> None:
    try:
        with ticking(tick) as count:
            work.drain([Mail])
        os.write(told, str(count[0]).encode())
    except BaseException:
        os.write(told, traceback.format_exc()[-3000:].encode())
        os._exit(1)
    os._exit(0)


def send_rest() -> float:
    """Send what is left, as another worker would; the seconds that it took."""
    begun = time.monotonic()
    while Mail.objects.filter(dead_at=None).exists():
        if not work.run_one([Mail]):
            time.sleep(0.02)
    return time.monotonic() - begun


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act for act in (prepare, post, invite, revoke, invitations, left, send_until, send_rest)
}  # fmt: skip


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(ACTS[order.pop("act")](**order)), flush=True)


if __name__ == "__main__":
    work.LEASE = dt.timedelta(seconds=float(sys.argv[1]))
    worker.IDLE = 0.05
    if "desk" in sys.argv:
        serve()
    else:
        worker.run_forever()
