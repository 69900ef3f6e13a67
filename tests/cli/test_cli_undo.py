"""usher imports and usher undo: the list with its ids, the dry run, the undo, and what stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import time_machine
from command import Usher
from world import BY_OPERATOR, World

from usher.lifecycle.move import move
from usher.people.models import Membership


@pytest.fixture
def sent(usher: Usher, world: World, tmp_path: Path) -> str:
    """The id of an import of three people; before it two accounts were made."""
    source = tmp_path / "list.csv"
    source.write_text("username\nZoë\nBo\nCy\n")
    order = ("--org", "cedar", "--role", "student", "--out")
    assert usher("create-accounts", "--count", 2, *order, tmp_path / "made.csv").code == 0
    assert usher("import", source, *order, tmp_path / "out.csv").code == 0
    newest = usher("imports", "--org", "cedar", "--json").document[0]
    return str(newest["id"])


def names() -> set[str]:
    return set(Membership.objects.values_list("account__username", flat=True))


def test_the_list_has_what_undo_wants_to_know(usher: Usher, sent: str) -> None:
    told = usher("imports", "--org", "cedar", "--json").document
    assert [(one["id"] == sent, one["method"], one["name"], one["came"], one["state"]) for one in told] == [
        (True, "csv_import", "list.csv", 3, "done"),
        (False, "bulk_accounts", "2 accounts", 2, "done"),
    ]
    assert told[0]["by"] is None
    assert told[0]["undo_until"]
    text = usher("imports", "--org", "cedar").out
    assert sent in text
    assert "the operator" in text
    assert len(usher("imports", "--org", "cedar", "--most", 1, "--json").document) == 1
    assert usher("imports", "--org", "birch", "--json").document == []


def test_a_dry_run_says_who_goes_and_removes_nobody(usher: Usher, world: World, sent: str) -> None:
    move(world.cedar.id, Membership.objects.get(account__username="Zoë").id, "teacher", BY_OPERATOR)
    before = names()
    told = usher("undo", "last", "--org", "cedar", "--dry-run", "--json")
    assert told.code == 0
    assert told.document | {"seconds": 0} == {
        "id": sent,
        "name": "list.csv",
        "removed": 2,
        "stay": 1,
        "reasons": {"stays_changed": 1},
        "ended": False,
        "seconds": 0,
        "who_stays": [{"sign_in": "zoe@cedar.usher.invalid", "username": "Zoë", "reason": "stays_changed"}],
    }
    assert names() == before
    said = usher("undo", sent, "--org", "cedar", "--dry-run")
    assert "2 people would be removed." in said.out
    assert "1 person stays:" in said.out
    assert "Role changed" in said.out
    assert "Nothing was written" in said.err


def test_undo_and_again(usher: Usher, sent: str) -> None:
    assert usher("undo", sent, "--org", "cedar").out.startswith("3 people are removed.")
    assert not {"Zoë", "Bo", "Cy"} & names()
    assert usher("imports", "--org", "cedar", "--json").document[0]["state"] == "undone"
    assert usher("undo", sent, "--org", "cedar", "--json").document["removed"] == 0
    assert usher("undo", "last", "--org", "cedar", "--json").document["name"] == "2 accounts"
    assert usher("undo", "last", "--org", "cedar").code == 2
    assert usher("check").code == 0


@pytest.mark.parametrize("wrong", ["last", "nothing", "01a20373-efb1-779d-8de9-20a31acb7258"])
def test_what_is_not_there_is_said(usher: Usher, world: World, wrong: str) -> None:
    told = usher("undo", wrong, "--org", "cedar")
    assert told.code == 2
    assert f"There is no import “{wrong}” here" in told.err
    assert "usher imports --org cedar" in told.err


def test_another_organisations_import_is_not_there(usher: Usher, sent: str) -> None:
    assert usher("undo", sent, "--org", "birch").code == 2
    assert "Zoë" in names()


def test_after_thirty_days_it_says_no(
    usher: Usher, world: World, clock: time_machine.Traveller, tmp_path: Path
) -> None:
    assert (
        usher("create-accounts", "--org", "cedar", "--role", "student", "--count", 1, "--out", tmp_path / "a").code == 0
    )
    run_id = usher("imports", "--org", "cedar", "--json").document[0]["id"]
    clock.move_to("2026-04-02T08:00:00+00:00")
    told = usher("undo", run_id, "--org", "cedar")
    assert told.code == 2
    assert "This could be undone until" in told.err
    assert usher("imports", "--org", "cedar", "--json").document[0]["undo_until"] is None
