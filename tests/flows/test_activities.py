"""Activities: made and changed by an admin, by hand and by a list; who may open them; and the keys of the API."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from mailing import mails
from world import World, signed_in

from usher.activities import catalogue, lists, making, scores, texts
from usher.activities.lists import Result
from usher.activities.making import Wish
from usher.activities.models import Activity, Score
from usher.core import checks
from usher.core.errors import UsherError
from usher.events.types import OPERATOR, EventType
from usher.organizations import api_keys
from usher.organizations.models import ApiKey
from usher.people import fresh

ROOM = "/o/cedar/activities"
KEYS = "/o/cedar/settings/api-keys"
TARGET = "https://quiz.example/fractions"


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


@pytest.fixture
def quiz(world: World) -> Activity:
    return making.add(world.cedar.organization, Wish("Fractions", target_url=TARGET, is_graded=True), OPERATOR)


def codes(error: pytest.ExceptionInfo[UsherError]) -> list[tuple[str, str]]:
    return [(finding.code, finding.column) for finding in error.value.findings]


# Who may open


def test_who_may_open_what(world: World) -> None:
    """The rule for one and the rule for a list say the same."""
    cedar = world.cedar
    tess = cedar.settle("Tess Thyme", "teacher")
    people = {"ada": world.ada, "tom": world.tom, "tess": tess, "pia": world.pia, "gus": cedar.settle("Gus", "student")}
    wanted = {
        "everyone": (Wish("a", target_url=TARGET), {"ada", "tom", "tess", "pia", "gus"}),
        "staff": (Wish("b", target_url=TARGET, audience="staff"), {"ada", "tom", "tess"}),
        "year5": (Wish("c", target_url=TARGET, group=world.year5.id), {"ada", "tom", "pia"}),
        "year5 staff": (Wish("d", target_url=TARGET, group=world.year5.id, audience="staff"), {"ada", "tom"}),
    }
    made = {name: making.add(cedar.organization, wish, OPERATOR) for name, (wish, _) in wanted.items()}
    archived = making.archive(cedar.organization, made["everyone"].id, OPERATOR)
    opens = {name: {who for who in people if catalogue.may_open(made[name], people[who].membership)} for name in made}
    assert opens == {name: who for name, (_, who) in wanted.items()}
    for who, person in people.items():
        listed = {one.title for one in catalogue.open_to(person.membership)}
        assert listed == {made[name].title for name in made if who in opens[name]} - {archived.title}
        assert not catalogue.may_open(archived, person.membership)


def test_who_is_gone_or_of_another_house_opens_nothing(world: World, quiz: Activity) -> None:
    assert not catalogue.may_open(quiz, world.bob.membership)
    assert catalogue.open_to(world.bob.membership) == []
    world.pia.account.memberships.update(state="inactive")
    assert not catalogue.may_open(quiz, world.pia.membership)
    assert catalogue.open_to(world.pia.membership) == []


# What may be in one


@pytest.mark.parametrize(
    "typed",
    [
        "http://quiz.example/", "javascript:alert(1)", "//quiz.example", "quiz.example", "https://", "https://a b/",
        "https://ann:secret@quiz.example/", "https://quiz.example\\@evil.example/", "ftp://quiz.example/",
        "https://quiz.example;script-src/", "https://quiz.example:99999/", "https://quiz.example/\u202e",
        "data:text/html,x", "https://quiz.example/" + "x" * 2000, 'https://quiz.example/"',
    ],
)  # fmt: skip
def test_addresses_that_no_activity_may_have(typed: str) -> None:
    with pytest.raises(UsherError):
        texts.clean_address(typed, "target_url")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        (" https://quiz.example/käse?q=1#/lesson ", "https://quiz.example/k%C3%A4se?q=1#/lesson"),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
        ("http://127.0.0.1/x", "http://127.0.0.1/x"),
        ("http://lab.internal:81/x", "http://lab.internal:81/x"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
    ],
)
def test_addresses_that_an_activity_may_have(settings: Any, typed: str, kept: str) -> None:
    settings.USHER_PRIVATE_HOSTS = ["lab.internal:81"]
    assert texts.clean_address(typed, "target_url") == kept


def test_all_that_is_wrong_is_said_at_once(world: World) -> None:
    birds = world.birch.group("Birds")
    wish = Wish(" ", "\u202e", "http://a.example", TARGET, "chemistry_room", True, 10_001, "pupils", birds.id)
    with pytest.raises(UsherError) as error:
        making.add(world.cedar.organization, wish, OPERATOR)
    assert codes(error) == [
        ("title_missing", "title"),
        ("text_not_clean", "description"),
        ("web_address_without_tls", "picture_url"),
        ("activity_opens_two", "target_url"),
        ("maximum_not_allowed", "score_maximum"),
        ("audience_not_known", "audience"),
        ("no_such_group", "group"),
    ]
    assert not Activity.objects.exists()


def test_a_change_and_its_event_tell_what_changed(world: World, quiz: Activity) -> None:
    making.change(world.cedar.organization, quiz.id, making.with_changes(quiz, {"audience": "staff"}), OPERATOR)
    same = Activity.objects.get(id=quiz.id)
    making.change(world.cedar.organization, quiz.id, making.wish_of(same), OPERATOR)
    (event,) = world.cedar.events(EventType.ACTIVITY_CHANGED)
    assert (event.data["title"], event.data["changed"]) == ("Fractions", ["audience"])


def test_what_must_hold_is_checked(world: World, quiz: Activity) -> None:
    score = scores.put(quiz, world.pia.account_id, 5.0, OPERATOR)
    mine = [check for check in checks.everything() if check.code == "V14"]
    assert checks.run(mine).ok
    Score.objects.filter(id=score.id).update(given=101.0)
    Activity.objects.filter(id=quiz.id).update(group=world.birch.group("Birds"))
    told = " ".join(case for verdict in checks.run(mine).invariants for case in verdict.cases)
    assert "101 of 100" in told
    assert "“Fractions” is for a group of another organisation" in told


# The room


def filled(**more: object) -> dict[str, object]:
    return {
        "title": "Fractions",
        "target_url": TARGET,
        "score_maximum": "20",
        "graded": "on",
        "audience": "everyone",
    } | more


def test_an_admin_makes_changes_and_archives_one(world: World, ada: Client) -> None:
    assert "No activities yet" in ada.get(ROOM).content.decode()
    page = ada.post(f"{ROOM}/add", filled(), follow=True)
    assert "is made" in page.content.decode()
    one = Activity.objects.get()
    assert (one.title, one.score_maximum, one.is_graded, one.group) == ("Fractions", 20.0, True, None)
    here = f"{ROOM}/{one.id}"
    ada.post(f"{here}/change", filled(title="Halves", group=str(world.year5.id)))
    one.refresh_from_db()
    assert (one.title, one.group_id) == ("Halves", world.year5.id)
    scores.put(one, world.pia.account_id, 17.5, OPERATOR, comment="Nearly")
    text = ada.get(here).content.decode()
    assert "17.5 / 20" in text
    assert world.pia.account.username in text
    assert f"{here}/grades" in text
    assert "is archived" in ada.post(f"{here}/state", {"state": "archived"}, follow=True).content.decode()
    assert "Halves" not in ada.get(ROOM).content.decode()
    assert "Halves" in ada.get(f"{ROOM}?archived=1").content.decode()


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(world: World, ada: Client) -> None:
    page = ada.post(f"{ROOM}/add", filled(target_url="http://quiz.example/", description="Halves & quarters"))
    text = page.content.decode()
    assert page.status_code == 400
    assert "is not encrypted" in text
    assert "Halves &amp; quarters" in text
    assert not Activity.objects.exists()


def test_the_room_is_found_by_search_and_paged(world: World, ada: Client, quiz: Activity) -> None:
    wishes = [Wish(f"Atlas {number:03}", target_url=TARGET) for number in range(catalogue.PAGE)]
    making.add_many(world.cedar.organization, wishes, OPERATOR)
    first = ada.get(ROOM).content.decode()
    assert "Fractions" not in first
    link = re.search(r'rel="next"\s+href="([^"]+)"', first)
    assert link
    assert "Fractions" in ada.get(link[1].replace("&amp;", "&")).content.decode()
    assert "Fractions" in ada.get(f"{ROOM}?q=FRACT").content.decode()
    assert "No one matches" in ada.get(f"{ROOM}?q=zzz").content.decode()


def test_the_room_shows_where_there_is_a_use_for_it(world: World, ada: Client) -> None:
    assert f'href="{ROOM}"' in ada.get("/o/cedar/users").content.decode()
    license = world.cedar.organization.license
    license.overrides = {"methods": ["csv_import"]}
    license.save()
    assert f'href="{ROOM}"' not in ada.get("/o/cedar/users").content.decode()
    assert f'href="{ROOM}"' not in signed_in(world.pia).get("/o/cedar/").content.decode()


# Lists

CSV = """Title;Target URL;Scenario;Graded;Score maximum;Audience;Group;Colour
Fractions;https://quiz.example/fractions;;yes;7,5;;Year 5;red
'=Sums;https://quiz.example/sums;;no;;staff;;
Lab;;chemistry_room;x;;;;
;https://quiz.example/;;;;;;
Bad;http://quiz.example/;;perhaps;many;pupils;Year 9;
Lab;;chemistry_room;;;;;
"""


def sent(client: Client, content: str) -> Any:
    return client.post(f"{ROOM}/import", {"file": SimpleUploadedFile("list.csv", content.encode())})


def test_a_list_is_shown_before_it_is_done(world: World, ada: Client) -> None:
    page = sent(ada, CSV).content.decode()
    assert not Activity.objects.exists()
    assert "Make 2 activities" in page
    assert "Column “colour” is not used." in page
    assert "There is no group “Year 9” here." in page
    text = re.search(r'<textarea name="text" hidden>(.*?)</textarea>', page, re.DOTALL)
    assert text
    done = ada.post(f"{ROOM}/import", {"text": html.unescape(text[1])}, follow=True)
    assert "2 activities are made." in done.content.decode()
    made = {one.title: one for one in Activity.objects.all()}
    assert made.keys() == {"Fractions", "Lab"}
    assert (made["Fractions"].score_maximum, made["Fractions"].group_id) == (7.5, world.year5.id)
    assert (made["Lab"].scenario, made["Lab"].is_graded) == ("chemistry_room", True)
    assert len(world.cedar.events(EventType.ACTIVITY_CREATED)) == 2


def test_every_row_is_judged_as_the_form_does(world: World) -> None:
    lines = lists.judge(world.cedar.organization, lists.read(CSV.encode()))
    assert [(line.line, line.result.value) for line in lines] == [
        (2, "created"), (3, "refused"), (4, "created"), (5, "refused"), (6, "refused"), (7, "unchanged"),
    ]  # fmt: skip
    assert [(finding.code, finding.column) for finding in lines[4].findings] == [
        ("no_such_group", "group"),
        ("not_yes_or_no", "graded"),
        ("number_not_read", "score_maximum"),
        ("web_address_without_tls", "target_url"),
        ("audience_not_known", "audience"),
    ]
    assert [finding.code for finding in lines[1].findings] == ["name_looks_like_formula"]


def test_what_is_exported_is_unchanged_when_it_is_read_again(world: World, ada: Client, quiz: Activity) -> None:
    making.add(world.cedar.organization, Wish("Lab", "Two\nlines", scenario="chemistry_room"), OPERATOR)
    export: Any = ada.get(f"{ROOM}/export")
    content = b"".join(export.streaming_content)
    lines = lists.judge(world.cedar.organization, lists.read(content))
    assert [(line.wish.title, line.result) for line in lines] == [
        ("Fractions", Result.UNCHANGED),
        ("Lab", Result.UNCHANGED),
    ]
    assert lines[1].wish == making.wish_of(Activity.objects.get(title="Lab"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "file_empty"),
        ("email,name\nann@x.example,Ann\n", "file_without_title"),
        ("title,title\nA,B\n", "file_column_twice"),
        ("title,target_url\n", "file_without_rows"),
        ("title\n" + "A\n" * (lists.MOST + 1), "list_too_long"),
        ("\x89PNG" + "\0" * 50, "file_not_a_list"),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(content: str, code: str) -> None:
    with pytest.raises(UsherError) as error:
        lists.read(content.encode("latin-1"))
    assert error.value.findings[0].code == code


# Keys of the API


def test_a_key_is_shown_once_and_told_to_all_admins(world: World, ada: Client) -> None:
    page = ada.post(KEYS, {"name": "Quiz server", "scopes": ["scores", "launches"]}).content.decode()
    key = ApiKey.objects.get()
    token = re.search(r"usher_[a-z0-9]{8}_[\w-]{43}", page)
    assert token
    found = api_keys.find(token[0])
    assert found == key
    again = ada.get(KEYS).content.decode()
    assert token[0] not in again
    assert key.prefix in again
    assert key.scopes == ["scores", "launches"]
    sent_mails = mails()
    assert [mail.to for mail in sent_mails] == [[world.ada.account.email]]
    assert "Quiz server" in str(sent_mails[0].body)
    assert token[0] not in str(sent_mails[0].body)


def test_a_key_is_revoked_at_once(world: World, ada: Client) -> None:
    made = api_keys.add(world.cedar.organization, "Quiz", ["scores"], world.ada.actor)
    ada.post(f"{KEYS}/{made.key.id}/revoke")
    ada.post(f"{KEYS}/{made.key.id}/revoke")
    assert api_keys.find(made.token) is None
    assert len(world.cedar.events(EventType.API_KEY_REVOKED)) == 1
    assert "Revoked" in ada.get(KEYS).content.decode()


def test_keys_ask_for_a_fresh_sign_in(world: World, ada: Client) -> None:
    session = ada.session
    del session[fresh.PROVED_AT]
    session.save()
    for response in (ada.get(KEYS), ada.post(KEYS, {"name": "Quiz", "scopes": ["scores"]})):
        assert response["Location"].startswith(fresh.AGAIN)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({"name": " ", "scopes": ["scores"]}, "name"),
        ({"name": "x" * 61, "scopes": ["scores"]}, "name"),
        ({"name": "Quiz"}, "scopes"),
        ({"name": "Quiz", "scopes": ["everything"]}, "scopes"),
        ({"name": "Quiz", "scopes": ["scores"], "last_day": "2020-01-01"}, "last_day"),
    ],
)
def test_keys_that_cannot_be_made(world: World, ada: Client, given: dict[str, object], column: str) -> None:
    page = ada.post(KEYS, given)
    assert page.status_code == 400
    assert f'id="id_{column}_wrong"' in page.content.decode()
    assert not ApiKey.objects.exists()


def test_an_organisation_has_so_many_keys_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST", 1)
    made = api_keys.add(world.cedar.organization, "One", ["scores"], OPERATOR)
    with pytest.raises(UsherError) as error:
        api_keys.add(world.cedar.organization, "Two", ["scores"], OPERATOR)
    assert codes(error) == [("too_many_api_keys", "")]
    api_keys.revoke(world.cedar.organization, made.key.id, OPERATOR)
    api_keys.add(world.cedar.organization, "Two", ["scores"], OPERATOR)
