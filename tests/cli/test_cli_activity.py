"""usher activity and usher api-key: the same rules as on the pages, from a terminal."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from command import Usher
from world import World

from usher.activities.models import Activity
from usher.events.types import EventType
from usher.organizations import api_keys
from usher.organizations.models import ApiKey

URL = "https://quiz.example/fractions"


def test_an_activity_is_made_and_listed(world: World, usher: Usher) -> None:
    made = usher(
        "activity", "add", "--org", "cedar", "--title", "Fractions", "--url", URL, "--graded", "--maximum", "7.5",
        "--group", "year 5", "--json",
    )  # fmt: skip
    one = Activity.objects.get()
    assert made.document == {
        "id": str(one.id),
        "title": "Fractions",
        "target_url": URL,
        "scenario": "",
        "graded": True,
        "score_maximum": 7.5,
        "audience": "everyone",
        "group": "Year 5",
        "state": "open",
    }
    assert usher("activity", "list", "--org", "cedar", "--json").document == [made.document]
    assert usher("activity", "list", "--org", "birch", "--json").document == []
    assert usher("activity", "list", "--org", "cedar", "--archived", "--json").document == []
    (event,) = world.cedar.events(EventType.ACTIVITY_CREATED)
    assert event.actor_kind == "operator"


def test_what_cannot_be_made_is_said_with_its_next_step(world: World, usher: Usher) -> None:
    add = ("activity", "add", "--org", "cedar", "--title", "Lab")
    for more, said in [
        ((), "opens nothing"),
        (("--url", "http://quiz.example"), "is not encrypted"),
        (("--scenario", "nothing"), "chemistry_room"),
        (("--url", URL, "--group", "Year 9"), "no group “Year 9”"),
        (("--url", URL, "--maximum", "nan"), "more than 0"),
    ]:
        ran = usher(*add, *more)
        assert (ran.code, ran.out) == (2, ""), more
        assert said in ran.err
    assert not Activity.objects.exists()


def test_a_list_is_tried_and_then_done(world: World, usher: Usher, tmp_path: Path) -> None:
    path = tmp_path / "activities.csv"
    path.write_text(f"title,target_url,graded\nFractions,{URL},yes\nBad,,no\n")
    command = ("activity", "import", "--org", "cedar", str(path), "--json")
    tried = usher(*command, "--dry-run")
    assert tried.code == 1
    assert tried.document == [
        {"line": 2, "title": "Fractions", "result": "created", "reasons": []},
        {
            "line": 3, "title": "Bad", "result": "refused",
            "reasons": [{"code": "activity_opens_nothing", "column": "target_url"}],
        },
    ]  # fmt: skip
    assert not Activity.objects.exists()
    assert usher(*command).document == tried.document
    assert [line["result"] for line in usher(*command).document] == ["unchanged", "refused"]
    assert Activity.objects.count() == 1


def test_a_key_is_made_listed_and_revoked(world: World, usher: Usher) -> None:
    add = ("api-key", "add", "--org", "cedar", "--name", "Quiz", "--scope", "scores")
    made = usher(*add, "--scope", "launches", "--until", "2100-01-31", "--json").document
    key = api_keys.find(made["key"])
    assert key
    assert (made["scopes"], made["state"], made["last_day"]) == (["scores", "launches"], "works", "2100-01-31")
    assert key.expires_at == dt.datetime(2100, 2, 1, tzinfo=dt.UTC)
    listed = usher("api-key", "list", "--org", "cedar", "--json")
    assert listed.document == [{name: value for name, value in made.items() if name != "key"}]
    assert made["key"] not in listed.out
    assert usher("api-key", "revoke", "--org", "birch", made["prefix"]).code == 2
    assert api_keys.find(made["key"])
    assert usher("api-key", "revoke", "--org", "cedar", made["prefix"], "--json").document["state"] == "revoked"
    assert api_keys.find(made["key"]) is None


def test_a_key_is_the_only_thing_on_standard_output(world: World, usher: Usher) -> None:
    ran = usher("api-key", "add", "--org", "cedar", "--name", "Quiz", "--scope", "scores")
    assert api_keys.find(ran.out.strip()) == ApiKey.objects.get()
    assert usher("api-key", "add", "--org", "cedar", "--name", "Quiz", "--scope", "all").code == 2
