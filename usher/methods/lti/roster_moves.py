"""What a roster changes in people who are in the course: their role, their name, their standing."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping

from django.db import transaction

from usher.core.errors import UsherError
from usher.core.reasons import Finding
from usher.lifecycle import move
from usher.lifecycle.joiner import By
from usher.methods.lti.models import Course, CoursePlace, PlatformUser
from usher.methods.lti.platforms import role_for
from usher.methods.lti.roster_diff import Diff, Pair
from usher.methods.lti.roster_known import pieces
from usher.people.models import Membership

Refused = list[tuple[str, Finding]]


def follow(course: Course, diff: Diff, by: By) -> tuple[int, Refused]:
    """Give the roles that the LMS says now, each on its own. Returns how many were moved, and who could not be.

    Where a role stays, also by a "no", it is looked at again with the next roster.
    """
    members = _members(course, diff)
    done, refused = 0, Refused()
    for pair in diff.moved:
        member = members.get(pair.known.account_id)
        try:
            done += _follow(course, pair, member, by)
        except UsherError as no:
            refused.append((pair.listed.name or pair.known.name or f"#{pair.known.subject}", no.findings[0]))
    return done, refused


def _members(course: Course, diff: Diff) -> Mapping[uuid.UUID, Membership]:
    found: dict[uuid.UUID, Membership] = {}
    for some in pieces([pair.known.account_id for pair in diff.moved]):
        mine = Membership.objects.filter(organization=course.organization_id, account__in=some)
        found |= {member.account_id: member for member in mine}
    return found


def _follow(course: Course, pair: Pair, member: Membership | None, by: By) -> bool:
    """The role and what is noted of it in one transaction. Raises UsherError: as lifecycle.move.move."""
    role = role_for(course.deployment.platform, course.organization, pair.standing)
    wanted = member is not None and _is_moved(course, pair, member, role)
    with transaction.atomic():
        if member is not None and wanted:
            move.move(course.organization_id, member.id, role, by)
        PlatformUser.objects.filter(id=pair.known.id).update(standing=pair.standing, role=role)
    return wanted


def _is_moved(course: Course, pair: Pair, member: Membership, role: str) -> bool:
    """What was set by hand stays: up only above what he is, down only from what the LMS gave."""
    if role in (pair.known.role, member.role) or member.state == Membership.State.INACTIVE:
        return False
    rank = {one.slug: one.rank for one in course.organization.license.plan.roles}
    return rank[role] > rank.get(member.role, 0) or member.role == pair.known.role


def note(course: Course, diff: Diff) -> None:
    """What people are in the course, and what the LMS calls them. What it no longer says stays as it was."""
    by_standing: dict[str, list[uuid.UUID]] = defaultdict(list)
    for pair in diff.stayed:
        if pair.known.place and pair.here != pair.known.place.standing:
            by_standing[pair.here].append(pair.known.place.id)
    for standing, places in by_standing.items():
        for some in pieces(places):
            CoursePlace.objects.filter(course=course, id__in=some).update(standing=standing)
    renamed = [
        PlatformUser(
            id=pair.known.id,
            name=pair.listed.name or pair.known.name,
            address=pair.listed.address or pair.known.address,
        )
        for pair in diff.renamed
    ]
    PlatformUser.objects.bulk_update(renamed, ["name", "address"], batch_size=300)
