"""Acts of the race proofs (hand.py): organisations that prove one domain, at once."""

from __future__ import annotations

import uuid

from django.conf import settings

from usher.core.limits import DOMAIN_LOOKS
from usher.core.models import Bucket
from usher.events.types import OPERATOR
from usher.organizations import domains
from usher.organizations.models import Domain, Organization


def add_domain(*, organization: str, name: str) -> dict[str, str]:
    """The domain with what has to stand in its record."""
    added = domains.add(Organization.objects.get(id=organization), name, OPERATOR)
    record = domains.record_of(added)
    return {"id": str(added.id), "host": record.host, "value": record.value}


def prove_domain(*, organization: str, domain: str, dns: str) -> list[str]:
    settings.USHER_DNS_SERVER = dns
    Bucket.objects.filter(key=DOMAIN_LOOKS.key(organization)).delete()
    return [domains.prove(Organization.objects.get(id=organization), uuid.UUID(domain), OPERATOR).proof]


def vouch_for_domain(*, organization: str, name: str) -> list[str]:
    return [domains.vouch(Organization.objects.get(id=organization), name, OPERATOR).proof]


def owners_of_domain(*, name: str) -> list[str]:
    """Whoever has proved it."""
    return [str(one.organization_id) for one in Domain.objects.filter(name=name, proved_at__isnull=False)]


ACTS = {act.__name__: act for act in (add_domain, prove_domain, vouch_for_domain, owners_of_domain)}
