"""The operator's pages: organisations, the look across them, and the switches of the server."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from recount import broken
from world import World, class_list, known, signed_in, somebody

from usher.core import clock as clocks
from usher.core import switches
from usher.core.models import Mail
from usher.events.models import Event
from usher.events.types import OPERATOR, EventType
from usher.lifecycle import deletion
from usher.lifecycle.models import Erasure
from usher.methods.invite_code.models import InviteCode
from usher.organizations import overview
from usher.organizations.create import create
from usher.organizations.models import License, OldSlug, Organization, SeatPool
from usher.people import claim, lookup
from usher.people.addresses import parse_address
from usher.people.models import Account, Membership, OneTimeLink

T = EventType
SEEN = re.compile(r'<a href="/operator/organizations/([0-9a-f-]{36})"><bdi>([^<]+)')


@pytest.fixture
def olga(world: World) -> Client:
    return signed_in(world.olga)


def text_of(response: Any) -> str:
    """The page as it reads, without its tags."""
    text = unescape(re.sub("<[^>]*>", " ", response.content.decode()))
    return " ".join(text.split())


def listed(browser: Client, query: str = "") -> list[str]:
    page = browser.get(f"/operator/{query}")
    assert page.status_code == 200
    return [name for _id, name in SEEN.findall(page.content.decode())]


def page_of(world: World, what: str = "") -> str:
    return f"/operator/organizations/{world.cedar.id}{what}"


def cedar(world: World) -> Organization:
    return Organization.objects.select_related("license").get(id=world.cedar.id)


def latest(*kinds: EventType) -> Event:
    return Event.objects.filter(type__in=kinds).order_by("id").reverse()[0]


def by_olga(world: World, event: Event) -> bool:
    """Told to the organisation as “the operator”, and yet it is known who it was."""
    return (event.actor_kind, event.actor_id) == ("operator", world.olga.account_id)


# The list


def test_the_list_shows_every_organisation_with_its_seats(world: World, olga: Client) -> None:
    page = text_of(olga.get("/operator/"))
    assert listed(olga) == ["Birch", "Cedar School", "Maple Press"]
    assert "Cedar School cedar Active School Students 1 of 500 Teachers 2 of 40" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=school", ["Cedar School"]),
        ("?q=MAPLE", ["Maple Press"]),
        ("?q=ce", ["Cedar School"]),
        ("?q=old-cedar", ["Cedar School"]),
        ("?q=nobody", []),
        ("?plan=elearning", ["Birch"]),
        ("?plan=gold", ["Birch", "Cedar School", "Maple Press"]),
        ("?state=active", ["Cedar School"]),
        ("?state=suspended", ["Birch"]),
        ("?state=deleting", ["Maple Press"]),
        ("?state=deleting&q=cedar", []),
        ("?q=%00", None),
    ],
)
def test_the_list_is_searched_and_filtered(world: World, olga: Client, query: str, found: list[str] | None) -> None:
    OldSlug.objects.create(slug="old-cedar", organization=world.cedar.organization, at=clocks.now())
    Organization.objects.filter(slug="birch").update(suspended_at=clocks.now())
    Organization.objects.filter(slug="maple").update(delete_on=dt.date(2026, 5, 1))
    if found is None:
        assert olga.get(f"/operator/{query}").status_code == 400
    else:
        assert listed(olga, query) == found


def test_the_list_goes_on_page_by_page_and_back(world: World, olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview.page, "__kwdefaults__", {"after": "", "before": "", "size": 2})
    pages, address = [], ""
    for way in ("next", "next", "prev", "prev"):
        pages.append(listed(olga, address))
        found = re.search(rf'rel="{way}"\s+href="/operator/([^"]+)"', olga.get(f"/operator/{address}").content.decode())
        if found is None:
            break
        address = unescape(found[1])
    assert pages == [["Birch", "Cedar School"], ["Maple Press"]]
    back = re.search(r'rel="prev"\s+href="/operator/([^"]+)"', olga.get(f"/operator/{address}").content.decode())
    assert back
    assert listed(olga, unescape(back[1])) == ["Birch", "Cedar School"]


def test_the_list_asks_as_much_for_a_thousand_people_as_for_one(world: World, olga: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert olga.get("/operator/").status_code == 200
        of_members = [one["sql"] for one in asked.captured_queries if "people_membership" in one["sql"]]
        assert all("account_id" in sql for sql in of_members), "of the operator alone, for the menu"
        return len(asked)

    before = cost()
    world.cedar.add_many(class_list(40))
    create("oak", "Oak", "school", actor=OPERATOR)
    assert cost() == before


def test_a_licence_that_ended_is_marked(world: World, olga: Client) -> None:
    License.objects.filter(organization=world.cedar.id).update(ends_on=dt.date(2020, 1, 31))
    assert "31 Jan 2020 ended" in text_of(olga.get("/operator/"))


# A new one

NEW = {
    "name": "Oak School", "slug": "oak", "admin": "ivy@oak.example", "plan": "school", "seats_school_student": "60",
    "ends_on": "2027-07-31",
}  # fmt: skip


def test_an_organisation_is_made_and_the_link_shown_once(world: World, olga: Client) -> None:
    made = olga.post("/operator/organizations/new", NEW)
    assert made.status_code == 200
    link = re.search(r"http\S+/set-up/([\w-]{20,})", made.content.decode())
    assert link
    assert link[1] not in OneTimeLink.objects.get().token_hash
    assert "no-store" in made["Cache-Control"]
    oak = Organization.objects.get(slug="oak")
    assert oak.license.ends_on == dt.date(2027, 7, 31)
    assert dict(oak.pools.values_list("pool", "limit")) == {"student": 60, "teacher": 40}
    event = Event.objects.get(type=T.ORGANIZATION_CREATED, organization_id=oak.id)
    assert by_olga(world, event)
    assert link[1] not in str(list(Event.objects.values()))
    shown = olga.get(f"/operator/organizations/{oak.id}")
    assert link[1] not in shown.content.decode()
    visitor = Client()
    own = {"password": "violet-harbor-7351", "again": "violet-harbor-7351"}
    assert visitor.post(f"/set-up/{link[1]}", own).status_code == 302
    assert visitor.get("/o/oak/users").status_code == 200


def test_seats_left_empty_are_the_plans_own(world: World, olga: Client) -> None:
    assert olga.post("/operator/organizations/new", {**NEW, "plan": "elearning"}).status_code == 200
    pools = Organization.objects.get(slug="oak").pools
    assert dict(pools.values_list("pool", "limit")) == {"learner": 250, "creator": 10}


def test_somebody_with_an_account_of_his_own_needs_no_link(world: World, olga: Client) -> None:
    made = olga.post("/operator/organizations/new", {**NEW, "admin": world.eve.account.email})
    assert "The admin has an account already." in text_of(made)
    assert not OneTimeLink.objects.exists()
    assert Membership.objects.get(organization__slug="oak").account_id == world.eve.account_id


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"slug": "cedar"}, 409, "The short name “cedar” is or was in use."),
        ({"slug": "Oak!"}, 400, "The short name “Oak!” is not allowed."),
        ({"admin": "ivy@oak"}, 400, "The address “ivy@oak” is not complete."),
        ({"starts_on": "2027-08-01"}, 400, "before it starts on 1 Aug 2027"),
        ({"seats_school_teacher": "0"}, 409, "All 0 teacher seats are taken."),
        ({"plan": "gold"}, 400, "gold"),
        ({"ends_on": "soon"}, 400, "valid date"),
        ({"seats_school_teacher": "-1"}, 400, "greater than or equal to 0"),
        ({"name": "Oak\u202eSchool"}, 400, "hidden characters"),
    ],
)
def test_what_was_typed_stays_when_it_is_refused(
    world: World, olga: Client, given: dict[str, str], status: int, said: str
) -> None:
    before = Organization.objects.count(), Account.objects.count()
    refused = olga.post("/operator/organizations/new", {**NEW, **given})
    assert refused.status_code == status
    assert said in text_of(refused)
    assert 'value="60"' in refused.content.decode()
    assert (Organization.objects.count(), Account.objects.count()) == before


# One organisation


def test_one_organisation_with_its_admins_and_what_happened(world: World, olga: Client) -> None:
    page = text_of(olga.get(page_of(world)))
    for part in ("Cedar School", "ada@cedar.example", "New set-up link", "Organisation made" and "Joined"):
        assert part in page
    assert "tom@cedar.example" not in page, "only its admins"


def test_one_that_nobody_has_is_not_there(world: World, olga: Client) -> None:
    nowhere = f"/operator/organizations/{uuid.uuid4()}"
    assert olga.get(nowhere).status_code == 404
    for act in ("licence", "plan", "ways", "trusted", "suspend", "resume", "delete", "keep"):
        assert olga.post(f"{nowhere}/{act}", {"why": "x", "slug": "cedar"}).status_code == 404, act


def test_seats_and_dates(world: World, olga: Client) -> None:
    given = {"seats_student": "600", "seats_teacher": "2", "starts_on": "2026-01-01", "ends_on": "2027-07-31"}
    assert olga.post(page_of(world, "/licence"), given).status_code == 302
    license = cedar(world).license
    assert (license.starts_on, license.ends_on) == (dt.date(2026, 1, 1), dt.date(2027, 7, 31))
    assert (world.cedar.seats("student").limit, world.cedar.seats("teacher").limit) == (600, 2)
    event = latest(T.LICENSE_CHANGED)
    assert event.data == {
        "seats": {"student": 600, "teacher": 2}, "starts_on": "2026-01-01", "ends_on": "2027-07-31",
    }  # fmt: skip
    assert by_olga(world, event)
    assert "by the operator" in text_of(signed_in(world.ada).get("/o/cedar/events"))


def test_dates_are_cleared_by_leaving_them_empty(world: World, olga: Client) -> None:
    License.objects.filter(organization=world.cedar.id).update(ends_on=dt.date(2020, 1, 1))
    given = {"seats_student": "500", "seats_teacher": "40", "starts_on": "", "ends_on": ""}
    assert olga.post(page_of(world, "/licence"), given).status_code == 302
    assert cedar(world).license.ends_on is None
    assert latest(T.LICENSE_CHANGED).data == {"ends_on": None}


def test_nothing_different_is_no_event(world: World, olga: Client) -> None:
    given = {"seats_student": "500", "seats_teacher": "40"}
    assert olga.post(page_of(world, "/licence"), given).status_code == 302
    assert not Event.objects.filter(type=T.LICENSE_CHANGED).exists()


def test_a_licence_that_ends_before_it_starts_is_refused(world: World, olga: Client) -> None:
    given = {"seats_student": "7", "seats_teacher": "40", "starts_on": "2027-01-02", "ends_on": "2027-01-01"}
    refused = olga.post(page_of(world, "/licence"), given)
    assert refused.status_code == 400
    assert "The licence would end on 1 Jan 2027, before it starts on 2 Jan 2027." in text_of(refused)
    assert 'value="7"' in refused.content.decode()
    assert world.cedar.seats("student").limit == 500


# Another plan


def test_a_plan_that_lacks_roles_of_people_is_refused_with_their_number(world: World, olga: Client) -> None:
    world.cedar.add_many(class_list(2))
    Membership.objects.filter(account=world.tom.account_id).update(state="inactive")
    refused = olga.post(page_of(world, "/plan"), {"plan": "elearning"})
    assert refused.status_code == 409
    assert "The plan “eLearning” lacks roles that people here bear: 3 × student, 1 × teacher." in text_of(refused)
    assert cedar(world).license.plan_slug == "school"


def test_another_plan_begins_with_its_own_seats_and_ways_in(world: World, olga: Client) -> None:
    License.objects.filter(organization=world.birch.id).update(overrides={"methods": ["csv_import"]})
    address = f"/operator/organizations/{world.birch.id}/plan"
    assert olga.post(address, {"plan": "school"}).status_code == 302
    license = License.objects.get(organization=world.birch.id)
    assert (license.plan_slug, license.overrides) == ("school", {})
    pools = SeatPool.objects.filter(organization=world.birch.id)
    assert {pool.pool: (pool.limit, pool.used) for pool in pools} == {"student": (500, 0), "teacher": (40, 1)}
    assert broken() == []
    assert latest(T.LICENSE_CHANGED).data["plan"] == "school"
    assert signed_in(world.bob).get("/o/birch/users").status_code == 200


def test_the_same_plan_again_is_nothing(world: World, olga: Client) -> None:
    world.cedar.seats("student", 7)
    assert olga.post(page_of(world, "/plan"), {"plan": "school"}).status_code == 302
    assert world.cedar.seats("student").limit == 7
    assert not Event.objects.filter(type=T.LICENSE_CHANGED).exists()


# Ways in


def every_way(world: World) -> list[str]:
    return [method.value for method in cedar(world).license.plan.methods]


def test_a_way_in_is_taken_away_and_given_back(world: World, olga: Client) -> None:
    ways = every_way(world)
    without = [way for way in ways if way != "csv_import"]
    License.objects.filter(organization=world.cedar.id).update(overrides={"initial_password": {"teacher": {}}})
    assert olga.post(page_of(world, "/ways"), {"methods": without, "groups": "on"}).status_code == 302
    assert world.cedar.add(somebody("Nina")).reason == "method_not_in_plan"
    assert set(latest(T.LICENSE_CHANGED).data) == {"methods"}
    assert olga.post(page_of(world, "/ways"), {"methods": ways, "groups": "on"}).status_code == 302
    assert world.cedar.add(somebody("Nina")).membership_id
    assert cedar(world).license.overrides == {"initial_password": {"teacher": {}}}


def test_groups_are_taken_away(world: World, olga: Client) -> None:
    assert olga.post(page_of(world, "/ways"), {"methods": every_way(world)}).status_code == 302
    assert world.cedar.add(somebody("Nina", groups=("Year 5",))).reason == "no_groups_in_plan"
    assert latest(T.LICENSE_CHANGED).data == {"with_groups": False}
    assert broken() == []


def test_a_way_that_does_not_exist_is_refused(world: World, olga: Client) -> None:
    assert olga.post(page_of(world, "/ways"), {"methods": ["telepathy"], "groups": "on"}).status_code == 400
    assert cedar(world).license.overrides == {}


# The mark


def test_the_mark_of_those_the_operator_knows(world: World, olga: Client) -> None:
    assert olga.post(page_of(world, "/trusted"), {"trusted": "1"}).status_code == 302
    assert cedar(world).trusted_at
    assert latest(T.ORGANIZATION_CHANGED).data == {"trusted": True}
    olga.post(page_of(world, "/trusted"), {"trusted": "1"})
    assert Event.objects.filter(type=T.ORGANIZATION_CHANGED).count() == 1
    olga.post(page_of(world, "/trusted"), {"trusted": "0"})
    assert cedar(world).trusted_at is None


# Admins


def test_a_new_set_up_link_ends_the_old_one(world: World, olga: Client) -> None:
    address = page_of(world, f"/admins/{world.ada.membership_id}/link")
    links = [re.findall(r"/set-up/([\w-]{20,})", olga.post(address).content.decode())[0] for _ in range(2)]
    assert Client().get(f"/set-up/{links[0]}").status_code == 410
    assert Client().get(f"/set-up/{links[1]}").status_code == 200
    assert by_olga(world, latest(T.SETUP_LINK_CREATED))


def test_an_account_of_ones_own_gets_no_link_from_the_operator(world: World, olga: Client) -> None:
    """Whoever holds the link chooses the password; such an account may belong to other organisations too."""
    claim.claim(world.ada.account, parse_address("ada@cedar.example"))
    refresh = world.ada.account
    refresh.set_password("violet-harbor-7351")
    refresh.save()
    assert "New set-up link" not in text_of(olga.get(page_of(world)))
    refused = olga.post(page_of(world, f"/admins/{world.ada.membership_id}/link"))
    assert refused.status_code == 403
    assert not OneTimeLink.objects.filter(consumed_at=None).exists()


def test_no_link_for_who_is_no_admin_there(world: World, olga: Client) -> None:
    for member in (world.tom, world.bob):
        assert olga.post(page_of(world, f"/admins/{member.membership_id}/link")).status_code == 404
    assert not OneTimeLink.objects.exists()


# Suspend, resume, delete, keep


def test_suspended_with_a_reason_and_resumed(world: World, olga: Client) -> None:
    assert olga.post(page_of(world, "/suspend"), {"why": " "}).status_code == 400
    assert not cedar(world).is_suspended
    assert olga.post(page_of(world, "/suspend"), {"why": "Unpaid\nsince August"}).status_code == 302
    page = text_of(olga.get(page_of(world)))
    assert "Every door of it is shut" in page
    assert "By the operator: Unpaid since August." in page
    event = latest(T.ORGANIZATION_SUSPENDED)
    assert by_olga(world, event)
    assert (event.data, event.personal) == ({}, {"why": "Unpaid since August"})
    assert olga.post(page_of(world, "/resume")).status_code == 302
    assert not cedar(world).is_suspended


@pytest.mark.parametrize("typed", ["", "Cedar", "birch", "Cedar School"])
def test_nothing_is_deleted_before_its_short_name_is_typed(world: World, olga: Client, typed: str) -> None:
    refused = olga.post(page_of(world, "/delete"), {"slug": typed})
    assert refused.status_code == 400
    assert cedar(world).delete_on is None
    if typed:
        assert f"“{typed}” is not the short name of this organisation. Type “cedar” to delete it." in text_of(refused)


def test_deleted_later_and_kept(world: World, olga: Client, clock: time_machine.Traveller) -> None:
    browser = signed_in(world.olga)
    assert browser.post(page_of(world, "/delete"), {"slug": "cedar"}).status_code == 302
    assert cedar(world).delete_on == dt.date(2026, 4, 1)
    assert latest(T.ORGANIZATION_DELETION_PLANNED).data == {"delete_on": "2026-04-01"}
    assert "Deleted after 1 Apr 2026." in text_of(browser.get(page_of(world)))
    assert browser.post(page_of(world, "/keep")).status_code == 302
    assert cedar(world).delete_on is None
    assert not Erasure.objects.exists()


def test_once_the_erasing_has_begun_keeping_is_refused(world: World, olga: Client) -> None:
    deletion.plan(cedar(world), OPERATOR)
    Erasure.objects.update(begun_at=clocks.now())
    assert "is being deleted right now" in text_of(olga.get(page_of(world)))
    refused = olga.post(page_of(world, "/keep"))
    assert refused.status_code == 409
    assert "nothing stops it any more" in text_of(refused)


# Search


def looked_up(world: World) -> list[uuid.UUID | None]:
    events = Event.objects.filter(type=T.OPERATOR_LOOKED_UP).order_by("id")
    assert all(by_olga(world, event) and event.organization_id is None for event in events)
    return [event.account_id for event in events]


@pytest.mark.parametrize("typed", ["pia@cedar.example", " PIA@Cedar.example ", "pia@ced", "{id}"])
def test_somebody_is_found_by_address_by_its_beginning_or_by_id(world: World, olga: Client, typed: str) -> None:
    typed = typed.format(id=world.pia.account_id)
    page = olga.get("/operator/search", {"q": typed})
    assert "Pia Pine" in text_of(page)
    assert "Cedar School" in text_of(page)
    assert looked_up(world) == [world.pia.account_id]
    assert world.pia.account.password not in page.content.decode()


def test_all_memberships_are_shown_and_every_account_of_an_address(world: World, olga: Client) -> None:
    world.cedar.add(known(world.eve, "teacher"))
    world.birch.add(known(world.eve, "learner"))
    for house in (world.cedar, world.birch):
        house.add(somebody("Sam", house.organization.license.plan.lowest.slug, email="sam@home.example"))
    Organization.objects.filter(id=world.birch.id).update(suspended_at=clocks.now())
    page = text_of(olga.get("/operator/search", {"q": "eve@elsewhere.example"}))
    assert "Birch Organisation suspended Learner" in page
    assert "Cedar School Never signed in Teacher" in page
    assert "The person's own" in page
    page = text_of(olga.get("/operator/search", {"q": "sam@home.example"}))
    assert "Made by Cedar School" in page
    assert "Made by Birch" in page
    assert len(looked_up(world)) == 3


def test_a_made_sign_in_name_is_found_by_what_stands_before_the_at(world: World, olga: Client) -> None:
    world.cedar.add(somebody("Åsa Öberg"))
    assert "Åsa Öberg" in text_of(olga.get("/operator/search", {"q": "asa.oberg"}))


@pytest.mark.parametrize(
    "typed", ["Pia", "pi", "pine", "%", "nobody@home.example", str(uuid.UUID(int=7)), "\u202e", "'--"]
)
def test_names_of_people_are_not_searched_and_nothing_is_told(world: World, olga: Client, typed: str) -> None:
    """“Pia” begins a sign-in name too: that is one account, and not all the Pias there are."""
    world.birch.add(somebody("Pia Pine", "learner", email="other@birch.example"))
    page = olga.get("/operator/search", {"q": typed})
    assert page.status_code == 200
    assert "other@birch.example" not in text_of(page)
    assert looked_up(world) == ([world.pia.account_id] if typed == "Pia" else [])


def test_many_who_begin_alike_are_cut_off(world: World, olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "SHOWN", 3)
    world.cedar.add_many(class_list(5))
    page = text_of(olga.get("/operator/search", {"q": "pupil"}))
    assert "More than 3 sign-in names begin so." in page
    assert len(looked_up(world)) == 3


def test_an_empty_search_asks_nothing(world: World, olga: Client) -> None:
    assert olga.get("/operator/search").status_code == 200
    assert olga.get("/operator/search", {"q": "   "}).status_code == 200
    assert looked_up(world) == []


@pytest.mark.parametrize("typed", ["7K4M29QX", "7k4m-29qx", "7K4M 29QX", "http://testserver/join/7K4M29QX"])
def test_a_poster_tells_the_operator_whose_it_is(world: World, olga: Client, typed: str) -> None:
    code = InviteCode.objects.create(
        organization=world.cedar.organization, group=world.year5, code="7K4M29QX", role="student"
    )
    page = text_of(olga.get("/operator/search", {"q": typed}))
    assert "Organisation Cedar School Group Year 5 State It works" in page
    event = latest(T.OPERATOR_LOOKED_UP)
    assert event.data == {"code": str(code.id)}
    assert "7K4M29QX" not in str(list(Event.objects.values()))


# The server


def test_registration_is_opened_and_closed(world: World, olga: Client) -> None:
    assert "Closed: who registers needs an invite code" in text_of(olga.get("/operator/settings"))
    for is_open in (True, False):
        sent = {"open": "1" if is_open else "0"}
        assert olga.post("/operator/settings/registration", sent).status_code == 302
        assert switches.is_on(switches.OPEN_REGISTRATION) is is_open
        event = latest(T.SERVER_CHANGED)
        assert event.data == {"open_registration": is_open}
        assert by_olga(world, event)
    olga.post("/operator/settings/registration", {"open": "0"})
    assert Event.objects.filter(type=T.SERVER_CHANGED).count() == 2


def test_the_outbox_is_let_go_on_after_a_restore(world: World, olga: Client) -> None:
    assert "Mail goes out" in text_of(olga.get("/operator/settings"))
    switches.turn(switches.OUTBOX_PAUSED, on=True)
    Mail.objects.create(kind="asks", to="", failure="ConnectionRefusedError: no server")
    page = text_of(olga.get("/operator/settings"))
    assert "Paused since the restore" in page
    assert "1 mail waits." in page
    assert "ConnectionRefusedError: no server" in page
    assert olga.post("/operator/settings/outbox").status_code == 302
    assert not switches.is_on(switches.OUTBOX_PAUSED)
    assert latest(T.SERVER_CHANGED).data == {"outbox_paused": False}


# Proving oneself again


def test_what_hands_out_or_takes_away_most_wants_a_fresh_proof(world: World, clock: time_machine.Traveller) -> None:
    olga = signed_in(world.olga)
    clock.shift(dt.timedelta(minutes=30))
    link = page_of(world, f"/admins/{world.ada.membership_id}/link")
    for response in (
        olga.get("/operator/organizations/new"),
        olga.post("/operator/organizations/new", NEW),
        olga.post(page_of(world, "/delete"), {"slug": "cedar"}),
        olga.post(link),
    ):
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/again")
    assert cedar(world).delete_on is None
    assert not OneTimeLink.objects.exists()
    assert olga.get("/operator/").status_code == 200


# The way there


def test_an_operator_finds_the_way_from_home(world: World, olga: Client) -> None:
    assert 'href="/operator/"' in olga.get("/home").content.decode()
    assert 'href="/operator/"' not in signed_in(world.eve).get("/home").content.decode()


def test_an_operator_who_is_a_member_finds_it_in_the_rail(world: World) -> None:
    assert 'href="/operator/"' not in signed_in(world.ada).get("/o/cedar/").content.decode()
    Account.objects.filter(id=world.ada.account_id).update(is_operator=True, claimed_at=clocks.now(), home=None)
    browser = signed_in(world.ada)
    assert 'href="/operator/"' in browser.get("/o/cedar/").content.decode()
    assert browser.get("/operator/").status_code == 200


def test_who_is_no_operator_any_more_is_out_at_once(world: World, olga: Client) -> None:
    Account.objects.filter(id=world.olga.account_id).update(is_operator=False)
    assert olga.get("/operator/").status_code == 404
