"""Domains that organisations have proved to be theirs: the ground on which people may join by themselves.

Anybody may *add* a name; only who writes into its DNS, or is its verified admin, can *prove* it, and one organisation
at a time (a unique constraint decides a race). A proof by DNS is looked at again every day. When it stays away for
three days the domain opens nothing any more. A proof by an admin is not looked at again by DNS: the sign-ins that rest
on it say themselves each time whose domain it is.
"""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from usher.core import clock, domain_names, mail
from usher.core.errors import UsherError
from usher.core.limits import DOMAIN_LOOKS
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.core.tokens import new_token
from usher.events import record
from usher.events.types import SYSTEM, Actor, Draft, EventType
from usher.organizations import txt_records
from usher.organizations.models import Domain, License, Organization
from usher.organizations.txt_records import Record, Seen

MOST: Final = 200  # of one organisation, proved or not
EVERY: Final = dt.timedelta(hours=24)  # between two looks at a proof
PATIENCE: Final = dt.timedelta(hours=72)  # so long a proof may stay away
# Not at the name itself: there stand the records of many others, and where it is an alias none can be added.
_LABEL: Final = "_usher"
_LONGEST: Final = 253 - len(f"{_LABEL}.")  # RFC 1035 section 2.3.4
DNS, ADMIN = "dns", "admin"  # Domain.proof


class State(StrEnum):
    """How it stands with a domain."""

    PROVED = "proved"
    FAILING = "failing"  # proved, but the proof is gone since a while
    WAITING = "waiting"
    LOST = "lost"  # was proved once


def state_of(domain: Domain) -> State:
    """``failing_since`` stays when a domain is lost, so that it is not taken for a new one."""
    if domain.proved_at:
        return State.FAILING if domain.failing_since else State.PROVED
    return State.LOST if domain.failing_since else State.WAITING


def lost_at(domain: Domain) -> dt.datetime | None:
    """When a failing domain is lost, unless the proof comes back."""
    return domain.failing_since + PATIENCE if domain.failing_since else None


def record_of(domain: Domain) -> Record:
    """The TXT record that proves it; bound to this organisation by its token."""
    return Record(f"{_LABEL}.{domain.name}", f"usher-verification={domain.token}")


# Finding


def of_organization(organization: Organization) -> list[Domain]:
    """All of them, by name."""
    return list(Domain.objects.filter(organization=organization).order_by("name"))


def get(organization: Organization, domain_id: uuid.UUID) -> Domain:
    """Raises UsherError: unknown_domain."""
    return _found(Domain.objects.filter(organization=organization, id=domain_id))


def named(organization: Organization, typed: str) -> Domain:
    """Raises UsherError: domain_not_allowed, unknown_domain."""
    name = domain_names.parse_domain(typed, "domain")
    return _found(Domain.objects.filter(organization=organization, name=name))


def _found(some: QuerySet[Domain]) -> Domain:
    found = some.first()
    if found is None:
        raise UsherError(Reason.UNKNOWN_DOMAIN("domain"))
    return found


def owner_of(address_or_domain: str) -> Organization | None:
    """Who has proved this domain, or else the closest one above it; None for nobody and for what many share.

    Label by label: ``evil-cedar.example`` and ``cedar.example.evil`` are nothing to ``cedar.example``. One query, with
    the licence. A suspended organisation stays the owner (nobody else gets its people); the caller asks whether it is.
    """
    try:
        name = domain_names.parse_domain(address_or_domain.rpartition("@")[2])
    except UsherError:
        return None
    chain = domain_names.lineage(name)
    if not chain:
        return None
    proved = Domain.objects.filter(name__in=chain, proved_at__isnull=False)
    found = list(proved.select_related("organization__license"))
    return max(found, key=lambda domain: len(domain.name)).organization if found else None


def answers_for(organization_id: uuid.UUID, address_or_domain: str) -> bool:
    """Whether this organisation has proved the domain of an address (:func:`owner_of`)."""
    owner = owner_of(address_or_domain)
    return owner is not None and owner.id == organization_id


# Changing


@retrying
def add(organization: Organization, typed: str, actor: Actor) -> Domain:
    """Say that a domain is theirs; nothing follows from it until it is proved. One that is there already stays.

    Raises UsherError: domain_not_allowed, domain_is_shared, too_many_domains.
    """
    name = _own_name(typed)
    with transaction.atomic():
        return _add(organization, name, actor)


def _own_name(typed: str) -> str:
    name = domain_names.parse_domain(typed, "domain")
    if domain_names.is_shared(name):
        raise UsherError(Reason.DOMAIN_IS_SHARED("domain", domain=name))
    if len(name) > _LONGEST:
        raise UsherError(Reason.DOMAIN_NOT_ALLOWED("domain", given=f"{name[:80]}…"))
    return name


def _add(organization: Organization, name: str, actor: Actor) -> Domain:
    """Under the licence's lock: two clicks make one row, and the most is the most."""
    License.objects.select_for_update().get(organization=organization)
    mine = Domain.objects.filter(organization=organization)
    found = mine.filter(name=name).first()
    if found:
        return found
    if mine.count() >= MOST:
        raise UsherError(Reason.TOO_MANY_DOMAINS("domain", limit=MOST))
    made = Domain.objects.create(organization=organization, name=name, token=new_token())
    _record(EventType.DOMAIN_ADDED, made, actor)
    return made


