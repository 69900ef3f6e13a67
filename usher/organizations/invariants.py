"""What must be true of the short names of organisations (V3), each of which leads to one; and domains that fail."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows, warning
from usher.organizations import domains
from usher.organizations.models import Domain


@invariant("V3", "A short name that an organisation has is no other's, not even one it had before.")
def short_names_lead_to_one() -> Iterator[str]:
    sql = """
        SELECT o.slug FROM organizations_oldslug o JOIN organizations_organization now ON now.slug = o.slug
        WHERE o.organization_id IS NULL OR o.organization_id <> now.id
    """
    for (slug,) in rows(sql):
        yield f"The short name {slug} leads to one organisation, and is or was another's."


@invariant("V3", "No two organisations make sign-in names of one form.")
def made_names_are_of_one() -> Iterator[str]:
    """The middle of a made name is the first short name (``Organization.names_under``)."""
    sql = """
        SELECT names_under, COUNT(*) FROM (
            SELECT CASE WHEN made_under = '' THEN slug ELSE made_under END AS names_under
            FROM organizations_organization
        ) every_one GROUP BY names_under HAVING COUNT(*) > 1
    """
    for name, count in rows(sql):
        yield f"{count} organisations make sign-in names with “@{name}.” in them."


@warning("domains", "Every proved domain still has its proof.")
def domains_have_their_proof() -> Iterator[str]:
    failing = Domain.objects.filter(proved_at__isnull=False, failing_since__isnull=False).select_related("organization")
    for domain in failing.order_by("failing_since", "id").iterator():
        host, lost_at = domains.record_of(domain).host, domains.lost_at(domain)
        yield (
            f"The domain {domain.name} of {domain.organization.slug} is lost at {lost_at:%Y-%m-%d %H:%M} UTC,"
            f" unless its TXT record {host} comes back."
        )
