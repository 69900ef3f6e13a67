"""What must always be true of activities and scores."""

from __future__ import annotations

from collections.abc import Iterator

from usher.core.checks import invariant, rows
from usher.lifecycle.erase import BEING_ERASED


@invariant("V14", "Every score lies between 0 and its maximum, in the organisation of its activity.")
def scores_are_within() -> Iterator[str]:
    sql = f"""
        SELECT s.id, s.given, s.maximum FROM activities_score s
        JOIN activities_activity a ON a.id = s.activity_id
        WHERE a.organization_id NOT IN {BEING_ERASED}
          AND (s.given < 0 OR s.given > s.maximum OR s.version < 1 OR s.organization_id <> a.organization_id)
    """  # noqa: S608 - names of our own
    for key, given, maximum in rows(sql):
        yield f"The score {key} is {given:g} of {maximum:g}, or of another organisation than its activity."


@invariant("V14", "An activity for a group is for one of its own organisation.")
def activities_have_their_groups() -> Iterator[str]:
    sql = """
        SELECT a.title FROM activities_activity a JOIN people_group g ON g.id = a.group_id
        WHERE g.organization_id <> a.organization_id
    """
    for (title,) in rows(sql):
        yield f"The activity “{title}” is for a group of another organisation."
