"""The whole way: from a course of the LMS into an application downstream, and its score into the gradebook."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from grading import one_key
from launches import activity, at, connected, launch, said
from lms.platform import Lms
from world import World

from usher.core import work
from usher.methods.lti.jobs import ScoreJob
from usher.methods.lti.models import PlatformUser
from usher.organizations import api_keys
from usher.organizations.api_keys import Scope
from usher.protocols.lti13.keys import public_jwk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tool_keys")]
APP = "https://quiz.example/fractions?level=2"


def code_in(page: Any) -> str:
    """That with which the frame goes on to the application, whose own query stays."""
    found = re.search(r'content="0; ?url=([^"]+)"', said(page))
    assert found, said(page)[-800:]
    parts = urlsplit(html.unescape(found[1]))
    query = parse_qs(parts.query)
    assert (f"{parts.scheme}://{parts.netloc}{parts.path}", query["level"]) == ("https://quiz.example/fractions", ["2"])
    return query["usher_launch"][0]


def ask(key: str, method: str, path: str, body: object) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    data = json.dumps(body)
    return Client().generic(method, f"/api/v1{path}", data, content_type="application/json", headers=headers)


def test_from_a_course_to_an_application_and_back_into_the_gradebook(world: World, lms: Lms) -> None:
    key = api_keys.add(world.cedar.organization, "Quiz", (Scope.LAUNCHES, Scope.SCORES), world.ada.actor).token
    foreign = api_keys.add(world.birch.organization, "Quiz", (Scope.LAUNCHES, Scope.SCORES), world.bob.actor).token
    platform, tool = connected(lms)
    ours = {"keys": [public_jwk(one_key())]}  # read from our database only by the thread of the test
    tool.keyset = lambda: ours
    quiz = activity(title="Fractions", target_url=APP)
    link = lms.add_graded_link(tool, lms.course, "Fractions", 20, custom={"activity": str(quiz.id)})
    browser = Client()
    code = code_in(browser.get(at(launch(browser, lms, platform, tool, "student", link=link))))
    assert ask(foreign, "POST", "/launches", {"code": code}).status_code == 403  # and uses nothing up
    opened = ask(key, "POST", "/launches", {"code": code}).json()
    student = PlatformUser.objects.get().account_id
    assert (opened["account"], opened["activity"], opened["username"]) == (str(student), str(quiz.id), "Stina Berg")
    assert (opened["standing"], opened["course"]) == ("learner", "Biology 1")
    assert ask(key, "POST", "/launches", {"code": code}).status_code == 403  # once
    for given in (4, 7.5):
        answer = ask(key, "PUT", f"/activities/{quiz.id}/scores/{student}", {"given": given})
        assert answer.status_code == 200, answer.content
    work.drain([ScoreJob])
    column = lms.column_of(link)
    assert column is not None
    assert column.results[lms.user("student").id].score == 15  # of 20; the last one wins
    assert len(column.posted) == 1
