"""The columns of a gradebook: found, made and made anew; and nobody's grade in one that is not his own."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from grading import SENT, WAITING, Gradebook, gradebook, scores_sent, work_off
from lms.fixtures import MakeLms
from lms.platform import Lms
from lms.words import LINEITEM_READ, SCORE
from world import World

from usher.core.errors import UsherError
from usher.methods.lti import columns, services
from usher.methods.lti.models import Delivery, ResourceLink

pytestmark = pytest.mark.usefixtures("tool_keys", "clock")


# Columns


@pytest.mark.parametrize("family", ["moodle", "canvas", "blackboard", "brightspace"])
def test_a_column_is_made_where_there_is_none(world: World, make_lms: MakeLms, family: str) -> None:
    book = gradebook(world.cedar, make_lms(family), has_column=False)
    for person, username in ((world.pia, "student"), (world.tom, "student2")):
        book.opened(person, username)
        book.put(person, 5)
    work_off()
    made = book.column
    assert (made.label, made.maximum, made.resource_id) == ("Fire drill", 10, str(book.activity.id))
    assert (book.told("student"), book.told("student2")) == ([5], [5])
    assert ResourceLink.objects.get().lineitem_url == book.lms.lineitem_url(made)


def test_a_column_that_is_there_is_found(world: World, lms: Lms) -> None:
    book = gradebook(world.cedar, lms, has_column=False)
    there = lms.add_column(book.tool, lms.course, "By the teacher", 20, link_id=book.link.id)
    lms.add_column(book.tool, lms.course, "Another", 20, resource_id=str(book.activity.id), link_id="another")
    book.opened(world.pia, "student")
    book.put(world.pia, 5)
    work_off()
    assert there.results[lms.user("student").id].score == 10
    assert sum(len(column.posted) for column in lms.columns.values()) == 1


def test_somebody_else_makes_it_just_now(world: World, lms: Lms, clock: time_machine.Traveller) -> None:
    book = gradebook(world.cedar, lms, has_column=False)
    book.opened(world.pia, "student")
    book.put(world.pia, 5)
    columns._begin(book.ours)
    work_off()
    assert (book.states(world.pia), lms.requests) == ([WAITING], [])
    clock.shift(columns.MAKING + timedelta(seconds=1))  # it was killed
    work_off()
    assert book.states(world.pia) == [SENT]


def test_a_column_that_was_deleted_is_made_anew(world: World, book: Gradebook) -> None:
    book.lms.columns.clear()
    book.put(world.pia, 5)
    work_off()
    assert (book.column.label, book.told("student")) == ("Fire drill", [5])


def test_a_column_that_was_deleted_and_cannot_be_made(world: World, book: Gradebook) -> None:
    ResourceLink.objects.update(scopes=[SCORE, LINEITEM_READ])
    book.lms.columns.clear()
    book.put(world.pia, 5)
    work_off()
    assert book.states(world.pia) == [("refused", "grade_column_gone")]


def test_an_lms_that_lets_nobody_make_columns(world: World, lms: Lms) -> None:
    book = gradebook(world.cedar, lms, has_column=False)
    lms.switches.ags = "readonly"
    book.opened(world.pia, "student")
    book.put(world.pia, 5)
    work_off()
    assert book.states(world.pia) == [("refused", "grade_refused_there")]
    assert ResourceLink.objects.get().making_until is None


# Whose score goes where (security.md H13)


def test_it_goes_into_no_column_but_that_of_the_launch(world: World, book: Gradebook) -> None:
    """Tom's score is not Pia's; links of the same activity that Pia never opened get nothing."""
    other = book.lms.add_graded_link(book.tool, book.lms.course, "The same quiz elsewhere", 100)
    column = book.lms.column_of(other)
    assert column
    ResourceLink.objects.create(
        organization=book.house.organization, deployment=book.deployment, course=book.course, link_id=other.id,
        activity=book.activity, lineitem_url=book.lms.lineitem_url(column), scopes=book.ours.scopes,
    )  # fmt: skip
    book.put(world.tom, 1)
    book.put(world.pia, 5)
    work_off()
    assert (book.told("student"), len(scores_sent(book.lms)), column.posted) == ([5], 1, [])


def test_it_goes_to_every_column_by_whose_link_it_was_opened(world: World, book: Gradebook) -> None:
    other = book.lms.add_graded_link(book.tool, book.lms.course, "Once more", 100)
    column = book.lms.column_of(other)
    assert column
    link = ResourceLink.objects.create(
        organization=book.house.organization, deployment=book.deployment, course=book.course, link_id=other.id,
        activity=book.activity, lineitem_url=book.lms.lineitem_url(column), scopes=book.ours.scopes,
    )  # fmt: skip
    book.opened(world.pia, "student", link=link)
    book.put(world.pia, 5)
    work_off()
    assert (len(book.column.posted), len(column.posted)) == (1, 1)


def test_no_token_follows_an_address_to_another_machine() -> None:
    """A list of columns that leads elsewhere is not followed, nor is a column believed that lies there."""
    assert services.is_beside("https://lms.example/a?b=1", "https://lms.example/c")
    for foreign in ("http://lms.example/a", "https://lms.example:444/a", "https://lms.example.evil.example/a"):
        assert not services.is_beside(foreign, "https://lms.example/c")


@pytest.mark.parametrize("given", [-1, 10.5, float("nan"), float("inf")])
def test_out_of_range(world: World, book: Gradebook, given: float) -> None:
    with pytest.raises(UsherError):
        book.put(world.pia, given)
    assert not Delivery.objects.exists()
