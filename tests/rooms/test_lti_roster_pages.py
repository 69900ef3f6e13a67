"""The pages of courses and rosters, the mail about removals that wait, and the command."""

from __future__ import annotations

import html
from typing import Any

import pytest
from command import run as usher
from django.test import Client
from lms.platform import Lms
from mailing import link_in, mails
from roster_class import Class, shrink
from world import World, signed_in

from usher.methods.lti import rosters
from usher.methods.lti.jobs import RosterJob
from usher.methods.lti.models import PlatformUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def biology(world: World, lms: Lms) -> Class:
    return Class(world, lms)


@pytest.fixture
def shrunk(biology: Class) -> Class:
    return shrink(biology)


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def at(biology: Class, act: str = "") -> str:
    return f"/o/cedar/settings/integrations/lti/{biology.platform.id}/courses/{biology.id}{act}"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return html.unescape(answer.content.decode())


def test_an_admin_sees_what_would_change_then_follows_it(world: World, biology: Class, ada: Client) -> None:
    world.cedar.seats("student", 4)
    world.cedar.settle("Stina Berg", "student")
    seen = text_of(ada.post(at(biology, "/preview")))
    assert "The LMS lists 8 people." in seen
    assert "Åsa Öberg" in seen
    assert "Nothing has been saved yet" in seen
    assert not PlatformUser.objects.exists()
    done = text_of(ada.post(at(biology, "/pull"), follow=True))
    assert "4 people came in, 0 left the group." in done
    assert "All 4 student seats are taken." in done
    assert "Asked at their first launch" in done
    listed = text_of(ada.get(at(biology).rpartition("/")[0]))
    assert "Biology 1" in listed
    assert "Followed" in listed


def test_an_admin_says_yes_or_no_to_many_removals(shrunk: Class, ada: Client) -> None:
    run = shrunk.pull()
    page = text_of(ada.get(at(shrunk)))
    assert "3 people would leave the group" in page
    assert "Sam Okafor" in page
    assert "They stay in the group." in text_of(ada.post(at(shrunk, f"/removals/{run.id}"), {"do": "no"}, follow=True))
    assert "Stina Berg" in shrunk.group
    again = ada.post(at(shrunk, f"/removals/{run.id}"), {"do": "yes"})
    assert (again.status_code, "decided already" in again.content.decode()) == (409, True)


def test_a_yes_takes_them_out(shrunk: Class, ada: Client) -> None:
    run = shrunk.pull()
    said = text_of(ada.post(at(shrunk, f"/removals/{run.id}"), {"do": "yes"}, follow=True))
    assert "3 people have left the group." in said
    assert "Stina Berg" not in shrunk.group


def test_a_roster_that_cannot_be_read_is_said_on_the_page(biology: Class, ada: Client) -> None:
    biology.lms.switches.nrps = "garbage"
    for act in ("/preview", "/pull"):
        answer = ada.post(at(biology, act))
        assert answer.status_code == 502
        assert "could not be read whole" in html.unescape(answer.content.decode())
    assert "Not readable" in text_of(ada.get(at(biology)))


def test_the_pages_are_for_admins_of_this_organisation_alone(world: World, biology: Class) -> None:
    assert signed_in(world.tom).get(at(biology)).status_code == 403
    other = at(biology).replace("/cedar/", "/birch/")
    assert signed_in(world.bob).get(other).status_code == 404
    assert signed_in(world.bob).post(other + "/pull").status_code == 404


def test_a_large_course_is_followed_by_a_worker(biology: Class, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "LARGE", 3)
    biology.pull()
    assert "being looked at" in text_of(ada.post(at(biology, "/pull"), follow=True))
    assert RosterJob.objects.get().course_id == biology.id


def test_the_mail_to_admins_leads_to_the_page(shrunk: Class) -> None:
    shrunk.pull()
    (sent,) = (one for one in mails() if "Biology 1" in one.subject)
    assert link_in(sent, "/courses/") == at(shrunk)
    assert "does not list 3 of the 8 people in Biology 1" in " ".join(sent.body.split())


def test_the_command_looks_and_follows(world: World, biology: Class) -> None:
    world.cedar.seats("student", 4)
    here = ("roster", "--org", "cedar")
    (listed,) = usher(*here, "--json").document
    assert (listed["course"], listed["people"], listed["state"]) == ("Biology 1", 0, None)
    ahead = usher(*here, "--course", "BIO1", "--json")
    assert (ahead.code, ahead.document["counts"]["created"]) == (1, 5)
    assert not PlatformUser.objects.exists()
    ran = usher(*here, "--course", biology.id, "--apply")
    assert ran.code == 1
    assert ran.out.startswith("Biology 1: 5 came in, 3 refused\n")
    assert "All 4 student seats are taken." in ran.out
    world.cedar.seats("student", 40)
    assert usher(*here, "--course", biology.id, "--apply").code == 0
    biology.lms.switches.nrps = "garbage"
    assert usher(*here, "--course", biology.id, "--apply").code == 2
