"""How often who may fail: token buckets in the database, by name, all named on one page at the bottom.

A bucket fills by one with every failure and drains at a steady pace; while it is full, nothing more is tried.
Every process and every machine counts in the same place, and a success empties nothing (a thief who owns one
account could otherwise guess at the others for ever).
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network

from django.db import connection

from usher.core import pepper
from usher.core.clock import now
from usher.core.models import Bucket

# One statement, so that no failure is lost between two processes. A full bucket stays full and grows no
# further: who keeps trying does not lock the owner out for longer. A clock that is behind drains nothing.
_ADD = """
INSERT INTO core_bucket (key, level, updated_at) VALUES (%(key)s, 1, %(now)s)
ON CONFLICT (key) DO UPDATE SET
  level = {least}(%(capacity)s, 1 + {greatest}(0, core_bucket.level
      - {greatest}(0, EXCLUDED.updated_at - core_bucket.updated_at) / %(refill)s)),
  updated_at = {greatest}(core_bucket.updated_at, EXCLUDED.updated_at)
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`capacity` failures at once; after that one more for every `refill_seconds` that pass.

    `who` is the key of what is guarded or counted: an account's id, a name that nobody has, a network. It is
    stored as a keyed hash only. Call outside a transaction: a failure that is rolled back was not counted.
    """

    name: str
    capacity: int
    refill_seconds: float

    def is_full(self, who: str) -> bool:
        return self.wait_minutes(who) > 0

    def add(self, who: str) -> None:
        facts: dict[str, str | float] = {
            "key": self.key(who),
            "now": now().timestamp(),
            "capacity": float(self.capacity),
            "refill": float(self.refill_seconds),
        }
        with connection.cursor() as cursor:
            cursor.execute(_statement(connection.vendor), facts)

    def wait_minutes(self, who: str) -> int:
        """Whole minutes until one more try is free; 0 when it is free now."""
        return wait_minutes((self, who))

    @property
    def drain_seconds(self) -> float:
        return self.capacity * self.refill_seconds

    def excess(self, level: float, updated_at: float) -> float:
        """By how much a bucket is too full for one more."""
        drained = max(0.0, now().timestamp() - updated_at) / self.refill_seconds
        return max(0.0, level - drained - (self.capacity - 1))

    def key(self, who: str) -> str:
        text = f"{self.name}\0{who}".encode("utf-8", "surrogatepass")
        return hmac.digest(pepper.subkey("limits"), text, "sha256").hex()


def wait_minutes(*asked: tuple[Limit, str]) -> int:
    """Whole minutes until none of these is full. One query, no write: an attack costs no disk."""
    limits = {limit.key(who): limit for limit, who in asked}
    buckets = Bucket.objects.filter(key__in=limits).values_list("key", "level", "updated_at")
    waits = (limits[key].excess(level, at) * limits[key].refill_seconds for key, level, at in buckets)
    return math.ceil(max(waits, default=0.0) / 60)


def _statement(vendor: str) -> str:
    """SQLite calls greatest and least by other names."""
    greatest, least = ("MAX", "MIN") if vendor == "sqlite" else ("GREATEST", "LEAST")
    return _ADD.format(greatest=greatest, least=least)


def network_of(address: str) -> str:
    """What to count for an IP address: IPv4 as it is, IPv6 by its /64, which any household has to itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((int(ip), 64), strict=False))


def forget_drained() -> int:
    """Deletes buckets that have run dry, whatever their limit; called by the worker now and then."""
    longest = max(limit.drain_seconds for limit in LIMITS)
    before = (now() - timedelta(seconds=longest)).timestamp()
    return Bucket.objects.filter(updated_at__lt=before).delete()[0]


# The page of limits

# NIST SP 800-63B allows at most 100 consecutive failures on one account. A hard stop there would let anybody
# lock a pupil out for good, so the bucket drains: 100 at once, then 20 an hour. At that pace half of all made
# passwords (2**31, people/friendly.py) take some 6,000 years. The same count for names that nobody has, so
# that it tells nothing.
SIGN_IN_ACCOUNT = Limit("sign_in_account", capacity=100, refill_seconds=3600 / 20)

# A class of 30 children sits behind one address and mistypes: ten tries each at the start of a lesson, and
# again in the next quarter of an hour. Spraying one password over many accounts stops at 300, then one try in
# three seconds.
SIGN_IN_ADDRESS = Limit("sign_in_address", capacity=300, refill_seconds=15 * 60 / 300)

# A preview, an import and a corrected address say which addresses have an account of their own: counted for each
# organisation, so that nobody reads a whole address book out of it. A busy September day has some dozens.
PREVIEWS = Limit("previews", capacity=200, refill_seconds=24 * 3600 / 200)

LIMITS = (SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, PREVIEWS)
