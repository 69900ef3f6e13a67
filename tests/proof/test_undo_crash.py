"""kill -9 in the middle of an undo: nothing half done, and the same undo again takes the rest, each person once."""

from __future__ import annotations

from pathlib import Path

import pytest
from crew import Crew

NEVER = 10**9
PEOPLE = 7
FILE = "username,groups\n" + "".join(f"Pupil {n},Choir{'|New' if n % 2 else ''}\n" for n in range(PEOPLE))
STAYS = 1


class Bench:
    """Undos of one file's import that die at a tick, beside one that did not."""

    def __init__(self, crew: Crew, folder: Path) -> None:
        self.crew, self.folder = crew, folder
        crew.do("set_undo_batch", size=3)
        out = folder / "whole"
        here = self._sent()
        assert crew.do("undo_until", out=str(out), tick=NEVER, **here) == "done"
        self.whole = crew.do("what_is_left", **here)
        self.ticks = int(Path(f"{out}.ticks").read_text())

    def _sent(self) -> dict[str, str]:
        """An import of which one person was changed since."""
        organization = self.crew.found(seats={"student": 50, "teacher": 5})["organization"]
        assert self.crew.do("import_now", organization=organization, text=FILE) == ["created"] * PEOPLE
        self.crew.do("make_accounts", organization=organization, count=1)
        run = self.crew.do("oldest_run", organization=organization)
        self.crew.do("change_one", organization=organization)
        return {"organization": organization, "run": run}

    def die_at(self, tick: int) -> None:
        """One point: killed there, nothing is broken; asked for again, the undo does the rest."""
        here = self._sent()
        assert self.crew.do("undo_until", out=str(self.folder / str(tick)), tick=tick, **here) == "killed"
        assert self.crew.do("look", organization=here["organization"])["faults"] == [], tick
        left = self.crew.do("what_is_left", **here)
        assert left["undone"] == left["gone"] <= PEOPLE - STAYS, tick
        self.crew.do("undo_run", **here)
        assert self.crew.do("what_is_left", **here) == self.whole, tick
        assert self.crew.do("look", organization=here["organization"])["faults"] == [], tick


@pytest.fixture(scope="module")
def bench(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(crew, tmp_path_factory.mktemp("undo"))


def test_the_whole_undo(bench: Bench) -> None:
    assert (bench.whole["state"], bench.whole["gone"], bench.whole["told"]) == ("undone", PEOPLE - STAYS, 1)
    assert bench.ticks > 50


def test_killed_at_ten_points(bench: Bench) -> None:
    step = bench.ticks / 10
    for point in range(10):
        bench.die_at(round(1 + point * step))
    assert bench.crew.do("check") == []


@pytest.mark.proof
def test_killed_at_every_point(bench: Bench) -> None:
    for tick in range(1, bench.ticks + 1):
        bench.die_at(tick)
    assert bench.crew.do("check") == []
