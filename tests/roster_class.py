"""A course of the fake LMS that is connected with Cedar: its roster is pulled, and what is here of it is looked at."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from lms.platform import Lms
from lms.school import Course as LmsCourse
from lms.school import Tool
from world import World

from usher.core import clock
from usher.events.types import SYSTEM
from usher.methods.lti import keys, roster_run, rosters, services
from usher.methods.lti.models import Course, CoursePlace, Deployment, Platform, PlatformUser, RosterRun
from usher.people.models import Account, GroupMembership, Membership


def _keyset() -> Any:
    keys.private_key()
    return keys.jwks()


class Class:
    """A course of the fake LMS, and the same course at Cedar."""

    def __init__(self, world: World, lms: Lms, **platform: Any) -> None:
        self.world, self.lms, self.there = world, lms, lms.course
        self.tool: Tool = lms.register("http://usher.example/login", "http://usher.example/launch", jwks=_keyset())
        told = {"family": "moodle", "state": "on", "makes_groups": True, **platform}
        self.platform = Platform.objects.create(
            organization=world.cedar.organization, name="Moodle", issuer=lms.issuer, client_id=self.tool.client_id,
            auth_url=lms.auth_url, token_url=lms.token_url, jwks_url=lms.jwks_url, **told,
        )  # fmt: skip
        deployment = Deployment.objects.create(
            organization=world.cedar.organization, platform=self.platform, approved_at=clock.now(),
            deployment_id=self.tool.deployment_id,
        )  # fmt: skip
        self.id = self.course(deployment, self.there).id
        services.forget(self.platform)

    def course(self, deployment: Deployment, there: LmsCourse) -> Course:
        return Course.objects.create(
            organization=self.world.cedar.organization, deployment=deployment, context_id=there.id, title=there.title,
            label=there.label, nrps_url=self.lms.members_url(self.tool, there),
        )  # fmt: skip

    @property
    def here(self) -> Course:
        found = rosters.by_id(self.id)
        assert found
        return found

    def pull(self) -> RosterRun:
        return roster_run.apply(self.here, SYSTEM)

    def add(self, count: int, start: int = 0) -> None:
        for number in range(start, start + count):
            self.lms.add_user(f"pupil{number}", f"Pupil{number}", "Berg")
            self.lms.enroll(f"pupil{number}", self.there)

    def drop(self, *usernames: str) -> None:
        for username in usernames:
            del self.there.roster[self.lms.user(username).id]

    def user(self, username: str) -> PlatformUser:
        return PlatformUser.objects.get(platform=self.platform, subject=self.lms.user(username).id)

    def place(self, username: str) -> CoursePlace:
        return CoursePlace.objects.get(course=self.id, user__subject=self.lms.user(username).id)

    def member(self, username: str) -> Membership:
        return Membership.objects.get(account=self.user(username).account_id)

    def launched(self, username: str, standing: str, at: dt.datetime | None = None) -> None:
        """As a launch notes it."""
        moment = at or clock.now()
        CoursePlace.objects.filter(id=self.place(username).id).update(standing=standing, proved_at=moment)
        PlatformUser.objects.filter(id=self.user(username).id).update(standing=standing, proved_at=moment)

    @property
    def group_id(self) -> uuid.UUID:
        found = self.here.group
        assert found
        return found.id

    @property
    def group(self) -> set[str]:
        """Who is in the course's group, by name."""
        links = GroupMembership.objects.filter(group=self.here.group_id)
        return set(links.values_list("membership__account__username", flat=True))

    @property
    def now(self) -> Any:
        """What must stay as it is when a roster is not believed."""
        places = CoursePlace.objects.filter(course=self.id).order_by("id")
        return (
            self.group,
            list(places.values_list("id", "standing", "listed_at", "dropped_at")),
            Account.objects.count(),
        )


def shrink(biology: Class) -> Class:
    """Three of eight have gone in the LMS, and one has come."""
    biology.pull()
    biology.drop("student", "student2", "student3")
    biology.lms.enroll(biology.lms.add_user("late", "Lea", "Late"), biology.there)
    return biology
