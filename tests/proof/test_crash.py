"""kill -9 in the middle of an import: nothing half done, and the same file again completes it, each person once."""

from __future__ import annotations

import csv
import io
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crew import Crew

SEATS = {"student": 11, "teacher": 5}
NEVER = 10**9
FILE = "\r\n".join(
    [
        "email,username,password,role,groups",
        *[f"p{n}@cedar.example,Pupil {n},,,Year 5" for n in range(5)],
        ",Åsa Öberg,sunny-meadow-77,,",
        ",山田,,,New",
        "p1@cedar.example,Again,,,",
        "broken@,Nobody,123,,",
        ",Åsa Öberg,,,",
        "t@cedar.example,Teacher,,teacher,Year 5|New",
        ",Headless,,king,",
        *[f"late{n}@cedar.example,Late {n},,," for n in range(8)],
    ]
)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


class Bench:
    """Imports of ``FILE`` that die at a tick, beside one that did not."""

    def __init__(self, crew: Crew, folder: Path) -> None:
        self.crew = crew
        self.folder = folder
        crew.do("set_batch", size=6)
        out = folder / "whole.csv"
        here = self._found()
        assert crew.do("import_until", out=str(out), tick=NEVER, **here) == "done"
        self.whole = crew.do("state", organization=here["organization"])
        self.ticks = int(Path(f"{out}.ticks").read_text())

    def _found(self) -> dict[str, str]:
        return {"organization": self.crew.found(seats=SEATS)["organization"], "text": FILE}

    def die_at(self, tick: int) -> None:
        """One point: killed there, nothing is broken; the file sent again makes it whole."""
        here, out = self._found(), self.folder / f"{tick}.csv"
        organization = here["organization"]
        assert self.crew.do("import_until", out=str(out), tick=tick, **here) == "killed"
        assert self.crew.do("look", organization=organization)["faults"] == [], tick
        was_finished = self.crew.do("state", organization=organization)["finished"]
        self.crew.do("begin_import", **here)
        text = self.crew.do("write_import", organization=organization)
        assert self.crew.do("state", organization=organization) == self.whole, tick
        # Finished means that the whole result had been handed over, so the passwords stand in that one.
        delivered = out.read_bytes().decode() if out.exists() else ""
        assert text.startswith(delivered) or was_finished, tick
        self.check_result(delivered if was_finished else text, organization)

    def check_result(self, text: str, organization: str) -> None:
        rows = table(text)
        assert [int(row["line"]) for row in rows] == [line for line, _, _ in self.whole["lines"]]
        assert [row["result"] for row in rows] == [result for _, result, _ in self.whole["lines"]]
        logins = [(row["sign_in"], row["password"]) for row in rows if row["result"] == "created"]
        assert all(password for _, password in logins)
        assert self.crew.do("opens", organization=organization, logins=logins) == []


@pytest.fixture(scope="module")
def bench(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(crew, tmp_path_factory.mktemp("crash"))


def test_the_file_has_every_kind_of_line(bench: Bench) -> None:
    reasons = {reason for _, _, reason in bench.whole["lines"]}
    assert reasons == {"", "duplicate_in_file", "address_incomplete", "same_name", "unknown_role", "seats_taken"}
    assert bench.whole["finished"]
    assert bench.ticks > 100


def test_killed_at_twenty_points(bench: Bench) -> None:
    step = bench.ticks / 20
    for point in range(20):
        bench.die_at(round(1 + point * step))
    assert bench.crew.do("check") == []


@pytest.mark.proof
def test_killed_at_every_point(bench: Bench) -> None:
    for tick in range(1, bench.ticks + 1):
        bench.die_at(tick)
    assert bench.crew.do("check") == []


@pytest.mark.proof
def test_killed_again_and_again(bench: Bench) -> None:
    """Each run of the file dies a little later than the one before; the last one is let through."""
    here = bench._found()
    for tick in range(5, bench.ticks, 7):
        bench.crew.do("import_until", out=str(bench.folder / "again.csv"), tick=tick, **here)
        assert bench.crew.do("look", organization=here["organization"])["faults"] == [], tick
    bench.crew.do("begin_import", **here)
    bench.crew.do("write_import", organization=here["organization"])
    assert bench.crew.do("state", organization=here["organization"]) == bench.whole


# The command itself


def usher(crew: Crew, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "usher", *arguments],
        env=crew.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_once_it_writes(process: subprocess.Popen[bytes], part: Path, after: float) -> None:
    while process.poll() is None and not (part.exists() and part.stat().st_size):
        time.sleep(0.005)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.proof)])
def test_the_command_killed_at_any_moment(crew: Crew, tmp_path: Path, kills: int) -> None:
    dice, rows = random.Random(kills), 1500
    source = tmp_path / "people.csv"
    source.write_text("username\n" + "".join(f"Pupil {n}\n" for n in range(rows)))
    for number in range(kills):
        ids = crew.found(seats={"student": rows, "teacher": 5})
        out = tmp_path / f"{number}.csv"
        order = ("import", str(source), "--org", ids["slug"], "--role", "student", "--out", str(out))
        part = out.with_name(f"{out.name}.part")
        kill_once_it_writes(usher(crew, *order), part, dice.random() * 0.2)
        partial = part.read_text() if part.exists() else ""
        assert crew.do("look", organization=ids["organization"])["faults"] == []
        assert out.exists() or usher(crew, *order).wait(60) == 0
        lines = table(out.read_text())
        assert len({line["sign_in"] for line in lines}) == len(lines) == rows
        assert out.read_text().startswith(partial.rpartition("\n")[0])
        assert crew.do("look", organization=ids["organization"])["used"]["student"] == rows
    assert crew.do("check") == []
