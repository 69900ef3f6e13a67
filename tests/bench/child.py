"""Little programs run inside Usher, in a process of their own; each prints one JSON document."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import django
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

django.setup()

from django.db import transaction  # noqa: E402

from usher.activities import making, scores  # noqa: E402
from usher.activities.making import Wish  # noqa: E402
from usher.core import bulk, clock, work  # noqa: E402
from usher.core.rows import new_id  # noqa: E402
from usher.events.types import OPERATOR  # noqa: E402
from usher.methods.lti.models import (  # noqa: E402
    Course,
    CoursePlace,
    Delivery,
    Deployment,
    LinkUse,
    Platform,
    PlatformUser,
    ResourceLink,
)
from usher.methods.sso.models import Connection  # noqa: E402
from usher.organizations.models import Organization, SeatPool  # noqa: E402
from usher.people import passwords  # noqa: E402
from usher.people.models import Account, HashBatch, Membership, SearchWord  # noqa: E402
from usher.people.names import search_words, sort_key  # noqa: E402
from usher.protocols.lti13.claims import SCOPE_SCORE  # noqa: E402

FIRST = ("Åsa", "Noah", "Zoë", "Kofi", "Mai", "Łukasz", "Siobhán", "Aarav", "Ines", "José")
LAST = ("Öberg", "Adeyemi", "van Dijk", "Mensah", "Nguyễn", "Żak", "Ní Bhriain", "Sharma", "Duarte", "Paz")


def bare(seconds: float = 4.0) -> dict[str, float]:
    """argon2id runs a second, on one thread for each core, with nothing around them."""
    cores = os.cpu_count() or 1
    digest = passwords.digest("river-lamp-4821")

    def loop() -> int:
        end, count = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            passwords.harden(digest)
            count += 1
        return count

    begun = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        total = sum(pool.map(lambda _: loop(), range(cores)))
    return {"rate": total / (time.perf_counter() - begun), "cores": cores}


def verifying(seconds: float = 2.0) -> dict[str, float]:
    """RS256 verifications a second, one process for each core, with nothing around them."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        return {"rate": sum(pool.map(_verified_a_second, [seconds] * cores)), "cores": cores}


def _verified_a_second(seconds: float) -> float:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed = b"x" * 600
    signature, public = key.sign(signed, padding.PKCS1v15(), SHA256()), key.public_key()
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        public.verify(signature, signed, padding.PKCS1v15(), SHA256())
        count += 1
    return count / (time.perf_counter() - begun)


def connected(connection: str) -> dict[str, int]:
    """The connection as if its admin had tried it and switched it on."""
    return {"on": Connection.objects.filter(id=connection).update(state="on", tested_at=clock.now())}


def wrapping() -> dict[str, float]:
    """The worker wraps all digests that wait; hashes a second."""
    count = Account.objects.filter(password__startswith=passwords.KEYED).count()
    begun = time.perf_counter()
    work.drain([HashBatch])
    left = Account.objects.filter(password__startswith=passwords.KEYED).count()
    return {"count": count, "left": left, "rate": count / (time.perf_counter() - begun)}


def members(slug: str, count: str) -> dict[str, Any]:
    """Fill an organisation with members, straight into the tables: only reading is measured on them."""
    organization = Organization.objects.get(slug=slug)
    total = int(count)
    for start in range(0, total, 10_000):
        with transaction.atomic():
            _fill(organization, range(start, min(start + 10_000, total)))
    SeatPool.objects.filter(organization=organization, pool="student").update(used=total, limit=total + 100)
    return {"members": total}


