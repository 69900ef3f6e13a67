"""One's own LMSs: which of them open the account, unlinking one, and the code for the question in their frames."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client
from launches import at, connected, launch, said
from lms.platform import Lms
from world import Person, World

from usher.events.types import EventType
from usher.methods.lti.models import Launch, LinkCode, PlatformUser

pytestmark = pytest.mark.django_db
PAGE, CODE, UNLINK = "/account/lms", "/account/lms/code", "/account/lms/unlink"
Enter = Callable[[Person], Client]


@pytest.fixture
def pia_linked(world: World, lms: Lms) -> PlatformUser:
    """Pia's account is opened by the student of the LMS."""
    platform, _tool = connected(lms, name="Cedar Moodle")
    return PlatformUser.objects.create(
        organization=world.cedar.organization, platform=platform, subject=lms.user("student").id,
        account=world.pia.account, name="Stina Berg", standing="learner", role="student", is_linked=True,
    )  # fmt: skip


def code_of(page: str) -> str:
    found = re.search(r'class="big">([0-9A-Z]{4} [0-9A-Z]{4})<', page)
    assert found, page[-1500:]
    return found[1]


def test_the_page_says_who_opens_the_account(world: World, client_of: Enter, pia_linked: PlatformUser) -> None:
    page = said(client_of(world.pia).get(PAGE))
    assert "Cedar Moodle" in page
    assert "Stina Berg" in page
    assert "Stina Berg" not in said(client_of(world.tom).get(PAGE))
    assert Client().get(PAGE).status_code == 302
    assert PAGE in said(client_of(world.pia).get("/account/security"))


def test_unlinking_ends_what_is_open_and_is_told(
    world: World, client_of: Enter, pia_linked: PlatformUser, lms: Lms
) -> None:
    frame = Client()
    page = at(launch(frame, lms, pia_linked.platform, lms.tool, "student"))
    assert Launch.objects.get().user == pia_linked
    client_of(world.pia).post(UNLINK, {"user": str(pia_linked.id)})
    assert not PlatformUser.objects.exists()
    assert frame.get(page).status_code == 403
    (event,) = world.cedar.events(EventType.LMS_USER_UNLINKED)
    assert (event.account_id, event.data["platform"]) == (world.pia.account_id, "Cedar Moodle")


@pytest.mark.parametrize("wanted", ["", "nonsense", "theirs"])
def test_nobody_unlinks_what_is_not_his(world: World, client_of: Enter, pia_linked: PlatformUser, wanted: str) -> None:
    client_of(world.tom).post(UNLINK, {"user": str(pia_linked.id) if wanted == "theirs" else wanted})
    assert PlatformUser.objects.exists()
    assert not world.cedar.events(EventType.LMS_USER_UNLINKED)


def test_a_code_is_shown_once_and_opens_the_account_in_a_frame(world: World, client_of: Enter, lms: Lms) -> None:
    pia = client_of(world.pia)
    first, code = code_of(said(pia.post(CODE))), code_of(said(pia.post(CODE)))
    assert code not in said(pia.get(PAGE))
    platform, tool = connected(lms)
    frame = Client()
    question = at(launch(frame, lms, platform, tool, "student", name="Pia Pine"))
    assert frame.post(question, {"act": "code", "code": first}).status_code == 400  # the newer one took its place
    at(frame.post(question, {"act": "code", "code": code.lower()}))
    assert PlatformUser.objects.get().account_id == world.pia.account_id
    assert not LinkCode.objects.exists()


@pytest.mark.parametrize("address", [CODE, UNLINK])
def test_both_ask_for_a_fresh_proof(
    world: World, client_of: Enter, pia_linked: PlatformUser, clock: time_machine.Traveller, address: str
) -> None:
    pia = client_of(world.pia)
    clock.shift(3600)
    answer = pia.post(address, {"user": str(pia_linked.id)})
    assert answer["Location"].startswith("/sign-in/again")
    assert PlatformUser.objects.exists()
    assert not LinkCode.objects.exists()
