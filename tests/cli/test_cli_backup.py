"""usher backup and usher restore: real commands on a real database of the kind that the suite runs on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crew import SECRETS
from places import Place, Zygote, place
from places import zygote as loaded

PEPPER = SECRETS["USHER_PEPPER"]
ELSE = "else@usher.example"

FILL = """
from django.contrib.sessions.backends.db import SessionStore
from usher.people import passwords
from usher.people.operators import make_operator
account, link = make_operator("root@usher.example")
account.password = passwords.make("violet-harbor-7351")
account.save()
session = SessionStore()
session["who"] = "root"
session.save()
answer(link.rpartition("/")[2])
"""
LOOK = """
from django.conf import settings
settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # else no mail is tried at all
from django.contrib.sessions.models import Session
from usher.core import switches
from usher.core.worker import kinds
from usher.events.models import Event
from usher.people.models import Account, OneTimeLink
from usher.people.passwords import verify
answer({
    "accounts": sorted(Account.objects.values_list("sign_in_key", flat=True)),
    "password": all(verify("violet-harbor-7351", one.password).ok for one in Account.objects.filter(is_operator=True)),
    "sessions": Session.objects.count(),
    "living links": OneTimeLink.objects.filter(consumed_at=None).count(),
    "paused": switches.is_on("outbox_paused"),
    "leaves the house": any(kind.outgoing for kind in kinds()),
    "restored": list(Event.objects.filter(type="server:restored").values_list("actor_kind", "data")),
})
"""
USE_LINK = """
from django.test import Client
answer(Client(REMOTE_ADDR="127.0.0.1", SERVER_NAME="127.0.0.1").get("/set-up/" + given[0]).status_code)
"""
AS_IT_BEGAN = """
from django.core.management import call_command
call_command("migrate", "people", "0001_initial", verbosity=0)
answer("done")
"""


def look(at: Place) -> Any:
    return at.run(LOOK)


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with loaded(tmp_path_factory.mktemp("zygote")) as started:
        yield started


@pytest.fixture(scope="module")
def origin(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An Usher with an operator, who has a password, a session and a set-up link that nobody used."""
    with place(zygote, tmp_path_factory.mktemp("origin")) as origin:
        assert origin.usher("migrate").code == 0
        origin.environ["LINK"] = origin.run(FILL)
        yield origin


