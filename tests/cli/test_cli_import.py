"""usher import and usher create-accounts: documents, exit codes, the result file, and what is refused untouched."""

from __future__ import annotations

import csv
import fcntl
from pathlib import Path

import pytest
from command import Usher
from world import World

from usher.core.checks import everything, run
from usher.core.models import Mail
from usher.methods.csv_import import run as csv_import
from usher.methods.csv_import.models import Import
from usher.people.models import Account, Group, Membership

PEOPLE = """email,username,password,role,groups
zoe@cedar.example,Zoë Müller,,,Year 5
,李小龙,sunny-meadow-77,,
zoe@cedar.example,Again,,,
tom@cedar.example,Tom Thorn,,,
broken@,Nobody,123,,
"""
COLUMNS = ["line", "sign_in", "username", "email", "password", "role", "result", "reason", "sign_in_at"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "fine.csv").write_text("username\nÅsa Öberg\n山田\n")
    (tmp_path / "names.txt").write_text("Åsa Öberg\n\n山田\n")
    return tmp_path


def command(folder: Path, *more: object, file: str = "people.csv") -> tuple[object, ...]:
    return ("import", folder / file, "--org", "cedar", "--role", "student", *more)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def people() -> int:
    return Account.objects.count()


def test_an_import_writes_one_row_for_every_row(usher: Usher, world: World, folder: Path) -> None:
    out = folder / "userlist.csv"
    ran = usher(*command(folder, "--out", out, "--json"))
    assert ran.code == 1, ran.err
    assert ran.document | {"seconds": 0} == {
        "rows": 5,
        "created": 2,
        "unchanged": 1,
        "refused": 2,
        "reasons": {"address_incomplete": 1, "duplicate_in_file": 1},
        "seconds": 0,
    }
    assert list(ran.document) == ["rows", "created", "unchanged", "refused", "reasons", "seconds"]
    rows = table(out)
    assert list(rows[0]) == COLUMNS
    assert [row["line"] for row in rows] == ["2", "3", "4", "5", "6"]
    assert [row["result"] for row in rows] == ["created", "created", "refused", "unchanged", "refused"]
    assert [bool(row["password"]) for row in rows] == [True, True, False, False, False]
    assert Account.objects.get(username="李小龙").check_password("sunny-meadow-77")
    assert Account.objects.get(username="Zoë Müller").check_password(rows[0]["password"])
    assert out.stat().st_mode & 0o777 == 0o600
    assert not (folder / "userlist.csv.part").exists()
    assert run(everything()).ok


def test_an_import_tells_by_mail_when_it_is_told_to(usher: Usher, world: World, folder: Path) -> None:
    assert "told" not in usher(*command(folder, "--tell", "--dry-run")).err
    ran = usher(*command(folder, "--tell", "--out", folder / "userlist.csv"))
    assert "1 person is told by mail." in ran.err
    assert list(Mail.objects.values_list("kind", "to")) == [("added", "zoe@cedar.example")]


def test_an_import_without_refusals_ends_with_0(usher: Usher, world: World, folder: Path) -> None:
    ran = usher(*command(folder, "--out", folder / "out.csv", file="fine.csv"))
    assert ran.code == 0
    assert ran.out.startswith("2 people are in.\n")
    assert "Importing: 2 of 2 rows" in ran.err


def test_a_dry_run_says_what_the_import_does_and_writes_nothing(usher: Usher, world: World, folder: Path) -> None:
    before = people(), len(world.cedar.events())
    seen = usher(*command(folder, "--dry-run", "--json", "--out", folder / "preview.csv"))
    assert (people(), len(world.cedar.events())) == before
    assert not Import.objects.exists()
    assert seen.code == 1
    assert "Line 6: The address “broken@” is not complete." in seen.err
    done = usher(*command(folder, "--out", folder / "out.csv", "--json"))
    assert seen.document | {"seconds": 0} == done.document | {"seconds": 0}
    shown, written = table(folder / "preview.csv"), table(folder / "out.csv")
    assert [row | {"password": ""} for row in written] == shown


