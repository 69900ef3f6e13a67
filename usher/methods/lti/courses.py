"""Courses of an LMS, the links in them, who is there as what, and the group that a course makes here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Model

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.retry import retrying
from usher.events.types import SYSTEM
from usher.lifecycle import move
from usher.lifecycle.joiner import OPERATOR_RANK, By
from usher.methods.lti.callers import Caller
from usher.methods.lti.models import Course, CoursePlace, Deployment, LinkUse, Platform, PlatformUser, ResourceLink
from usher.methods.lti.recognize import Place
from usher.organizations.models import License
from usher.organizations.plans import Method
from usher.people import groups
from usher.people.models import Group, GroupMembership, Membership
from usher.people.names import name_key
from usher.protocols.lti13.roles import Standing

M = TypeVar("M", bound=Model)
BY: Final = By(SYSTEM, OPERATOR_RANK)
LONGEST: Final = 80  # characters of the name of a group
ORDER: Final = (Standing.LEARNER, Standing.ASSISTANT, Standing.INSTRUCTOR)


# What the LMS says of them


def note_course(deployment: Deployment, place: Place, caller: Caller) -> Course | None:
    """The course as it is called now; None for a launch from no course."""
    if not caller.context_id:
        return None
    said: dict[str, Any] = {"title": caller.course_title, "label": caller.course_label, "nrps_url": caller.nrps}
    said |= {"lineitems_url": caller.lineitems, "scopes": list(caller.scopes)}
    key = {"deployment": deployment, "context_id": caller.context_id}
    # A message may leave out what another one said: grades come without the roster in Deep Linking.
    known = {name: value for name, value in said.items() if value}
    return _noted(Course, key, {"organization": place.organization}, known)


def note_link(deployment: Deployment, place: Place, caller: Caller, course: Course | None) -> ResourceLink | None:
    """The link as it is called now; None for a message that comes from none."""
    if not caller.link_id:
        return None
    said: dict[str, Any] = {"title": caller.link_title, "lineitem_url": caller.lineitem}
    said |= {"lineitems_url": caller.lineitems, "scopes": list(caller.scopes)}
    said["course_id"] = course.id if course else None  # by its id: the row is not read for it
    key = {"deployment": deployment, "link_id": caller.link_id}
    known = {name: value for name, value in said.items() if value}
    return _noted(ResourceLink, key, {"organization": place.organization}, known)


def _noted(model: type[M], key: dict[str, Any], fixed: dict[str, Any], said: dict[str, Any]) -> M:
    """One query for a row that says the same as before; of two first ones the database makes one."""
    row, is_new = model._default_manager.get_or_create(**key, defaults={**fixed, **said})
    changed = {} if is_new else {name: value for name, value in said.items() if getattr(row, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        model._default_manager.filter(pk=row.pk).update(**changed)
    return row


def stand(user: PlatformUser, standing: str, course: Course | None) -> None:
    """Somebody came as this, from this course or from none; and what he is at most follows from it.

    Needs a transaction: a kill leaves both or neither.
    """
    if course is not None and not _place(course, user, standing):
        return
    user.standing = _best_standing(user, standing, course).value
    PlatformUser.objects.filter(id=user.id).update(standing=user.standing)


def _place(course: Course, user: PlatformUser, standing: str) -> bool:
    """Somebody proved by a launch to be in the course, as this. False where that was known."""
    now, seen = clock.now(), {"standing": standing, "dropped_at": None}
    found, is_new = CoursePlace.objects.get_or_create(course=course, user=user, defaults={**seen, "proved_at": now})
    is_known = bool(found.proved_at) and all(getattr(found, name) == value for name, value in seen.items())
    if not is_new and not is_known:
        CoursePlace.objects.filter(id=found.id).update(**seen, proved_at=now)
    return is_new or not is_known


def _best_standing(user: PlatformUser, now: str, course: Course | None) -> Standing:
    """The most that somebody is in any course of the LMS; where he is in none, what he just came as or was."""
    others = CoursePlace.objects.filter(user=user, dropped_at=None)
    others = others.exclude(course=course) if course else others
    found = [*others.values_list("standing", flat=True).distinct(), now]
    # Without a course nothing says that he is no more what he was.
    found += [] if course else [user.standing]
    return max((Standing(one) for one in found), key=ORDER.index)


def use(link: ResourceLink, user: PlatformUser) -> None:
    """For grades: of two people of the LMS with one account, the later one counts."""
    if not LinkUse.objects.filter(link=link, user=user).update(last_at=clock.now()):
        LinkUse.objects.get_or_create(link=link, user=user)


# The group


def seat(course: Course, platform: Platform, member: Membership, standing: str) -> None:
    """Into the course's group, as its manager whoever teaches it. What has no place is left: the page opens anyway."""
    group = group_of(course, platform)
    if group is None or member.state != Membership.State.ACTIVE:
        return
    links = GroupMembership.objects.filter(group=group, membership=member)
    right = links.values_list("right", flat=True).first()
    wanted = _right(standing)
    if right is None:
        _try(lambda: move.add_to_group(group.organization_id, member.id, group.id, BY))
    if wanted != (right or GroupMembership.Right.MEMBER):
        _try(lambda: move.set_group_right(group.organization_id, member.id, group.id, wanted, BY))


def _right(standing: str) -> GroupMembership.Right:
    return GroupMembership.Right.MANAGER if standing == Standing.INSTRUCTOR else GroupMembership.Right.MEMBER


def group_of(course: Course, platform: Platform) -> Group | None:
    """The course's group, made and named by it at first need; None where the platform makes none, or the plan has
    none. A group that an admin made is never taken for it, whatever the course is called."""
    if course.group_id or not platform.makes_groups:
        return course.group
    plan = course.organization.license.plan
    if not plan.groups or Method.LTI not in plan.methods:
        return None
    return _made(course)


@retrying
def _made(course: Course) -> Group | None:
    """In one transaction: a group whose course does not know it would be nobody's. Of two at once the first."""
    with transaction.atomic():
        License.objects.select_for_update().get(organization=course.organization_id)
        course.refresh_from_db(fields=["group"])
        if course.group_id is None:
            course.group = _new_group(course)
            Course.objects.filter(id=course.id).update(group=course.group)
    return course.group


def _new_group(course: Course) -> Group | None:
    """By its title, else with its label, else with a number: whichever name is free."""
    title = " ".join((course.title or course.label or course.context_id).replace("|", "/").split())[: LONGEST - 5]
    names = [title, f"{title} ({course.label})"[:LONGEST], *(f"{title} {number}" for number in range(2, 100))]
    taken = set(
        Group.objects.filter(
            organization=course.organization, name_key__in=[name_key(name) for name in names]
        ).values_list("name_key", flat=True)
    )
    for name in (name for name in names if name_key(name) not in taken):
        with suppress(UsherError):
            return groups.create(course.organization, name, None, SYSTEM)
    return None


def _try(act: Callable[[], object]) -> None:
    with suppress(UsherError):
        act()
