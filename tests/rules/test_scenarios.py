"""Built-in scenarios: every choice leads on, every walk ends, and the same walk always gives the same score."""

from __future__ import annotations

import pytest

from usher.activities import scenarios
from usher.activities.scenarios import Scenario

SMALL = """
title = "Small"
description = "Two ways."
start = "one"
[steps.one]
title = "One"
text = "Choose."
[[steps.one.choices]]
label = "The better way"
to = "two"
points = 2
says = "Yes."
[[steps.one.choices]]
label = "The other way"
to = "end"
points = 5
says = "No."
[steps.two]
title = "Two"
text = "Choose."
[[steps.two.choices]]
label = "On"
to = "end"
points = 1
says = "On."
[steps.end]
title = "The end"
text = "Over."
"""


@pytest.fixture
def small() -> Scenario:
    return scenarios.parse("small", SMALL)


def test_a_path_leads_from_step_to_step(small: Scenario) -> None:
    assert [small.at(path).name for path in ("", "a", "aa", "b")] == ["one", "two", "end", "end"]
    assert [small.at(path).is_end for path in ("", "a", "aa", "b")] == [False, False, True, True]
    assert [(one.step.name, one.choice.says, one.is_best) for one in small.taken("aa")] == [
        ("one", "Yes.", False),
        ("two", "On.", True),
    ]


def test_the_maximum_is_that_of_the_best_way_and_not_of_all_best_choices(small: Scenario) -> None:
    assert small.score("") == (0.0, 5.0)
    assert small.score("aa") == (3.0, 5.0)
    assert small.score("b") == (5.0, 5.0)


@pytest.mark.parametrize("path", ["c", "ab", "aaa", "A", "é", "a" * 10_000])
def test_a_path_that_nobody_can_walk_is_refused(small: Scenario, path: str) -> None:
    for ask in (small.at, small.score, small.taken):
        with pytest.raises(LookupError):
            ask(path)


def test_a_choice_that_leads_nowhere_is_found_when_it_is_read() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        scenarios.parse("broken", SMALL.replace('to = "two"', 'to = "nowhere"'))


@pytest.mark.parametrize("name", scenarios.names())
def test_the_built_in_ones_are_whole(name: str) -> None:
    story = scenarios.get(name)
    assert story
    ends, seen = set(), {story.start}
    for path, points in story.walks():
        ends.add(story.at(path).name)
        seen |= {one.choice.to for one in story.taken(path)}
        assert story.score(path) == (points, story.maximum)
        assert len(path) <= len(story.steps)
    assert seen == set(story.steps), "a step that no way leads to"
    assert len(ends) >= 2
    assert len(story.steps) - len(ends) >= 6
    for step in story.steps.values():
        assert step.title
        assert step.text
        assert step.is_end or len({choice.label for choice in step.choices}) == len(step.choices) > 1
        assert step.is_end or step.best > 0
        assert all(choice.says and choice.points >= 0 for choice in step.choices)


def test_one_is_built_in_and_nothing_else_is() -> None:
    assert "chemistry_room" in scenarios.names()
    assert scenarios.get("../chemistry_room") is None
    assert scenarios.get("") is None
