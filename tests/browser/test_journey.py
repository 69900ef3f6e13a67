"""From a file of 300 people to one of them inside, as an admin and a pupil would go."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ADA, Enter
from house import Row, listed, read_list, sign_in
from playwright.sync_api import Page, Route, expect

GIVEN = (
    "Åsa", "Zoë", "Łukasz", "Siobhán", "Nguyễn", "José", "Ines", "Noah", "Aarav", "Mila",
    "李", "محمد", "Ольга", "נועה", "आरव", "さくら", "Gergő", "Wanjiru", "Þórunn", "Tāne",
)  # fmt: skip
FAMILY = (
    "Ashdown", "Birdwhistle", "Cobbler", "Dunnock", "Elderberry", "Fiddler", "Gosling", "Hazelwood",
    "Inkpen", "Juniper", "Kettle", "Lovage", "Merryweather", "Nettle", "Oakapple",
)  # fmt: skip
TEACHER = "tess@elm.example"
REFUSED: list[Row] = [
    {"email": "not-complete@elm", "username": "Rhys Incomplete"},
    {"email": "nia@elm.example", "username": "Nia Common", "password": "password"},
    {"email": "owen@elm.example", "username": "Owen Janitor", "role": "janitor"},
    {"email": TEACHER, "username": "Tess Twice"},
    {"email": "", "username": "=cmd|'/c calc'!A0"},
]
HERE_ALREADY: Row = {"email": "zoe@cedar.example", "username": "Zoë Müller"}
ROWS = 300
CREATED, UNCHANGED = ROWS - len(REFUSED) - 1, 1


def people() -> list[Row]:
    staff: list[Row] = [
        {"email": TEACHER, "username": "Tess Elm", "role": "teacher", "groups": "Staff|Year 7 Elm"},
        {"email": "theo@elm.example", "username": "Theo Elm", "role": "teacher"},
    ]
    names = (f"{given} {family}" for family, given in itertools.product(FAMILY, GIVEN))
    pupils: list[Row] = [{"username": name, "groups": "Year 7 Elm"} for name in names]
    with_address: list[Row] = [
        {"email": f"pupil{number}@elm.example", "username": f"Pupil {number} Elm"} for number in range(10)
    ]
    fixed = [*staff, *with_address, HERE_ALREADY, *REFUSED]
    return [*fixed, *pupils[: ROWS - len(fixed)]]


FILE = listed(people())


@dataclass(frozen=True, slots=True)
class Seen:
    """What the admin saw on the way, and the file in his hands at the end."""

    counts: dict[str, int]
    rows_by_filter: dict[str, int]
    first_look: int
    reasons: str
    progress: str
    file_name: str
    userlist: list[Row]
    address: str
    page: str


@pytest.fixture(scope="module")
def seen(enter_once: Enter) -> Seen:
    page = enter_once(ADA)
    page.goto("/o/cedar/")
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name="Add users").click()
    page.get_by_role("main").get_by_role("link", name="Choose a file").click()
    check(page)
    counts, first_look = tallies(page), page.locator("#rows tbody tr:visible").count()
    rows_by_filter = {word: rows_when_pressed(page, word) for word in ("Create", "Unchanged", "Refused")}
    reasons = page.locator("#rows tbody").inner_text()
    progress, name, content = write(page)
    expect(page.get_by_text(f"{CREATED} people are in.")).to_be_visible()
    return Seen(
        counts, rows_by_filter, first_look, reasons, progress, name, read_list(content),
        page.url, page.get_by_role("main").inner_text(),
    )  # fmt: skip


def check(page: Page) -> None:
    """Step 1 to step 2."""
    page.get_by_label("File").set_input_files({"name": "elm.csv", "mimeType": "text/csv", "buffer": FILE})
    expect(page.locator("[data-drop-name]")).to_have_text("elm.csv")
    page.get_by_label("Make missing groups").check()
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator("#rows")).to_be_visible()


def tallies(page: Page) -> dict[str, int]:
    """The three counts by their word, whether they can be pressed or not."""
    found = page.locator(".tally").all()
    return {one.locator(".state").inner_text().strip(): int(one.locator("strong").inner_text()) for one in found}


def rows_when_pressed(page: Page, word: str) -> int:
    button = page.locator("button.tally", has_text=word)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    return page.locator("#rows tbody tr:visible").count()


def write(page: Page) -> tuple[str, str, bytes]:
    """Step 3, held for a moment at 120 rows so that the bar can be looked at; then what was downloaded."""
    held: list[Route] = []
    page.route("**/users/add/csv/import", lambda route: held.append(route))  # noqa: PLW0108
    page.route("**/csv/progress/*", lambda route: route.fulfill(json={"rows": ROWS, "done": 120, "finished": False}))
    page.locator("[data-import-write]").click()
    count = page.get_by_text(f"120 of {ROWS} people")
    expect(count).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 40)
    progress = page.locator("#import").inner_text()
    page.unroute("**/csv/progress/*")
    with page.expect_download() as download:
        held[0].continue_()
    page.unroute("**/users/add/csv/import")
    return progress, download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_the_preview_counts_what_will_happen(seen: Seen) -> None:
    assert seen.counts == {"Create": CREATED, "Unchanged": UNCHANGED, "Refused": len(REFUSED)}


def test_a_count_filters_the_rows(seen: Seen) -> None:
    assert seen.rows_by_filter == {"Create": 200, "Unchanged": UNCHANGED, "Refused": len(REFUSED)}
    assert 3 <= seen.first_look < 20


def test_the_preview_says_why(seen: Seen) -> None:
    for words in ("not-complete@elm", "janitor", "Same address as line", "Refused"):
        assert words in seen.reasons


def test_the_progress_says_that_nobody_is_added_twice(seen: Seen) -> None:
    assert "Nobody is added twice" in seen.progress


def test_the_list_downloads_by_itself_with_a_row_for_every_row(seen: Seen) -> None:
    assert seen.file_name == "userlist.csv"
    assert [row["line"] for row in seen.userlist] == [str(line) for line in range(2, ROWS + 2)]
    results = [row["result"] for row in seen.userlist]
    assert (results.count("created"), results.count("unchanged"), results.count("refused")) == (
        CREATED,
        UNCHANGED,
        len(REFUSED),
    )
    assert all(bool(row["password"]) == (row["result"] == "created") for row in seen.userlist)


def test_the_hand_out_page_says_what_is_true_now(seen: Seen) -> None:
    assert "userlist.csv has been saved by your browser" in seen.page
    assert f"{ROWS} rows, one for every line of your file." in seen.page
    assert "Download again" in seen.page
    for row in REFUSED:
        assert row["username"].lstrip("=")[:8] in seen.page
    assert not re.search(r"[a-z]_[a-z_]+: ", seen.page)  # the codes are for programs


def test_the_hand_out_page_keeps_its_address(seen: Seen, enter: Enter) -> None:
    page = enter(ADA)
    page.goto(seen.address)
    expect(page.get_by_text(f"{CREATED} people are in.")).to_be_visible()
    expect(page.get_by_text("Why rows were refused")).to_be_visible()
    expect(page.get_by_role("button", name="Download again")).to_be_hidden()
    page.get_by_role("link", name="See the people").click()
    expect(page.locator("summary", has_text="Way in: CSV")).to_be_visible()


def made(seen: Seen, given: str) -> Row:
    return next(row for row in seen.userlist if row["username"].startswith(given) and row["result"] == "created")


@pytest.mark.parametrize("given", ["Åsa", "محمد"])
def test_a_pupil_signs_in_with_a_row_of_that_file(seen: Seen, enter: Enter, given: str) -> None:
    row, page = made(seen, given), enter()
    local, _, host = row["sign_in"].partition("@")
    assert host == "cedar.usher.invalid"
    sign_in(page, local, row["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text(f"You are in, {row['username']}")
    expect(page.get_by_role("main").get_by_text("Year 7 Elm")).to_be_visible()
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_teacher_chooses_a_password_first(seen: Seen, enter: Enter) -> None:
    row = next(row for row in seen.userlist if row["sign_in"] == TEACHER and row["result"] == "created")
    page = enter()
    sign_in(page, TEACHER, row["password"], "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    page.goto("/o/cedar/")
    assert page.url.endswith("/first-password")
    page.get_by_label("New password", exact=True).fill("amber lantern 77 boats")
    page.get_by_label("New password once more").fill("amber lantern 77 boots")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_text("The two passwords are not the same.")).to_be_visible()
    page.get_by_label("New password", exact=True).fill("amber lantern 77 boats")
    page.get_by_label("New password once more").fill("amber lantern 77 boats")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are in, Tess Elm")
    again = enter()
    sign_in(again, TEACHER, "amber lantern 77 boats")
    expect(again.get_by_role("heading", level=1)).to_have_text("You are in, Tess Elm")


@pytest.mark.parametrize("name", ["asa.oberg", "ada@cedar.example", "nobody.at.all", "student.9999"])
def test_a_wrong_password_says_one_sentence_and_keeps_the_name(enter: Enter, name: str) -> None:
    page = enter()
    sign_in(page, name, "not the password")
    expect(page.get_by_role("alert")).to_have_text(
        "The name or the password is not right. Try again, or ask the person who gave you the login."
    )
    expect(page.get_by_label("Sign-in name or e-mail")).to_have_value(name)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_the_same_file_again_changes_nothing(seen: Seen, enter: Enter) -> None:
    assert seen.counts["Create"]  # the first time is over
    page = enter(ADA)
    page.goto("/o/cedar/users/add/csv")
    check(page)
    assert tallies(page) == {"Create": 0, "Unchanged": CREATED + UNCHANGED, "Refused": len(REFUSED)}
    with page.expect_download() as download:
        page.get_by_role("button", name="Write the list anyway").click()
    again = read_list(Path(download.value.path()).read_bytes())
    expect(page.get_by_text("Nobody new came in.")).to_be_visible()
    assert {row["result"] for row in again} == {"unchanged", "refused"}
    assert not any(row["password"] for row in again)
    first = {row["line"]: row["sign_in"] for row in seen.userlist if row["result"] == "created"}
    assert {row["line"]: row["sign_in"] for row in again if row["line"] in first} == first


def test_an_admin_begins_with_a_set_up_link(house_link: str, enter: Enter) -> None:
    page = enter()
    page.goto(house_link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your password")
    page.get_by_label("New password", exact=True).fill("quiet orchard with nine lamps")
    page.get_by_label("New password once more").fill("quiet orchard with nine lamps")
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pine School")
    expect(page.get_by_text("You are the only one here.")).to_be_visible()
    page.goto("/o/pine/users")
    expect(page.get_by_text("Nobody else sits here yet")).to_be_visible()
    late = enter()
    late.goto(house_link)
    expect(late.get_by_label("New password", exact=True)).to_have_count(0)
