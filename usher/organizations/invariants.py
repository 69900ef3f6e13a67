"""What must always be true of the short names of organisations (V3): each leads to one of them."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows


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
