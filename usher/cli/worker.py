"""usher worker: the work after commit, without the web server."""

from __future__ import annotations

from usher.cli.base import command, example
from usher.core.worker import run_forever


@command(epilog=example("usher worker"))
def worker() -> None:
    """Do the work behind the pages (mail, hardening passwords) until stopped; `usher serve` has one inside."""
    run_forever()
