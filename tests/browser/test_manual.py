"""Accounts made in advance: by an admin for anybody, by a manager for the own group, and new passwords for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ADA, AMELIE, Enter
from house import Row, bring, read_list, sign_in
from playwright.sync_api import Download, Page, expect

NAMES = (
    "Åsa Winter", "李小龙", "محمد الأمين", "Дарья Новак", "יעל לוי", "आरव शर्मा", "Nguyễn Văn An", "김서연",
    "Maximiliana Featherstonehaugh-Cholmondeley",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """The page with the cards, and the file that came with it."""

    page: Page
    file_name: str
    rows: list[Row]


def read(download: Download) -> list[Row]:
    return read_list(Path(download.path()).read_bytes())


@pytest.fixture(scope="module")
def result(enter_once: Enter) -> Result:
    page = enter_once(ADA)
    page.goto("/o/cedar/users/add")
    page.get_by_role("main").get_by_role("link", name="Make accounts").click()
    page.get_by_label("Usernames").fill("\n".join(NAMES))
    with page.expect_download() as download:
        page.get_by_role("button", name="Create accounts").click()
    return Result(page, download.value.suggested_filename, read(download.value))


def test_the_list_downloads_by_itself(result: Result) -> None:
    assert result.file_name == "accounts.csv"
    assert [row["username"] for row in result.rows] == list(NAMES)
    assert all(row["password"] and row["result"] == "created" for row in result.rows)


def test_the_page_holds_the_list_for_another_download(result: Result) -> None:
    with result.page.expect_download() as download:
        result.page.get_by_role("button", name="Download").click()
    assert read(download.value) == result.rows


def test_the_cards_are_eight_to_a_page_and_as_in_the_file(result: Result) -> None:
    sheets = result.page.locator(".a4")
    assert [sheet.locator(".pass").count() for sheet in sheets.all()] == [8, 1]
    cards = result.page.locator(".pass").all()
    for card, row in zip(cards, result.rows, strict=True):
        words = card.inner_text()
        assert row["username"] in words
        assert row["password"] in words
        assert row["sign_in"].partition("@")[0] in words.replace("\n", "")
        expect(card.locator(".square svg")).to_be_visible()


@pytest.fixture
def worst(result: Result) -> Iterator[Page]:
    """The same cards with the longest passwords that are made, in either size."""
    page = result.page
    before = page.locator(".secret").all_inner_texts()
    page.evaluate(
        """() => {
          const [first, second] = document.querySelectorAll(".secret");
          first.textContent = "abundant-mountain-4821"; first.classList.add("long");
          second.textContent = "lantern-otter-482"; second.classList.remove("long");
        }"""
    )
    yield page
    page.evaluate(
        "(all) => document.querySelectorAll('.secret').forEach((one, n) => { one.textContent = all[n]; })", before
    )
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_paper_shows_the_cards_alone(worst: Page) -> None:
    worst.emulate_media(media="print")
    expect(worst.locator(".rail")).to_be_hidden()
    expect(worst.get_by_role("button", name="Download")).to_be_hidden()
    expect(worst.locator(".pass").first).to_be_visible()
    assert overflowing(worst) == []


def test_cards_fit_a_phone_too(worst: Page) -> None:
    worst.set_viewport_size({"width": 320, "height": 640})
    assert overflowing(worst) == []


def overflowing(page: Page) -> list[str]:
    """The parts of cards that do not fit where they stand."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".pass, .pass dd, .pass .who")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)"""
    )
    return found


def test_printing_asks_once(result: Result) -> None:
    page = result.page
    page.evaluate("() => { window.asked = 0; window.print = () => { window.asked += 1; }; }")
    page.get_by_role("button", name="Login cards").click()
    assert page.evaluate("window.asked") == 1