def test_the_same_file_again_before_it_was_delivered_gives_the_same_file(
    usher: Usher, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the last row and the end: nobody knows the passwords yet, so they are written again."""
    out = folder / "out.csv"
    with monkeypatch.context() as patch:
        patch.setattr(csv_import, "finish", _killed)
        with pytest.raises(RuntimeError, match="killed"):
            usher(*command(folder, "--out", out))
    assert out.exists(), "the file is in its place before the import counts as finished"
    first = out.read_text()
    out.unlink()
    assert usher(*command(folder, "--out", out)).code == 1
    assert out.read_text() == first
    third = usher(*command(folder, "--out", folder / "third.csv", "--json")).document
    assert (third["created"], third["unchanged"]) == (0, 3)


def _killed(*_: object) -> None:
    raise RuntimeError("killed")


def test_a_left_over_part_is_replaced(usher: Usher, world: World, folder: Path) -> None:
    part = folder / "out.csv.part"
    part.write_text("x" * 10_000)
    part.chmod(0o644)
    assert usher(*command(folder, "--out", folder / "out.csv", file="fine.csv")).code == 0
    assert len(table(folder / "out.csv")) == 2
    assert (folder / "out.csv").stat().st_mode & 0o777 == 0o600
    assert not part.exists()


@pytest.mark.parametrize("words", [("import", "people.csv"), ("create-accounts", "--count", "2")])
def test_an_existing_file_is_never_written_over(
    usher: Usher, world: World, folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "out.csv").write_text("mine")
    before = people()
    ran = usher(*words, "--org", "cedar", "--role", "student", "--out", "out.csv")
    assert (ran.code, ran.out) == (2, "")
    assert "The file out.csv exists already. Choose another name for --out" in ran.err
    assert (folder / "out.csv").read_text() == "mine"
    assert people() == before


def test_a_second_run_does_not_write_into_the_file_of_the_first(usher: Usher, world: World, folder: Path) -> None:
    part = folder / "out.csv.part"
    with part.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write("rows of the first run")
        first.flush()
        ran = usher(*command(folder, "--out", folder / "out.csv", file="fine.csv"))
    assert ran.code == 2
    assert "Another run is writing" in ran.err
    assert part.read_text() == "rows of the first run"


def test_a_part_that_is_a_link_is_not_followed(usher: Usher, world: World, folder: Path) -> None:
    (folder / "precious").write_text("precious")
    (folder / "out.csv.part").symlink_to(folder / "precious")
    assert usher(*command(folder, "--out", folder / "out.csv", file="fine.csv")).code == 2
    assert (folder / "precious").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--out"),
        (("--out", "o.csv", "--role", "king"), "“king” in this plan. Use one of: student, teacher, admin."),
        (("--out", "o.csv", "--group", "Year 9"), "There is no group “Year 9”."),
        (("--out", "o.csv", "--org", "nope"), "There is no organisation “nope”."),
        (("--out", "nowhere/o.csv"), "Cannot write nowhere/o.csv"),
        (("--dry-run", "--role", "king"), "There is no role “king”"),
    ],
)
def test_what_stops_the_whole_run_writes_nothing(
    usher: Usher, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(folder)
    before, files = people(), sorted(folder.iterdir())
    ran = usher(*command(folder), "--json", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert people() == before
    assert sorted(folder.iterdir()) == files
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"email,username\n", "The file has a header but no people."),
        (b"shoe,hat\n1,2\n", "neither a column"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "a picture (PNG)"),
    ],
)
def test_a_file_that_is_no_list(usher: Usher, world: World, folder: Path, content: bytes, said: str) -> None:
    (folder / "people.csv").write_bytes(content)
    ran = usher(*command(folder, "--out", folder / "o.csv"))
    assert ran.code == 2
    assert said in ran.err


def test_a_file_too_large_is_refused_unread(usher: Usher, world: World, folder: Path) -> None:
    with (folder / "people.csv").open("wb") as file:
        file.truncate(60 * 1024 * 1024)
    ran = usher(*command(folder, "--dry-run"))
    assert ran.code == 2
    assert "The file has 60 MB; 50 MB is the most." in ran.err


def test_make_groups(usher: Usher, world: World, folder: Path) -> None:
    more = ("--group", " New ", "--make-groups", "--out", folder / "o.csv")
    assert usher(*command(folder, *more, file="fine.csv")).code == 0
    assert Group.objects.get(name="New").used == 2


def test_an_ended_licence_refuses_every_row(usher: Usher, world: World, folder: Path) -> None:
    license = world.cedar.organization.license
    license.ends_on = "2020-01-31"
    license.save()
    ran = usher(*command(folder, "--out", folder / "o.csv", "--json", file="fine.csv"))
    assert ran.code == 1
    assert ran.document["reasons"] == {"license_ended": 2}


# Accounts in advance


def accounts(folder: Path, *more: object) -> tuple[object, ...]:
    return ("create-accounts", "--org", "cedar", "--role", "student", "--out", folder / "a.csv", *more)


def test_create_accounts_by_names(usher: Usher, world: World, folder: Path) -> None:
    ran = usher(*accounts(folder, "--names", folder / "names.txt", "--group", "Year 5", "--json"))
    assert ran.code == 0, ran.err
    assert ran.document | {"seconds": 0} == {
        "rows": 2, "created": 2, "unchanged": 0, "refused": 0, "reasons": {}, "seconds": 0,
    }  # fmt: skip
    rows = table(folder / "a.csv")
    assert list(rows[0]) == COLUMNS
    assert [(row["line"], row["username"]) for row in rows] == [("1", "Åsa Öberg"), ("3", "山田")]
    assert Account.objects.get(sign_in_key=rows[1]["sign_in"]).check_password(rows[1]["password"])
    assert (folder / "a.csv").stat().st_mode & 0o777 == 0o600


def test_create_accounts_by_count_makes_new_people_each_time(usher: Usher, world: World, folder: Path) -> None:
    for number in ("1", "2"):
        assert usher(*accounts(folder, "--count", "30", "--out", folder / f"{number}.csv")).code == 0
    assert Membership.objects.filter(method="bulk_accounts").count() == 60


def test_create_accounts_dry(usher: Usher, world: World, folder: Path) -> None:
    before = people()
    words = ("create-accounts", "--org", "cedar", "--role", "student", "--count", "3", "--dry-run", "--json")
    assert usher(*words).document["created"] == 3
    assert usher(*words, "--out", folder / "p.csv").code == 0
    assert [row["password"] for row in table(folder / "p.csv")] == ["", "", ""]
    assert people() == before


def test_create_accounts_with_too_few_seats_ends_with_1(usher: Usher, world: World, folder: Path) -> None:
    world.cedar.seats("student", 2)
    ran = usher(*accounts(folder, "--count", "3", "--json"))
    assert ran.code == 1
    assert ran.document["reasons"] == {"seats_taken": 2}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give either --names FILE or --count N."),
        (("--count", "3", "--names", "names.txt"), "Give either"),
        (("--count", "2001"), "2001 accounts at once are too many; 2000 is the most."),
        (("--count", "0"), "Nobody is named."),
        (("--names", "bad.txt"), "Line 2: The name begins with “=”"),
        (("--count", "1", "--role", "king"), "There is no role"),
        (("--count", "1", "--group", "Year 9"), "There is no group"),
    ],
)
def test_create_accounts_refused_makes_nobody(
    usher: Usher, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(folder)
    Path("bad.txt").write_text("Anna\n=Bo\n")
    before, files = people(), sorted(folder.iterdir())
    ran = usher(*accounts(folder, *words))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert people() == before
    assert sorted(folder.iterdir()) == files


def test_the_passwords_are_on_disk_before_the_people_are_there(
    usher: Usher, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between commit and the last step: the .part has everything."""
    monkeypatch.setattr("usher.cli.result_file.ResultFile.deliver", _killed)
    with pytest.raises(RuntimeError):
        usher(*accounts(folder, "--count", "2"))
    assert len(table(folder / "a.csv.part")) == Membership.objects.filter(method="bulk_accounts").count() == 2