def _fill(organization: Organization, numbers: range) -> None:
    now = clock.now()
    people = [
        (new_id(), new_id(), f"{FIRST[n % 10]} {LAST[n // 10 % 10]} {n}", f"p{n}@{organization.slug}.example")
        for n in numbers
    ]
    bulk.insert(
        Account,
        (
            "id",
            "password",
            "username",
            "email",
            "sign_in_key",
            "home",
            "is_operator",
            "must_change_password",
            "created_at",
        ),
        [(a, "!", name, mail, mail, organization.id, False, False, now) for a, _, name, mail in people],
    )
    bulk.insert(
        Membership,
        ("id", "organization", "account", "role", "state", "method", "evidence", "joined_at", "sort_name"),
        [
            (m, organization.id, a, "student", "active", "csv_import", "", now, sort_key(name))
            for a, m, name, _ in people
        ],
    )
    words = [(m, organization.id, word) for _, m, name, mail in people for word in search_words(name, mail)]
    bulk.insert(SearchWord, ("membership", "organization_id", "word"), words)


def hardened(slug: str) -> dict[str, int]:
    """Wrap what waits, so that sign-ins meet the final form."""
    work.drain([HashBatch])
    return {"members": Membership.objects.filter(organization__slug=slug).count()}


def median(of: str, runs: str) -> dict[str, float]:
    """The median of several runs of a program that answers with a rate."""
    return {"rate": statistics.median(PROGRAMS[of]()["rate"] for _ in range(int(runs)))}


def graded(slug: str, address: str, number: str) -> dict[str, float]:
    """A class of all members in an LMS there, whose people have opened an activity; then each gets a score."""
    organization = Organization.objects.get(slug=slug)
    wish = Wish(f"Drill {number}", target_url="https://app.example/", is_graded=True)
    activity = making.add(organization, wish, OPERATOR)
    platform = Platform.objects.create(
        organization=organization,
        family="canvas",
        name="Bench",
        state="on",
        client_id="1",
        token_url=f"{address}/token",
    )
    here: dict[str, Any] = {"organization": organization}
    deployment = Deployment.objects.create(platform=platform, deployment_id="1", approved_at=clock.now(), **here)
    course = Course.objects.create(deployment=deployment, context_id="1", **here)
    link = ResourceLink.objects.create(
        deployment=deployment, course=course, link_id="1", activity=activity, lineitem_url=f"{address}/items/1",
        scopes=[SCOPE_SCORE], **here,
    )  # fmt: skip
    accounts = list(
        Membership.objects.filter(organization=organization, role="student").values_list("account_id", flat=True)
    )
    users = [PlatformUser(platform=platform, subject=str(one), account_id=one, standing="learner", **here)
             for one in accounts]  # fmt: skip
    PlatformUser.objects.bulk_create(users)
    CoursePlace.objects.bulk_create([CoursePlace(course=course, user=one, standing="learner") for one in users])
    LinkUse.objects.bulk_create([LinkUse(link=link, user=one) for one in users])
    begun = time.perf_counter()
    for n, one in enumerate(accounts):
        scores.put(activity, one, float(n % 100), OPERATOR)
    return {"puts": len(accounts), "seconds": time.perf_counter() - begun}


def enrolled(slug: str, address: str) -> dict[str, str]:
    """A course of an LMS there that makes a group; nobody has come from it yet."""
    here: dict[str, Any] = {"organization": Organization.objects.get(slug=slug)}
    platform = Platform.objects.create(
        family="canvas",
        name="Bench",
        state="on",
        client_id="1",
        token_url=f"{address}/token",
        makes_groups=True,
        **here,
    )
    deployment = Deployment.objects.create(platform=platform, deployment_id="1", approved_at=clock.now(), **here)
    course = Course.objects.create(
        deployment=deployment, context_id="1", title="Biology", nrps_url=f"{address}/roster", **here
    )
    return {"course": str(course.id)}


def undelivered(within: str = "10") -> dict[str, int]:
    """Grades that are not known to have arrived, once the workers have stopped or after so many seconds."""
    until = time.perf_counter() + float(within)
    while (left := Delivery.objects.exclude(state="sent").count()) and time.perf_counter() < until:
        time.sleep(0.1)
    return {"left": left}


PROGRAMS: dict[str, Callable[..., dict[str, Any]]] = {
    "bare": bare,
    "wrapping": wrapping,
    "members": members,
    "graded": graded,
    "enrolled": enrolled,
    "undelivered": undelivered,
    "hardened": hardened,
    "connected": connected,
    "verifying": verifying,
    "median": median,
}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))
