"""A class of an LMS whose people have opened a graded activity of Cedar, and the column their scores go to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from lms.platform import Lms
from lms.school import Column, Result, Tool
from lms.school import Link as TheirLink
from lms.words import GRADES
from world import House, Person, World

from usher.activities import making, scores
from usher.activities.making import Wish
from usher.activities.models import Activity, Score
from usher.core import clock, work
from usher.events.types import OPERATOR
from usher.methods.lti import keys, services
from usher.methods.lti.jobs import ScoreJob
from usher.methods.lti.models import Course, CoursePlace, Delivery, Deployment, LinkUse, Platform, PlatformUser
from usher.methods.lti.models import ResourceLink as Link
from usher.protocols.lti13.keys import new_private_key

SENT, WAITING = ("sent", ""), ("waiting", "")


@cache
def one_key() -> str:
    """Making one takes its time."""
    return new_private_key()


@pytest.fixture
def tool_keys(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key of this installation, and no token kept from another test."""
    whole = one_key()
    monkeypatch.setattr(keys, "new_private_key", lambda: whole)
    services._begin_anew()
    yield
    services._begin_anew()


@dataclass
class Gradebook:
    """``lms`` and what Usher knows of it. ``link`` is theirs, ``ours`` the same as Usher has it."""

    house: House
    lms: Lms
    tool: Tool
    platform: Platform
    deployment: Deployment
    course: Course
    activity: Activity
    link: TheirLink
    ours: Link

    @property
    def column(self) -> Column:
        found = self.lms.column_of(self.link)
        assert found
        return found

    def opened(self, person: Person, username: str, standing: str = "learner", link: Link | None = None) -> None:
        """They came by the LMS, and opened the link."""
        user, _ = PlatformUser.objects.get_or_create(
            organization=self.house.organization, platform=self.platform, subject=self.lms.user(username).id,
            defaults={"account_id": person.account_id, "standing": standing},
        )  # fmt: skip
        CoursePlace.objects.update_or_create(course=self.course, user=user, defaults={"standing": standing})
        LinkUse.objects.get_or_create(link=link or self.ours, user=user)

    def put(self, person: Person, given: float, **more: Any) -> Score:
        return scores.put(self.activity, person.account_id, given, OPERATOR, **more)

    def result(self, username: str) -> Result | None:
        return self.column.results.get(self.lms.user(username).id)

    def told(self, username: str) -> list[float]:
        """Every score of somebody that the LMS took."""
        theirs = self.lms.user(username).id
        return [sent["scoreGiven"] for sent in self.column.posted if sent["userId"] == theirs]

    def delivery(self, person: Person) -> Delivery:
        return Delivery.objects.get(score__account=person.account_id)

    def states(self, person: Person) -> list[tuple[str, str]]:
        found = Delivery.objects.filter(score__account=person.account_id).order_by("id")
        return [(one.state, one.reason) for one in found]


def gradebook(house: House, lms: Lms, *, has_column: bool = True, scopes: tuple[str, ...] = GRADES) -> Gradebook:
    """A platform that is on, a course, a link to a graded activity of 10 points; nobody has opened it."""
    keys.private_key()
    tool = lms.register("https://usher.example/lti/login", "https://usher.example/lti/launch", jwks=keys.jwks())
    link = lms.add_graded_link(tool, lms.course, "Quiz", 100) if has_column else lms.add_link(tool, title="Quiz")
    organization = house.organization
    platform = Platform.objects.create(
        organization=organization, family=lms.family.name, name=lms.name, state=Platform.State.ON,
        issuer=lms.issuer, client_id=tool.client_id, token_url=lms.token_url, token_audience=lms.family.audience,
    )  # fmt: skip
    deployment = Deployment.objects.create(
        platform=platform, organization=organization, deployment_id=tool.deployment_id, approved_at=clock.now()
    )
    lists = lms.lineitems_url(tool, lms.course)
    course = Course.objects.create(
        organization=organization, deployment=deployment, context_id=lms.course.id, lineitems_url=lists,
        scopes=list(scopes), title=lms.course.title,
    )  # fmt: skip
    wish = Wish("Fire drill", target_url="https://app.example/drill", is_graded=True, score_maximum=10.0)
    activity = making.add(organization, wish, OPERATOR)
    column = lms.column_of(link)
    ours = Link.objects.create(
        organization=organization, deployment=deployment, course=course, link_id=link.id, activity=activity,
        lineitem_url=lms.lineitem_url(column) if column else "", lineitems_url=lists, scopes=list(scopes),
    )  # fmt: skip
    return Gradebook(house, lms, tool, platform, deployment, course, activity, link, ours)


@pytest.fixture
def book(world: World, lms: Lms) -> Gradebook:
    """Pia has opened the quiz from Moodle, as the student there."""
    made = gradebook(world.cedar, lms)
    made.opened(world.pia, "student")
    return made


def scores_sent(lms: Lms) -> list[dict[str, Any]]:
    """Every score that arrived, taken or not."""
    return [json.loads(one.body) for one in lms.requests if one.path.endswith("/scores")]


def work_off() -> int:
    """The worker sends what is due."""
    return work.drain([ScoreJob])
