"""Organisation → Users: finding people, doing one thing to many, and one person's drawer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ADA, Enter
from house import Row, bring, read_list, sign_in
from playwright.sync_api import Page, expect

USERS = "/o/cedar/users"
GROUP = "Year 9 Quince"
MANY = 60  # more than a page


@pytest.fixture(scope="module", autouse=True)
def quills(enter_once: Enter) -> list[Row]:
    """People whom no other test touches: Quill 00 to Quill 59, and a group for them."""
    request = enter_once(ADA).context.request
    people: list[Row] = [{"username": f"Quill {number:02}"} for number in range(MANY)]
    people[-1]["groups"] = GROUP
    return bring(request, "cedar", people, make_groups="on")


@pytest.fixture
def desk(enter: Enter) -> Page:
    page = enter(ADA)
    page.goto(f"{USERS}?q=quill")
    return page


def names(page: Page) -> list[str]:
    return page.locator("#rows tbody b").all_inner_texts()


def pick(page: Page, *numbers: int) -> None:
    for number in numbers:
        page.get_by_label(f"Select Quill {number:02}").check()


# Finding


def test_search_finds_the_beginning_of_any_word(desk: Page) -> None:
    desk.goto(USERS)
    search = desk.get_by_role("searchbox")
    for typed, found in (
        ("öberg", "Åsa Öberg"),
        ("oberg asa", "Åsa Öberg"),
        ("佐藤", "佐藤 さくら"),
        ("zoe@ced", "Zoë Müller"),
    ):
        search.fill(typed)
        search.press("Enter")
        expect(search).to_have_value(typed)
        expect(desk.locator("#rows").get_by_text(found, exact=True)).to_be_visible()
    search.fill("nobodyatall")
    search.press("Enter")
    expect(desk.get_by_text("No one matches “nobodyatall”.")).to_be_visible()
    desk.get_by_role("link", name="Clear search").click()
    expect(desk.locator("#rows")).to_be_visible()


def test_pages_go_on_and_back(desk: Page) -> None:
    expect(desk.locator(".pager")).to_contain_text(f"People 1 to 50 of {MANY}, by name")
    first = names(desk)
    desk.get_by_role("link", name="Next").click()
    expect(desk.locator(".pager")).to_contain_text(f"People 51 to {MANY} of {MANY}, by name")
    second = names(desk)
    assert first + second == [f"Quill {number:02}" for number in range(MANY)]
    desk.get_by_role("link", name="Back").click()
    expect(desk.locator(".pager")).to_contain_text("People 1 to 50")
    assert names(desk) == first


def test_filters_add_up_and_keep_the_search(desk: Page) -> None:
    desk.locator("summary", has_text="Group").click()
    desk.get_by_role("link", name=GROUP).click()
    expect(desk.locator("#rows tbody tr")).to_have_count(1)
    assert names(desk) == [f"Quill {MANY - 1}"]
    desk.locator("summary", has_text="Role").click()
    desk.get_by_role("link", name="Teacher").click()
    expect(desk.get_by_role("searchbox")).to_have_value("quill")
    expect(desk.locator("#rows")).to_have_count(0)
    desk.get_by_role("link", name="Clear", exact=True).click()
    desk.locator("a.chip", has_text="Deactivated").click()
    expect(desk.locator("a.chip", has_text="Deactivated")).to_have_attribute("aria-current", "true")
    expect(desk.locator("#rows").get_by_text("Inês Gonçalves")).to_be_visible()


def test_never_signed_in_is_one_click(desk: Page, quills: list[Row], enter: Enter) -> None:
    pupil = enter()
    sign_in(pupil, quills[40]["sign_in"].partition("@")[0], quills[40]["password"])
    expect(pupil.get_by_role("heading", level=1)).to_contain_text("Quill 40")
    desk.locator("a.chip", has_text="Never signed in").click()
    expect(desk.get_by_role("searchbox")).to_have_value("quill")
    assert "Quill 40" not in names(desk)
    assert "Quill 39" in names(desk)


def test_the_export_is_what_is_shown_without_passwords(desk: Page) -> None:
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Export").click()
    rows = read_list(Path(download.value.path()).read_bytes())
    assert [row["username"] for row in rows] == [f"Quill {number:02}" for number in range(MANY)]
    assert "password" not in rows[0]


# Many at once


def test_three_are_added_to_a_group(desk: Page) -> None:
    expect(desk.get_by_role("button", name="Add to group")).to_be_hidden()
    pick(desk, 1, 2, 3)
    expect(desk.get_by_text("3 people selected")).to_be_visible()
    desk.get_by_role("button", name="Add to group").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Add 3 people to a group")
    desk.get_by_label("Group").select_option(GROUP)
    desk.get_by_role("button", name="Add 3 people").click()
    expect(desk.get_by_text("Add to group: 3 people changed.")).to_be_visible()
    desk.goto(f"{USERS}?q=quill")
    row = desk.get_by_role("row", name="Quill 02")
    expect(row).to_contain_text(GROUP)


def test_three_get_new_passwords(desk: Page, quills: list[Row], enter: Enter) -> None:
    pick(desk, 11, 12, 13)
    desk.get_by_role("button", name="New passwords").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("New passwords for 3 people?")
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Make new passwords").click()
    rows = read_list(Path(download.value.path()).read_bytes())
    assert [row["username"] for row in rows] == ["Quill 11", "Quill 12", "Quill 13"]
    assert rows[0]["password"] != quills[11]["password"]
    pupil = enter()
    sign_in(pupil, rows[0]["sign_in"].partition("@")[0], rows[0]["password"])
    expect(pupil.get_by_role("heading", level=1)).to_have_text("You are in, Quill 11")


def test_three_are_deactivated_and_one_comes_back(desk: Page) -> None:
    pick(desk, 21, 22, 23)
    desk.get_by_role("button", name="Deactivate").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Deactivate 3 people?")
    desk.get_by_role("button", name="Deactivate 3 people").click()
    expect(desk.get_by_text("Deactivate: 3 people changed.")).to_be_visible()
    desk.goto(f"{USERS}?q=quill&state=inactive")
    assert names(desk) == ["Quill 21", "Quill 22", "Quill 23"]
    desk.get_by_role("link", name="Quill 22").click()
    desk.get_by_role("link", name="Change", exact=True).click()
    desk.get_by_role("button", name="Reactivate").click()
    expect(desk.get_by_text("Quill 22 is in again.")).to_be_visible()


def test_everybody_on_the_page_is_one_tick(desk: Page) -> None:
    desk.get_by_label("Select all on this page").check()
    expect(desk.get_by_text("50 people selected")).to_be_visible()
    desk.get_by_label("Select Quill 05").uncheck()
    expect(desk.get_by_text("49 people selected")).to_be_visible()
    expect(desk.get_by_label("Select all on this page")).to_have_js_property("indeterminate", value=True)


# One person


def test_a_drawer_has_its_own_address(desk: Page) -> None:
    desk.get_by_role("link", name="Quill 30").click()
    drawer = desk.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name="Why is Quill 30 here?")).to_be_visible()
    expect(desk).to_have_url(re.compile(r"/o/cedar/users/[0-9a-f-]{36}$"))
    desk.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(desk).to_have_url(re.compile(r"/o/cedar/users\?q=quill$"))
    expect(desk.get_by_role("link", name="Quill 30")).to_be_focused()


def test_a_drawer_loaded_again_is_a_page(desk: Page) -> None:
    desk.get_by_role("link", name="Quill 31").click()
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.reload()
    expect(desk.get_by_role("dialog")).to_have_count(0)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Quill 31")
    expect(desk.get_by_role("button", name="Change role")).to_be_visible()


def test_the_browsers_own_back_and_forward_work_with_a_drawer(desk: Page) -> None:
    desk.get_by_role("link", name="Quill 32").click()
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.go_back()
    expect(desk.get_by_role("dialog")).to_have_count(0)
    expect(desk.get_by_role("link", name="Quill 32")).to_be_visible()
    desk.go_forward()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Quill 32")
    expect(desk.get_by_role("navigation", name="Rooms").first).to_be_visible()


def test_the_way_in_is_told_with_its_file(desk: Page) -> None:
    desk.get_by_role("link", name="Quill 33").click()
    drawer = desk.get_by_role("dialog")
    expect(drawer.locator(".note")).to_contain_text("people.csv")
    expect(drawer.locator(".line")).to_contain_text("Joined")


def person(page: Page, number: int) -> None:
    """The page of one of them."""
    page.goto(page.get_by_role("link", name=f"Quill {number:02}").get_attribute("href") or "")


def test_a_role_is_changed(desk: Page) -> None:
    person(desk, 34)
    desk.get_by_label("Role", exact=True).select_option("Teacher")
    desk.get_by_role("button", name="Change role").click()
    expect(desk.get_by_text("The role is changed.")).to_be_visible()
    expect(desk.get_by_label("Role", exact=True)).to_have_value("teacher")


def test_a_wrong_address_keeps_what_was_typed_and_a_right_one_opens_the_door(
    desk: Page, quills: list[Row], enter: Enter
) -> None:
    person(desk, 35)
    desk.get_by_label("E-mail").fill("quill@nowhere")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("The address “quill@nowhere” is not complete.")).to_be_visible()
    expect(desk.get_by_label("E-mail")).to_have_value("quill@nowhere")
    desk.get_by_label("E-mail").fill("quill35@cedar.example")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("Name and address are corrected.")).to_be_visible()
    pupil = enter()
    sign_in(pupil, "quill35@cedar.example", quills[35]["password"])
    expect(pupil.get_by_role("heading", level=1)).to_have_text("You are in, Quill 35")


def test_the_last_admin_stays(desk: Page) -> None:
    desk.goto(f"{USERS}?q=ada")
    desk.goto(desk.locator("#rows").get_by_role("link", name="Ada Marsh").get_attribute("href") or "")
    desk.get_by_role("button", name="Deactivate Ada Marsh").click()
    expect(desk.get_by_role("alert")).to_contain_text("This is the last admin who can sign in.")
    desk.get_by_label("Role", exact=True).select_option("Student")
    desk.get_by_role("button", name="Change role").click()
    expect(desk.get_by_role("alert")).to_contain_text("Make another person admin first.")
    desk.goto(USERS)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Users")
