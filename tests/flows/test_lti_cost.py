"""What a launch costs the database: statements, counted on the way of every school morning, a person who is known."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from launches import activity, arrive, at, begin, connected, query_of
from lms.platform import Lms
from world import World

from usher.methods.lti import attempts

pytestmark = pytest.mark.django_db
COUNTED = re.compile("(1 times: )?(SELECT|INSERT|UPDATE|DELETE)")


def statements(act: Any) -> int:
    """Without savepoints and the beginnings and ends of transactions."""
    with CaptureQueriesContext(connection) as asked:
        act()
    return sum(COUNTED.match(query["sql"]) is not None for query in asked.captured_queries)


@pytest.mark.parametrize(("makes_groups", "most"), [(False, 17), (True, 19)])
def test_a_known_launch_asks_the_database_so_often_and_no_more(
    world: World, lms: Lms, monkeypatch: pytest.MonkeyPatch, makes_groups: bool, most: int
) -> None:
    """The third of somebody, in the same browser, of the same activity."""
    monkeypatch.setattr(attempts, "SWEPT_EVERY", 2**128)  # by chance, one launch of some; told apart from the rest
    platform, tool = connected(lms, makes_groups=makes_groups)
    link = lms.add_link(tool, lms.course, "Lab", custom={"activity": str(activity().id)})
    browser = Client()
    forms = []
    for _launch in range(3):
        asked = query_of(begin(browser, platform, lms.login_parameters(tool, "student", link=link)))
        forms.append(lms.answer(tool, asked))
    pages = [at(arrive(browser, platform, form)) for form in forms[:2]]
    assert statements(lambda: arrive(browser, platform, forms[2])) <= most
    assert statements(lambda: browser.get(pages[0])) <= 5
