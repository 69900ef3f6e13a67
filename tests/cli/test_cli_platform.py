"""usher check and usher jobs: what they say about the installation itself."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from command import Usher
from django.conf import LazySettings
from django.db import connection

from usher.core import clock, switches


def said(usher: Usher) -> list[str]:
    told = usher("check", "--json")
    assert told.code == 0, told.out
    return [case for one in told.document["warnings"] for case in one["cases"]]


def test_a_backup_that_is_missing_or_old_is_said(usher: Usher) -> None:
    assert "No backup was ever made. Make one with: usher backup FILE" in said(usher)
    switches.turn(switches.BACKED_UP, on=True)
    assert not any("backup" in case for case in said(usher))
    made_at = clock.now()
    with time_machine.travel(made_at + timedelta(days=8)):
        assert f"The last backup is of {made_at:%Y-%m-%d}. Make one with: usher backup FILE" in said(usher)


def test_a_paused_outbox_is_said_until_it_goes_on(usher: Usher) -> None:
    switches.turn(switches.OUTBOX_PAUSED, on=True)
    assert any("usher jobs resume" in case for case in said(usher))
    assert usher("jobs", "resume").code == 0
    assert not any("usher jobs resume" in case for case in said(usher))
    assert usher("jobs", "resume").err == "Nothing was paused.\n"


@pytest.mark.parametrize(("free", "is_said"), [(4, True), (6, False)])
def test_a_disk_that_is_nearly_full_is_said(
    usher: Usher, monkeypatch: pytest.MonkeyPatch, free: int, is_said: bool, tmp_path: Path, settings: LazySettings
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(total=100, free=free))
    settings.USHER_DATA_DIR = tmp_path
    assert any("less than 5%" in case for case in said(usher)) is is_said


def test_a_clock_that_is_wrong_is_said(usher: Usher) -> None:
    assert not any("seconds apart" in case for case in said(usher))
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        apart = any("seconds apart" in case for case in said(usher))
    assert apart is (connection.vendor == "postgresql")  # the embedded database has no clock of its own
