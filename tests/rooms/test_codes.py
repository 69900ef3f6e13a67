"""Invitation options: an organisation's codes made, changed, paused and rotated, by whom it is allowed."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
import time_machine
from django.test import Client
from doors import PAGE, comes, made, of_code, text_of
from world import World, signed_in

from usher.core.errors import UsherError
from usher.core.rows import new_id
from usher.events.models import Event
from usher.events.types import EventType
from usher.lifecycle.joiner import Result
from usher.methods.invite_code import codes
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.wish import Wish
from usher.organizations.models import License, Organization
from usher.people.models import Group

TYPED = {
    "role": "student",
    "starts_on": "",
    "ends_on": "2026-12-18",
    "max_uses": "400",
    "at_end": "ask",
    "domains": "cedar.example",
    "proof": "prove_first",
}


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def wrong(response: Any, field: str) -> str:
    """The sentences that stand at a field; empty when it is in order."""
    found = re.search(rf'id="id_{field}_wrong">(.*?)</ul>', response.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""


# Made and changed


def test_the_first_use_shows_one_thing_to_do(world: World, ada: Client) -> None:
    page = ada.get(PAGE)
    assert "No invite code yet" in text_of(page)
    assert page.content.count(b"btn-primary") == 1
    code = made(world)
    page = ada.get(PAGE)
    assert "No invite code yet" not in text_of(page)
    assert f"{code.code[:4]} {code.code[4:]}" in text_of(page)


def test_a_code_does_what_the_form_says(world: World, ada: Client, clock: time_machine.Traveller) -> None:
    Organization.objects.filter(id=world.cedar.id).update(time_zone="Europe/Helsinki")
    typed = TYPED | {"starts_on": "2026-03-02", "groups": [str(world.year5.id)], "needs_approval": "on"}
    answer = ada.post(f"{PAGE}/new", typed)
    code = InviteCode.objects.get()
    assert answer["Location"] == of_code(code)
    assert (code.role, code.max_uses, code.at_end, code.domains) == ("student", 400, "ask", ["cedar.example"])
    assert (code.proof, code.needs_approval, code.group) == ("prove_first", True, None)
    assert list(code.groups.all()) == [world.year5]
    # The first day begins, and the last one ends, at midnight where the organisation is.
    assert code.starts_at == dt.datetime(2026, 3, 1, 22, tzinfo=dt.UTC)
    assert code.ends_at == dt.datetime(2026, 12, 18, 22, tzinfo=dt.UTC)
    said = (
        "Whoever uses it joins as Student, in Year 5, until 18 Dec 2026. They prove an address at cedar.example first. "
        "Then they wait until you let them in. 0 of 400 uses. After that people may ask, and you decide."
    )
    assert said in text_of(ada.get(of_code(code)))
    assert 'value="2026-12-18"' in ada.get(of_code(code)).content.decode()


def test_codes_are_eight_signs_that_nobody_mistakes(world: World) -> None:
    values = {made(world).code for _ in range(20)}
    assert len(values) == 20
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{8}", value) for value in values)


def test_the_main_code_comes_first_and_pages_lead_there_and_back(world: World, ada: Client) -> None:
    values = [made(world).code for _ in range(45)]
    pages = [ada.get(PAGE).content.decode()]
    while link := re.search(r'rel="next" href="([^"]+)"', pages[-1]):
        pages.append(ada.get(link[1]).content.decode())
    shown = [re.findall(r"/join/([0-9A-Z]{8})", page) for page in pages]
    assert shown == [values[:20], values[20:40], values[40:]]
    back = re.search(r'rel="prev" href="([^"]+)"', pages[-1])
    assert back
    assert re.findall(r"/join/([0-9A-Z]{8})", ada.get(back[1]).content.decode()) == values[20:40]


REFUSED = [
    ("role", "admin", "Select a valid choice."),
    ("role", "king", "Select a valid choice."),
    ("ends_on", "2026-02-28", "The code would end before it starts."),
    ("ends_on", "next week", "Choose a day, or write it like 2026-12-18."),
    ("ends_on", "9999-12-31", "The day 9999-12-31 is too far away."),
    ("starts_on", "0001-01-01", "The day 0001-01-01 is too far away."),
    ("max_uses", "0", "A code cannot be for 0 people."),
    ("max_uses", "-3", "A code cannot be for -3 people."),
    ("max_uses", "many", "Write a whole number"),
    ("max_uses", "9" * 30, "A code cannot be for … people."),
    ("domains", "cedar", "“cedar” is not a mail domain."),
    ("domains", " ".join(["x.example"] * 51), "51 domains are too many; 50 is the most."),
    ("proof", "at_once", "“In at once” is for the plan School, the role “Student” and no e-mail domains."),
    ("at_end", "explode", "Select a valid choice."),
    ("groups", str(uuid.UUID(int=1)), "Select a valid choice."),
]


@pytest.mark.parametrize(("field", "value", "said"), REFUSED, ids=[f"{row[0]}={row[1][:12]}" for row in REFUSED])
def test_what_is_refused_names_its_field_and_keeps_what_was_typed(
    world: World, ada: Client, field: str, value: str, said: str
) -> None:
    code = made(world)
    typed = TYPED | {"starts_on": "2026-03-02", "domains": "cedar.example"} | {field: value}
    before = len(world.cedar.events())
    for address in (f"{PAGE}/new", of_code(code)):
        answer = ada.post(address, typed)
        assert answer.status_code == 400
        assert said in wrong(answer, field)
        kept = {name for name in ("starts_on", "ends_on", "max_uses", "domains") if name != field}
        assert all(f'value="{typed[name]}"' in answer.content.decode() for name in kept)
        if field in ("starts_on", "ends_on", "max_uses", "domains"):
            assert f'value="{value}"' in answer.content.decode()
    assert len(world.cedar.events()) == before
    assert InviteCode.objects.count() == 1


def test_the_role_of_an_admin_is_no_choice_and_no_accident(world: World, ada: Client) -> None:
    assert b'value="admin"' not in ada.get(f"{PAGE}/new").content
    with pytest.raises(UsherError) as no:
        made(world, Wish(role="admin"))
    assert no.value.findings[0].code == "code_for_admins"


def test_every_wrong_domain_is_named_and_the_next_step_once(ada: Client) -> None:
    answer = ada.post(f"{PAGE}/new", TYPED | {"domains": "cedar.example, cedar,example; x.invalid"})
    said = wrong(answer, "domains")
    assert all(f"“{given}” is not a mail domain." in said for given in ("cedar", "example", "x.invalid"))
    assert "“cedar.example”" not in said
    assert said.count("Write what stands after the @") == 1


def test_domains_are_kept_as_they_are_compared(world: World, ada: Client) -> None:
    ada.post(f"{PAGE}/new", TYPED | {"domains": "@Cedar.Example cedar.example, bücher.example"})
    assert InviteCode.objects.get().domains == ["cedar.example", "xn--bcher-kva.example"]


def test_a_closed_group_is_named(world: World, ada: Client) -> None:
    code = made(world, Wish(groups=frozenset({world.year5.id})))
    Group.objects.filter(id=world.year5.id).update(state="closed")
    answer = ada.post(of_code(code), TYPED | {"groups": [str(world.year5.id)]})
    assert "The group “Year 5” is closed." in wrong(answer, "groups")
    assert ada.post(of_code(code), TYPED).status_code == 302
    assert list(code.groups.all()) == []


def test_at_once_is_for_pupils_of_a_school(world: World) -> None:
    assert made(world, Wish(proof="at_once")).proof == "at_once"
    for wish in (Wish(proof="at_once", role="teacher"), Wish(proof="at_once", domains="cedar.example")):
        with pytest.raises(UsherError) as no:
            made(world, wish)
        assert [(one.code, one.column) for one in no.value.findings] == [("code_not_at_once", "proof")]
    with pytest.raises(UsherError) as no:
        codes.create(world.birch.organization, Wish(proof="at_once"), world.bob.by)
    assert no.value.findings[0].code == "code_not_at_once"


def test_a_form_offers_only_what_the_plan_has(world: World) -> None:
    assert b'name="proof"' in signed_in(world.ada).get(f"{PAGE}/new").content
    birch = signed_in(world.bob).get("/o/birch/settings/codes/new").content
    maple = signed_in(world.mia).get("/o/maple/settings/codes/new").content
    assert b'name="proof"' not in birch + maple
    assert b'name="groups"' not in maple
    assert signed_in(world.mia).post("/o/maple/settings/codes/new", TYPED | {"role": "member"}).status_code == 302
    assert "as Member, until" in text_of(signed_in(world.mia).get("/o/maple/settings/codes"))


def test_a_plan_without_codes_says_so(world: World, ada: Client) -> None:
    License.objects.filter(organization=world.cedar.id).update(overrides={"methods": ["csv_import"]})
    page = ada.get(PAGE)
    assert "The plan “School” does not include invite codes." in text_of(page)
    assert b"btn-primary" not in page.content
    answer = ada.post(f"{PAGE}/new", TYPED)
    assert answer.status_code == 400
    assert "does not include this way in" in text_of(answer)


def test_a_limit_below_the_uses_is_warned_of_and_kept(world: World, ada: Client) -> None:
    code = made(world)
    for name in ("Zoë", "Noah", "Ines"):
        assert comes(code, name).result is Result.CREATED
    answer = ada.post(of_code(code), TYPED | {"max_uses": "2", "at_end": "refuse", "domains": ""}, follow=True)
    assert "3 people came by this code already: it is used up." in text_of(answer)
    assert "Used up" in text_of(answer)
    code.refresh_from_db()
    assert (code.max_uses, code.used) == (2, 3)
    assert comes(code, "Late").reason == "code_used_up"


def test_an_unchanged_day_keeps_the_minute_that_a_lesson_set(
    world: World, ada: Client, clock: time_machine.Traveller
) -> None:
    code = made(world)
    ends = dt.datetime(2026, 3, 2, 8, 15, tzinfo=dt.UTC)
    InviteCode.objects.filter(id=code.id).update(ends_at=ends)
    assert "Until 08:15 that day" in text_of(ada.get(of_code(code)))
    ada.post(of_code(code), TYPED | {"ends_on": "2026-03-02", "max_uses": "7"})
    code.refresh_from_db()
    assert (code.max_uses, code.ends_at) == (7, ends)
    ada.post(of_code(code), TYPED | {"ends_on": "2026-03-03"})
    code.refresh_from_db()
    assert code.ends_at == dt.datetime(2026, 3, 4, tzinfo=dt.UTC)


# As one types


def test_the_sentence_follows_what_is_typed_and_nothing_is_saved(world: World, ada: Client) -> None:
    code = made(world)
    before = len(world.cedar.events())
    said = text_of(ada.post(of_code(code, "/preview"), TYPED | {"role": "teacher", "domains": "cedar.example"}))
    assert said.startswith("Not saved yet Whoever uses it joins as Teacher, in no group, until 18 Dec 2026.")
    half = text_of(
        ada.post(of_code(code, "/preview"), TYPED | {"max_uses": "many", "ends_on": "soon", "domains": "cedar"})
    )
    assert half == (
        "Not saved yet Whoever uses it joins as Student, in no group. They prove an address first. "
        "As many as there are seats."
    )
    same = {"role": "student", "at_end": "refuse", "proof": "prove_first"}
    assert text_of(ada.post(of_code(code, "/preview"), same)).startswith("Whoever uses it")
    assert "joins as Teacher" in text_of(ada.post(f"{PAGE}/new/preview", TYPED | {"role": "teacher"}))
    code.refresh_from_db()
    assert (code.role, code.max_uses, len(world.cedar.events())) == ("student", None, before)


def test_what_is_typed_never_becomes_markup(world: World, ada: Client) -> None:
    Group.objects.filter(id=world.year5.id).update(name="<img src=x>{0}")
    code = made(world, Wish(groups=frozenset({world.year5.id})))
    for page in (ada.get(of_code(code)), ada.get(PAGE), ada.get(of_code(code, "/poster"))):
        assert page.status_code == 200
        assert b"<img src=x>" not in page.content
    assert b"&lt;img src=x&gt;{0}" in ada.get(of_code(code)).content


# Paused, ended, rotated


def test_paused_lets_nobody_in_until_it_goes_on(world: World, ada: Client) -> None:
    code = made(world)
    page = ada.post(of_code(code, "/pause"), follow=True)
    assert "Paused" in text_of(page)
    assert b'class="ticket paused"' in page.content
    assert comes(code, "Early").reason == "code_paused"
    page = ada.post(of_code(code, "/resume"), follow=True)
    assert b'class="ticket paused"' not in page.content
    assert comes(code, "Later").result is Result.CREATED


@pytest.mark.parametrize(
    ("values", "state", "css", "way"),
    [
        ({"ends_on": dt.date(2026, 3, 1)}, "Ended", "ended", "Choose a later last day"),
        ({"starts_on": dt.date(2026, 3, 3)}, "Not open yet", "paused", "Choose an earlier first day"),
        ({"max_uses": 1}, "Used up", "spent", "Raise the number under “At most”"),
    ],
)
def test_a_code_that_is_not_open_says_how_to_open_it_again(
    world: World, ada: Client, clock: time_machine.Traveller, values: dict[str, Any], state: str, css: str, way: str
) -> None:
    code = made(world, Wish(**values))
    InviteCode.objects.filter(id=code.id).update(used=1)
    for page in (ada.get(PAGE), ada.get(of_code(code)), ada.get(of_code(code, "/poster"))):
        assert state in text_of(page)
        assert way in text_of(page)
    assert f'class="ticket {css}"'.encode() in ada.get(PAGE).content


def test_rotate_kills_the_old_code_at_once(world: World, ada: Client) -> None:
    shown = made(world)
    assert comes(shown, "Zoë").result is Result.CREATED
    answer = ada.post(of_code(shown, "/rotate"), follow=True)
    now = InviteCode.objects.get()
    assert now.code != shown.code
    assert (now.id, now.used) == (shown.id, 1)
    assert now.rotated_at
    assert shown.code not in answer.content.decode()
    assert comes(shown, "Noah").reason == "code_dead"
    assert comes(now, "Noah").result is Result.CREATED


def test_the_consequence_stands_before_the_button(world: World, ada: Client) -> None:
    page = text_of(ada.get(of_code(made(world))))
    assert page.index("The old one stops at once, on posters too.") < page.index("Rotate code")


# What is remembered


def test_each_change_is_one_event_and_none_is_none(world: World, ada: Client) -> None:
    answer = ada.post(f"{PAGE}/new", TYPED)
    code = InviteCode.objects.get()
    assert answer.status_code == 302
    for address, sent in (
        (of_code(code), TYPED),
        (of_code(code), TYPED | {"role": "teacher", "groups": [str(world.year5.id)]}),
        (of_code(code, "/pause"), {}),
        (of_code(code, "/pause"), {}),
        (of_code(code, "/resume"), {}),
        (of_code(code, "/rotate"), {}),
    ):
        assert ada.post(address, sent).status_code == 302
    kinds = (EventType.CODE_CREATED, EventType.CODE_CHANGED, EventType.CODE_ROTATED)
    events = world.cedar.events(*kinds)
    own = [{key: value for key, value in event.data.items() if key != "code"} for event in events]
    assert own[1:] == [
        {"role": "teacher", "groups": [str(world.year5.id)]},
        {"state": "paused"},
        {"state": "open"},
        {"role": "teacher"},
    ]
    assert own[0] == {
        "role": "student", "max_uses": 400, "at_end": "ask", "domains": ["cedar.example"], "proof": "prove_first",
        "ends_at": "2026-12-19T00:00:00+00:00",
    }  # fmt: skip
    assert {event.data["code"] for event in events} == {str(code.id)}
    assert {(event.actor_id, event.method) for event in events} == {(world.ada.account_id, "invite_code")}
    told = text_of(ada.get("/o/cedar/events"))
    assert "role Teacher, groups Year 5, by Ada Ash." in told


def test_no_event_and_no_log_holds_a_code(world: World, ada: Client, caplog: pytest.LogCaptureFixture) -> None:
    code = made(world, Wish(max_uses=1))
    values = [code.code]
    comes(code, "Zoë")
    comes(code, "Noah")
    ada.post(of_code(code), TYPED)
    ada.post(of_code(code, "/rotate"))
    values.append(InviteCode.objects.get().code)
    kept = repr([(event.data, event.personal) for event in Event.objects.all()]) + caplog.text
    assert not [value for value in values if value in kept]


# Whose


def test_codes_of_others_and_of_groups_are_not_there(world: World, ada: Client) -> None:
    foreign = codes.create(world.birch.organization, Wish(), world.bob.by)
    of_group = codes.create(world.cedar.organization, Wish(), world.ada.by, world.year5.id)
    for code in (foreign, of_group, InviteCode(id=new_id())):
        for rest in ("", "/people", "/people.csv", "/poster"):
            assert ada.get(of_code(code, rest)).status_code == 404, rest
        for rest in ("", "/pause", "/resume", "/rotate", "/preview"):
            assert ada.post(of_code(code, rest), TYPED).status_code == 404, rest
    before = (foreign.code, foreign.role, foreign.paused_at)
    foreign.refresh_from_db()
    assert (foreign.code, foreign.role, foreign.paused_at) == before
    assert of_group.code not in ada.get(PAGE).content.decode()


def test_only_admins_handle_the_organisations_codes(world: World) -> None:
    code = made(world)
    for act in (codes.pause, codes.resume, codes.rotate):
        with pytest.raises(UsherError) as no:
            act(world.cedar.organization, code.id, world.tom.by)
        assert no.value.findings[0].code == "not_your_group"
    with pytest.raises(UsherError) as no:
        codes.create(world.cedar.organization, Wish(), world.tom.by)
    assert no.value.findings[0].code == "not_your_group"
    with pytest.raises(UsherError) as no:
        codes.pause(world.birch.organization, code.id, world.bob.by)
    assert no.value.findings[0].code == "unknown_code"