@pytest.fixture(scope="module")
def archive(origin: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its backup."""
    file = tmp_path_factory.mktemp("backup") / "usher.zip"
    made = origin.usher("backup", file)
    assert made.code == 0, made.err
    return file


@pytest.fixture
def empty(zygote: Zygote, tmp_path: Path) -> Iterator[Place]:
    with place(zygote, tmp_path / "var") as elsewhere:
        yield elsewhere


@pytest.fixture
def other(archive: Path, empty: Place) -> Place:
    """Another Usher, with somebody else in it."""
    assert empty.usher("restore", archive).code == 0
    with empty.sql() as connection:
        connection.execute("UPDATE people_account SET sign_in_key = 'else@usher.example'")
    return empty


# Making


def test_an_archive_is_for_nobody_else_and_says_what_is_in_it(origin: Place, archive: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in archive.parent.iterdir()) == ["usher.zip"]
    told = manifest(archive)
    assert told["kind"] == ("sqlite" if origin.on_sqlite else "postgresql")
    assert told["rows"]["people_account"] == 1
    assert ["people", "0001_initial"] in told["migrations"]
    assert told["sha256"] == hashlib.sha256(content(archive)).hexdigest()


def test_no_key_is_in_it(archive: Path) -> None:
    whole = content(archive) + json.dumps(manifest(archive)).encode()
    assert b"root@usher.example" in content(archive) or b"PGDMP" in content(archive)
    assert [secret for secret in SECRETS.values() if secret.encode() in whole] == []


def test_the_keys_go_into_a_file_apart(origin: Place, tmp_path: Path) -> None:
    made = origin.usher("backup", "--keys", tmp_path / "keys.env")
    assert made.code == 0, made.err
    lines = (tmp_path / "keys.env").read_text().splitlines()
    assert (tmp_path / "keys.env").stat().st_mode & 0o777 == 0o600
    assert set(lines[1:]) == {f"{name}={value}" for name, value in SECRETS.items()}
    assert origin.usher("backup", "--keys", tmp_path / "keys.env").code == 2


def test_an_existing_file_is_refused_and_kept(origin: Place, tmp_path: Path) -> None:
    (tmp_path / "usher.zip").write_text("mine")
    refused = origin.usher("backup", tmp_path / "usher.zip")
    assert refused.code == 2
    assert "exists already" in refused.err
    assert (tmp_path / "usher.zip").read_text() == "mine"


def test_a_backup_is_of_one_moment_and_waits_for_nobody(origin: Place, tmp_path: Path) -> None:
    with origin.sql() as connection:
        connection.execute("INSERT INTO core_bucket (key, level, updated_at) VALUES ('half', 1, 1)")
        # Only to write down that it was made must it wait for the other, on SQLite.
        with origin.process("backup", str(tmp_path / "usher.zip")) as backup:
            wait_for((tmp_path / "usher.zip").exists)
            connection.rollback()
            assert backup.wait(90) == 0
            backup.communicate()
    assert manifest(tmp_path / "usher.zip")["rows"]["core_bucket"] == 0


def test_a_tool_that_is_missing_is_named(origin: Place, tmp_path: Path) -> None:
    made = origin.usher("backup", tmp_path / "usher.zip", PATH="/nowhere")
    if origin.on_sqlite:
        assert made.code == 0, made.err  # it needs none
    else:
        assert made.code == 2
        assert "pg_dump is not installed" in made.err
        assert list(tmp_path.iterdir()) == [tmp_path / "var"] or list(tmp_path.iterdir()) == []


def test_nothing_there_is_a_sentence(empty: Place, tmp_path: Path) -> None:
    refused = empty.usher("backup", tmp_path / "usher.zip")
    assert refused.code == 2
    assert "nothing to back up" in refused.err
    assert not (tmp_path / "usher.zip").exists()


# Restoring


def test_all_comes_back_but_what_opens_doors(origin: Place, archive: Path, empty: Place) -> None:
    before = look(origin)
    assert (before["sessions"], before["living links"], before["paused"]) == (1, 1, False)
    done = empty.usher("restore", archive)
    assert done.code == 0, done.err + done.out
    assert "ok      V3" in done.out
    after = look(empty)
    assert (after["accounts"], after["password"]) == (before["accounts"], True)
    assert (after["sessions"], after["living links"]) == (0, 0)
    assert after["restored"] == [["operator", {"made_at": manifest(archive)["made_at"]}]]
    assert empty.run(USE_LINK, origin.environ["LINK"]) == 410
    assert empty.usher("migrate", "--check").code == 0


def test_nothing_leaves_until_it_is_told_to(archive: Path, empty: Place) -> None:
    assert empty.usher("restore", archive).code == 0
    assert [look(empty)[key] for key in ("paused", "leaves the house")] == [True, False]
    assert empty.usher("jobs", "resume").code == 0
    assert [look(empty)[key] for key in ("paused", "leaves the house")] == [False, True]


def test_data_are_not_lost_by_accident(archive: Path, other: Place) -> None:
    refused = other.usher("restore", archive)
    assert refused.code == 2
    assert "--replace" in refused.err
    assert look(other)["accounts"] == [ELSE]
    done = other.usher("restore", archive, "--replace")
    assert done.code == 0, done.err
    assert look(other)["accounts"] == ["root@usher.example"]
    assert not list(other.file.parent.glob("*restoring*"))


def test_a_pepper_that_does_not_fit_is_refused(archive: Path, empty: Place) -> None:
    new = "another-pepper-of-32-characters-0123"
    refused = empty.usher("restore", archive, peppers=[new])
    assert refused.code == 2
    assert "USHER_PEPPER is not the one of this backup" in refused.err
    assert empty.usher("restore", archive, peppers=[new, PEPPER]).code == 0
    done = empty.usher("restore", archive, "--without-passwords", "--replace", peppers=[new])
    assert done.code == 0, done.err
    assert "no password works" in done.err


@pytest.mark.parametrize("change", ["content", "cut", "no archive", "newer", "other kind", "newer migrations"])
def test_an_archive_that_is_not_as_it_should_be(archive: Path, other: Place, tmp_path: Path, change: str) -> None:
    file = tmp_path / "changed.zip"
    said = CHANGES[change](archive, file)
    refused = other.usher("restore", file, "--replace")
    assert refused.code == 2, refused.out
    assert said in refused.err
    assert "Traceback" not in refused.err
    assert look(other)["accounts"] == [ELSE]


def test_a_running_usher_is_not_pulled_from_under(archive: Path, other: Place) -> None:
    with other.process("worker") as worker:
        try:
            wait_for(lambda: is_used(other))
            refused = other.usher("restore", archive, "--replace")
            assert refused.code == 2
            assert "Usher is running on this database" in refused.err
        finally:
            worker.terminate()
            worker.communicate(timeout=90)
    assert other.usher("restore", archive, "--replace").code == 0


def test_nobody_begins_while_a_restore_is_under_way(other: Place) -> None:
    if not other.on_sqlite:
        return  # there, one transaction does it
    with other.file.with_name("usher.sqlite3.in-use").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = other.usher("org", "list")
    assert refused.code == 2
    assert "being restored" in refused.err


def test_a_restore_that_was_killed_before_its_end_is_ended_by_the_next(
    origin: Place, archive: Path, other: Place
) -> None:
    other.run(FILL)
    other.usher("jobs", "resume")
    with other.sql() as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('(restored)', '2026-11-01T10:00:00+00:00', '2026-11-01T10:00:00+00:00')"
        )
    assert [look(other)[key] for key in ("living links", "paused")] == [1, False]
    asked = other.usher("migrate", "--check")
    assert asked.code == 1, asked.err
    assert other.usher("migrate").code == 0
    after = look(other)
    assert (after["living links"], after["paused"]) == (0, True)
    assert other.usher("migrate", "--check").code == 0


def test_an_old_backup_is_brought_up_to_date(empty: Place, tmp_path: Path) -> None:
    empty.run(AS_IT_BEGAN)
    assert empty.usher("backup", tmp_path / "old.zip").code == 0
    assert "core_switch" not in manifest(tmp_path / "old.zip")["rows"]
    done = empty.usher("restore", tmp_path / "old.zip", "--replace")
    assert done.code == 0, done.err
    assert look(empty)["paused"] is True
    assert empty.usher("migrate", "--check").code == 0


# Archives, by hand


def manifest(archive: Path) -> dict[str, Any]:
    with zipfile.ZipFile(archive) as file:
        told: dict[str, Any] = json.loads(file.read("manifest.json"))
        return told


def content(archive: Path) -> bytes:
    with zipfile.ZipFile(archive) as file:
        return file.read("database")


def put(path: Path, told: dict[str, Any], data: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("database", data)
        file.writestr("manifest.json", json.dumps(told))


def _content(archive: Path, file: Path) -> str:
    data = bytearray(content(archive))
    data[len(data) // 2] ^= 1
    put(file, manifest(archive), bytes(data))
    return "is damaged"


def _cut(archive: Path, file: Path) -> str:
    """Its checksum is right, but it was cut before."""
    data = content(archive)
    data = data[: len(data) * 2 // 3]
    put(file, manifest(archive) | {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}, data)
    return "is damaged" if manifest(archive)["kind"] == "postgresql" else "cannot be restored"


def _no_archive(_archive: Path, file: Path) -> str:
    file.write_text("email,username\n")
    return "is not a backup of Usher"


def _newer(archive: Path, file: Path) -> str:
    put(file, manifest(archive) | {"format": 99, "usher": "9.0"}, content(archive))
    return "a newer Usher (9.0)"


def _other_kind(archive: Path, file: Path) -> str:
    told = manifest(archive)
    put(file, told | {"kind": "postgresql" if told["kind"] == "sqlite" else "sqlite"}, content(archive))
    return "Restore it where it came from"


def _newer_migrations(archive: Path, file: Path) -> str:
    told = manifest(archive)
    put(file, told | {"migrations": [*told["migrations"], ["people", "9999_later"]]}, content(archive))
    return "a newer Usher"


CHANGES = {
    "content": _content,
    "cut": _cut,
    "no archive": _no_archive,
    "newer": _newer,
    "other kind": _other_kind,
    "newer migrations": _newer_migrations,
}


def is_used(place: Place) -> bool:
    if not place.on_sqlite:
        with place.sql() as connection:
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            return bool(connection.execute(others).fetchone()[0] > 1)
    with place.file.with_name("usher.sqlite3.in-use").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)