def prove(organization: Organization, domain_id: uuid.UUID, actor: Actor) -> Domain:
    """Look for the record now, outside of any transaction, and write what was found. Returns the domain as it is then.

    One that is proved by DNS is looked at again; one that its admin has proved is not. Raises UsherError:
    unknown_domain, too_many_tries, domain_not_proved with what was found instead, domain_taken.
    """
    domain = get(organization, domain_id)
    if domain.proof == ADMIN:
        return domain
    if not DOMAIN_LOOKS.take([str(organization.id)]):
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=DOMAIN_LOOKS.wait_minutes(str(organization.id))))
    wanted = record_of(domain)
    seen = txt_records.look(wanted)
    if domain.proof == DNS:
        _write_recheck(domain, seen)
    elif seen is Seen.THERE:
        _write_proof(domain, DNS, actor)
    else:
        _write_look(domain)
    if seen is not Seen.THERE:
        raise UsherError(Reason.DOMAIN_NOT_PROVED("domain", domain=domain.name, why=seen.why(wanted.host)))
    return get(organization, domain_id)


@retrying
def _write_look(domain: Domain) -> None:
    _mine(domain).update(checked_at=clock.now())


@retrying
def vouch(organization: Organization, name: str, actor: Actor) -> Domain:
    """Add a domain as proved by its admin; the caller has verified that ``actor`` is one, by a sign-in.

    Raises UsherError: domain_not_allowed, domain_is_shared, too_many_domains, domain_taken.
    """
    own = _own_name(name)
    with transaction.atomic():
        made = _add(organization, own, actor)
        _write_proof(made, ADMIN, actor)
        return get(organization, made.id)


@retrying
def _write_proof(domain: Domain, proof: str, actor: Actor) -> None:
    """Proved from now on, unless it is already or was removed meanwhile. Raises UsherError: domain_taken."""
    now = clock.now()
    facts = {"proof": proof, "proved_at": now, "checked_at": now, "failing_since": None}
    try:
        with transaction.atomic():
            if _mine(domain).filter(proved_at=None).update(**facts):
                _record(EventType.DOMAIN_PROVED, domain, actor)
    except IntegrityError as error:
        raise UsherError(Reason.DOMAIN_TAKEN("domain", domain=domain.name)) from error


@retrying
def remove(organization: Organization, domain_id: uuid.UUID, actor: Actor) -> Domain:
    """Take a domain away; whoever is in stays in. Returns what was removed. Raises UsherError: unknown_domain."""
    with transaction.atomic():
        domain = get(organization, domain_id)
        if not _mine(domain).delete()[0]:
            raise UsherError(Reason.UNKNOWN_DOMAIN("domain"))
        _record(EventType.DOMAIN_REMOVED, domain, actor)
    return domain


# Looking again


def due(count: int) -> list[Domain]:
    """Domains whose proof was not looked at for a day, the longest first."""
    before = clock.now() - EVERY
    return list(Domain.objects.filter(proof=DNS, checked_at__lte=before).order_by("checked_at", "id")[:count])


def recheck(domain: Domain) -> None:
    """Look at a proof by DNS again; call it outside transactions. It may be killed anywhere and done again.

    What is definitely gone makes the domain fail, and after three days lost; the admins get a mail of both. A DNS that
    does not answer changes nothing.
    """
    _write_recheck(domain, txt_records.look(record_of(domain)))


@retrying
def _write_recheck(domain: Domain, seen: Seen) -> None:
    """Only on the domain as it was before the look: of two who look at once, one writes."""
    now = clock.now()
    held = _mine(domain).filter(proof=DNS, failing_since=domain.failing_since)
    with transaction.atomic():
        if seen is Seen.THERE:
            held.update(checked_at=now, failing_since=None)
        elif not seen.is_answer:
            held.update(checked_at=now)
        elif domain.failing_since is None:
            if held.update(checked_at=now, failing_since=now):
                _tell_admins("domain_failing", domain)
        elif now < domain.failing_since + PATIENCE:
            held.update(checked_at=now)
        elif held.update(checked_at=now, proved_at=None, proof=""):
            _record(EventType.DOMAIN_LOST, domain, SYSTEM)
            _tell_admins("domain_lost", domain)


def _tell_admins(kind: str, domain: Domain) -> None:
    """To nobody yet: the letter finds the admins when it is written (lifecycle/letters.py)."""
    envelope = Envelope(domain.organization_id, ref=domain.id)
    mail.post_once(kind, "", envelope, key=f"{kind}:{domain.id}")


def _mine(domain: Domain) -> QuerySet[Domain]:
    """The row, unless it was removed meanwhile."""
    return Domain.objects.filter(id=domain.id)


def _record(kind: EventType, domain: Domain, actor: Actor) -> None:
    record.record(Draft(kind, domain.organization_id, actor, data={"domain": domain.name}))