@pytest.mark.parametrize("number", [0, 2])
def test_one_of_them_signs_in(result: Result, enter: Enter, number: int) -> None:
    row, page = result.rows[number], enter()
    sign_in(page, row["sign_in"].partition("@")[0], row["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text(f"You are in, {row['username']}")


def test_names_that_cannot_be_are_named_and_nothing_is_lost(enter: Enter) -> None:
    page, typed = enter(ADA), "Good Name\n=2+3\n" + "x" * 400
    page.goto("/o/cedar/users/add/manual")
    page.get_by_label("Usernames").fill(typed)
    page.get_by_role("button", name="Create accounts").click()
    note = page.get_by_role("alert")
    expect(note).to_contain_text("Nobody was made.")
    expect(note).to_contain_text("Line 2:")
    expect(note).to_contain_text("Line 3:")
    expect(page.get_by_label("Usernames")).to_have_value(typed)


# A manager


def test_a_manager_sees_the_own_groups_alone(enter: Enter) -> None:
    page = enter(AMELIE)
    page.goto("/o/cedar/groups")
    expect(page.locator("main table a")).to_have_text(["Year 6 Oak"])
    rooms = [room.partition("\n")[0] for room in page.locator(".rail .nav a").all_inner_texts()]
    assert [room for room in rooms if room != "Who waits"] == ["Home", "Groups"]  # somebody may ask just now
    page.get_by_role("link", name="Year 6 Oak").click()
    page.get_by_role("link", name="Add people").click()
    expect(page.get_by_label("Group")).to_have_value("Year 6 Oak")
    assert page.get_by_label("Group").locator("option").all_inner_texts() == ["Year 6 Oak"]
    assert page.get_by_label("Role").locator("option").all_inner_texts() == ["Student"]


def test_a_manager_makes_accounts_for_the_own_group(enter: Enter) -> None:
    page = enter(AMELIE)
    page.goto("/o/cedar/users/add")
    page.get_by_label("Or just how many").fill("3")
    with page.expect_download() as download:
        page.get_by_role("button", name="Create accounts").click()
    rows = read(download.value)
    assert len(rows) == 3
    pupil = enter()
    sign_in(pupil, rows[2]["sign_in"].partition("@")[0], rows[2]["password"])
    expect(pupil.get_by_role("main").get_by_text("Year 6 Oak")).to_be_visible()


@pytest.mark.parametrize("path", ["users", "users/add/csv", "licence", "events"])
def test_a_manager_is_told_which_rooms_are_not_his(enter: Enter, path: str) -> None:
    page = enter(AMELIE)
    answer = page.goto(f"/o/cedar/{path}")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("This room is not yours")


# New passwords


def test_a_new_password_for_one_person(enter: Enter) -> None:
    page = enter(ADA)
    (row,) = bring(page.context.request, "cedar", [{"username": "Percy Forgetful"}])
    page.goto("/o/cedar/users?q=forgetful")
    page.get_by_role("link", name="Percy Forgetful").click()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_role("button", name="New password").click()
    password = page.locator("#new-password").inner_text()
    assert password != row["password"]
    local = row["sign_in"].partition("@")[0]
    expect(page.locator(".ticket").get_by_text(local)).to_be_visible()
    pupil = enter()
    sign_in(pupil, local, row["password"])
    expect(pupil.get_by_role("alert")).to_be_visible()
    sign_in(pupil, local, password)
    expect(pupil.get_by_role("heading", level=1)).to_have_text("You are in, Percy Forgetful")


def test_new_passwords_for_a_whole_group(enter: Enter) -> None:
    page = enter(ADA)
    people: list[Row] = [
        {"username": f"Whole Group {word}", "groups": "Year 8 Yew"} for word in ("One", "Two", "Three")
    ]
    before = {row["sign_in"]: row["password"] for row in bring(page.context.request, "cedar", people, make_groups="on")}
    page.goto("/o/cedar/groups")
    page.get_by_role("link", name="Year 8 Yew").click()
    page.get_by_role("link", name="New passwords").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The old ones stop at once.")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Make new passwords").click()
    after = {row["sign_in"]: row["password"] for row in read(download.value)}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    name, password = next(iter(after.items()))
    pupil = enter()
    sign_in(pupil, name.partition("@")[0], password)
    expect(pupil.get_by_role("heading", level=1)).to_contain_text("You are in, Whole Group")
