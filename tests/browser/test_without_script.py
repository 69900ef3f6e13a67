"""The same pages in a browser that runs no scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ADA, Enter
from house import listed, password_of, read_list, sign_in
from playwright.sync_api import Page, expect


@pytest.fixture
def plain(enter: Enter) -> Page:
    return enter(ADA, script=False)


def test_signing_in_and_out(enter: Enter) -> None:
    page = enter(script=False)
    sign_in(page, ADA, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is not right.")
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    sign_in(page, ADA, password_of(ADA))
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar School")
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_an_import_asks_for_the_file_twice(plain: Page) -> None:
    people = [{"username": "Plain Page"}, {"email": "no@where", "username": "Plain Nobody"}]
    file = {"name": "plain.csv", "mimeType": "text/csv", "buffer": listed(people)}
    plain.goto("/o/cedar/users/add/csv")
    plain.get_by_label("File").set_input_files(file)  # type: ignore[arg-type]
    plain.get_by_role("button", name="Check the file").click()
    expect(plain.locator("#rows tbody tr")).to_have_count(2)
    expect(plain.get_by_text("Nothing has been saved yet.")).to_be_visible()
    plain.get_by_label("Choose the same file again: Usher has not kept it.").set_input_files(file)  # type: ignore[arg-type]
    with plain.expect_download() as download:
        plain.get_by_role("button", name="Import 1 person").click()
    assert download.value.suggested_filename == "userlist.csv"
    rows = read_list(Path(download.value.path()).read_bytes())
    assert [row["result"] for row in rows] == ["created", "refused"]
    plain.goto("/o/cedar/users/add/csv")
    plain.get_by_role("link", name="plain.csv").click()
    expect(plain.get_by_text("1 person is in and can sign in now.")).to_be_visible()


def test_manual_creation_shows_the_list_and_the_cards(plain: Page, enter: Enter) -> None:
    plain.goto("/o/cedar/users/add/manual")
    plain.get_by_label("Usernames").fill("Plain Åsa\nPlain 李小龙")
    plain.get_by_role("button", name="Create accounts").click()
    expect(plain.locator(".pass")).to_have_count(2)
    by_hand = plain.get_by_label("Your browser runs no scripts: copy the list from here into a file.")
    rows = read_list(by_hand.input_value())
    assert [row["username"] for row in rows] == ["Plain Åsa", "Plain 李小龙"]
    pupil = enter(script=False)
    sign_in(pupil, rows[0]["sign_in"].partition("@")[0], rows[0]["password"])
    expect(pupil.get_by_role("heading", level=1)).to_have_text("You are in, Plain Åsa")


def test_a_person_is_a_page(plain: Page) -> None:
    plain.goto("/o/cedar/users?q=dubois")
    plain.get_by_role("link", name="Amélie Dubois").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Amélie Dubois")
    expect(plain.get_by_role("dialog")).to_have_count(0)


def test_a_group_asks_on_a_page_of_its_own(plain: Page) -> None:
    plain.goto("/o/cedar/groups")
    plain.get_by_role("link", name="Staff").click()
    plain.get_by_role("link", name="New passwords").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("New passwords for the whole group?")
    plain.get_by_role("link", name="Cancel").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Staff")


def test_many_at_once_works_by_the_form_alone(plain: Page) -> None:
    plain.goto("/o/cedar/users?q=dubois")
    plain.get_by_label("Select Amélie Dubois").check()
    plain.get_by_role("button", name="Deactivate").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Deactivate 1 person?")
    plain.get_by_role("link", name="Cancel").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Users")
