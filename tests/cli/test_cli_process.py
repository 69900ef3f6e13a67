"""The command as people start it: a process of its own, an empty data directory, pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("email,username\nzoe@cedar.example,Zoë\n,李小龙\nbroken,Nobody\n")
    return tmp_path


def usher(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As on a fresh machine: no setting but the data directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
    kept.pop("DATABASE_URL", None)
    kept |= {"USHER_DATA_DIR": str(home / "var"), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "usher", *words]
    return subprocess.run(command, cwd=home, env=kept, capture_output=True, text=True, timeout=60, check=False)


def test_from_nothing_to_an_import(home: Path) -> None:
    made = usher(home, "org", "create", "cedar", "--plan", "school", "--admin", "ada@cedar.example")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("http://127.0.0.1:8000/set-up/")
    words = ("--org", "cedar", "--role", "student", "--json")
    sent = usher(home, "import", "people.csv", *words, "--out", "userlist.csv")
    assert sent.returncode == 1, sent.stderr
    assert json.loads(sent.stdout)["created"] == 2
    assert "Importing: 3 of 3 rows" in sent.stderr
    assert "\x1b" not in sent.stderr + sent.stdout
    assert (home / "userlist.csv").stat().st_mode & 0o777 == 0o600
    assert usher(home, "check").returncode == 0
    secret = (home / "userlist.csv").read_text().splitlines()[1].split(",")[4]
    for file in (home / "var").rglob("*"):
        assert file.is_dir() or secret.encode() not in file.read_bytes(), file
        assert file.stat().st_mode & 0o077 == 0, file


def test_wrong_settings_are_a_sentence(home: Path) -> None:
    (home / "var").write_text("a file where the directory should be")
    refused = usher(home, "org", "list")
    assert refused.returncode == 2
    assert "USHER_DATA_DIR" in refused.stderr
    assert "Traceback" not in refused.stderr
