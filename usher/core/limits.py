"""How often who may fail: token buckets in the database, by name, all named on one page at the bottom.

A bucket fills by one with every failure and drains at a steady pace; while it is full, nothing more is tried.
Every process and every machine counts in the same place, and a success empties nothing (a thief who owns one
account could otherwise guess at the others for ever).
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from itertools import islice

from django.db import connection

from usher.core import metrics, pepper
from usher.core.clock import now
from usher.core.models import Bucket

# One statement, so that no failure is lost between two processes. A full bucket stays full and grows no
# further: who keeps trying does not lock the owner out for longer. A clock that is behind drains nothing.
_ADD = """
INSERT INTO core_bucket (key, level, updated_at) VALUES (%(key)s, {least}(%(capacity)s, %(count)s), %(now)s)
ON CONFLICT (key) DO UPDATE SET
  level = {least}(%(capacity)s, %(count)s + {greatest}(0, core_bucket.level
      - {greatest}(0, EXCLUDED.updated_at - core_bucket.updated_at) / %(refill)s)),
  updated_at = {greatest}(core_bucket.updated_at, EXCLUDED.updated_at)
"""

_A_HAIR = 1e-6  # levels are floats: 2.9999999 free are 3

COUNTED = metrics.counter("usher_limit_counts", "What was counted against a limit, as a failed sign-in.", "limit")


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

    def add(self, who: str, count: int = 1) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_statement(connection.vendor), self._facts(who, count))
        COUNTED.labels(self.name).inc(count)

    def take(self, whos: Iterable[str], count: int = 1) -> set[str]:
        """Count ``count`` more for each who has so many free, in one statement; returns those who had.

        Nobody gets in between the look and the count: of two who take the last one at once, one gets it.
        """
        keys, taken = {self.key(who): who for who in whos}, set[str]()
        if count > self.capacity:
            return taken
        at = now().timestamp()
        # In one order everywhere, so that two of these never wait for each other in a ring.
        for some in _batches(sorted(keys), 200):
            rows = ", ".join(["(%s, %s, %s)"] * len(some))
            with connection.cursor() as cursor:
                cursor.execute(self._taking(rows), [fact for key in some for fact in (key, float(count), at)])
                taken |= {keys[key] for (key,) in cursor.fetchall()}
        COUNTED.labels(self.name).inc(count * len(taken))
        return taken

    def _taking(self, rows: str) -> str:
        greatest, _least = _extremes(connection.vendor)
        level = f"{greatest}(0, core_bucket.level - {greatest}(0, EXCLUDED.updated_at - core_bucket.updated_at)"
        level += f" / {float(self.refill_seconds)})"
        return (
            f"INSERT INTO core_bucket (key, level, updated_at) VALUES {rows} ON CONFLICT (key) DO UPDATE SET"  # noqa: S608
            f" level = EXCLUDED.level + {level},"
            f" updated_at = {greatest}(core_bucket.updated_at, EXCLUDED.updated_at)"
            f" WHERE EXCLUDED.level + {level} <= {float(self.capacity) + _A_HAIR} RETURNING key"
        )

    def _facts(self, who: str, count: int) -> dict[str, str | float]:
        return {
            "key": self.key(who),
            "now": now().timestamp(),
            "capacity": float(self.capacity),
            "refill": float(self.refill_seconds),
            "count": float(count),
        }

    def free(self, who: str) -> int:
        """How many more are free now."""
        return self.free_of([who])[who]

    def free_of(self, whos: Iterable[str]) -> dict[str, int]:
        """How many more are free now for each; one query for every thousand."""
        keys = {self.key(who): who for who in whos}
        free = dict.fromkeys(keys.values(), self.capacity)
        for some in _batches(keys):
            for key, level, at in Bucket.objects.filter(key__in=some).values_list("key", "level", "updated_at"):
                drained = max(0.0, now().timestamp() - at) / self.refill_seconds
                free[keys[key]] = int(self.capacity - max(0.0, level - drained) + _A_HAIR)
        return free

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


def _batches(keys: Iterable[str], size: int = 1000) -> Iterator[list[str]]:
    rest = iter(keys)
    while some := list(islice(rest, size)):
        yield some


def _extremes(vendor: str) -> tuple[str, str]:
    """SQLite calls greatest and least by other names."""
    return ("MAX", "MIN") if vendor == "sqlite" else ("GREATEST", "LEAST")


def _statement(vendor: str) -> str:
    greatest, least = _extremes(vendor)
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

# Codes of an authenticator app: three of a million are right at any moment, and whoever guesses here has the password
# already. Ten at once, then 6 an hour: half a chance in a thousand a day.
SECOND_FACTOR = Limit("second_factor", capacity=10, refill_seconds=3600 / 6)

# Recovery codes (60 bits) are not to be guessed: counted apart, so that whoever has only the password cannot keep the
# owner from using one.
RECOVERY_CODE = Limit("recovery_code", capacity=100, refill_seconds=3600 / 20)

# A preview, an import and a corrected address say which addresses have an account of their own: counted for each
# organisation, so that nobody reads a whole address book out of it. A busy September day has some dozens.
PREVIEWS = Limit("previews", capacity=200, refill_seconds=24 * 3600 / 200)

# Wrong invite codes. A class of 30 behind one address mistypes the code on the wall some times each; one account
# has no reason to. All together: at 10 a second a guess among 10,000 living codes (2**40 possible) takes years.
CODE_ACCOUNT = Limit("code_account", capacity=20, refill_seconds=3600 / 20)
CODE_ADDRESS = Limit("code_address", capacity=200, refill_seconds=3600 / 200)
CODE_ANYWHERE = Limit("code_anywhere", capacity=20_000, refill_seconds=0.1)
CODE_ALARM = Limit("code_alarm", capacity=1, refill_seconds=3600)  # the log says once an hour that it is full

# Mails that anybody can cause by typing an address (registration, reset, a new address): to one mailbox, from one
# network (a class registers in one lesson), and by the whole installation in an hour.
MAIL_TO = Limit("mail_to", capacity=4, refill_seconds=6 * 3600)
MAIL_FROM = Limit("mail_from", capacity=120, refill_seconds=3600 / 120)
MAIL_ANYWHERE = Limit("mail_anywhere", capacity=10_000, refill_seconds=3600 / 10_000)

# Invitations. One mailbox gets three a day, from whomever they come; somebody who invites, an organisation and the
# whole installation so many as the largest school needs on one day. An organisation that the operator does not know
# sends few: whoever steals or opens one shall not get a spam cannon with it.
INVITE_TO = Limit("invite_to", capacity=2, refill_seconds=24 * 3600)
INVITE_BY = Limit("invite_by", capacity=10_000, refill_seconds=24 * 3600 / 10_000)
INVITE_ORGANIZATION = Limit("invite_organization", capacity=40_000, refill_seconds=24 * 3600 / 40_000)
INVITE_UNKNOWN = Limit("invite_unknown", capacity=50, refill_seconds=24 * 3600 / 50)
INVITE_ANYWHERE = Limit("invite_anywhere", capacity=100_000, refill_seconds=24 * 3600 / 100_000)

# Looks into the DNS for the proof of a domain, by each organisation.
DOMAIN_LOOKS = Limit("domain_looks", capacity=60, refill_seconds=3600 / 60)

# Looks at an identity provider by its admins, each of which asks it three times.
CONNECTION_LOOKS = Limit("connection_looks", capacity=20, refill_seconds=3600 / 60)

# Codes that link somebody of an LMS to an account: 2**40 possible, and few alive at a time, each for ten minutes.
LINK_CODE = Limit("link_code", capacity=60, refill_seconds=3600 / 60)

# Launches that could not be believed and are kept for an admin to look at, by each LMS: anybody can send them.
LAUNCH_NOTES = Limit("launch_notes", capacity=20, refill_seconds=60)

# Calls of the API by one key: a year's scores of a whole school at once, then ten a second.
API_KEY = Limit("api_key", capacity=1_200, refill_seconds=0.1)

LIMITS = (
    SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SECOND_FACTOR, RECOVERY_CODE, PREVIEWS, CODE_ACCOUNT, CODE_ADDRESS, CODE_ANYWHERE,
    CODE_ALARM, MAIL_TO, MAIL_FROM, MAIL_ANYWHERE, INVITE_TO, INVITE_BY, INVITE_ORGANIZATION, INVITE_UNKNOWN,
    INVITE_ANYWHERE, DOMAIN_LOOKS, CONNECTION_LOOKS, LINK_CODE, LAUNCH_NOTES, API_KEY,
)  # fmt: skip
