"""What organisations have every hour: a look at the proofs of their domains that are a day old."""

from __future__ import annotations

from usher.core.chores import tidies
from usher.organizations import domains

AT_ONCE = 100  # each takes five seconds at the worst; the rest is looked at in the next hour


@tidies
def look_at_domains() -> None:
    for domain in domains.due(AT_ONCE):
        domains.recheck(domain)
