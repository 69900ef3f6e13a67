"""Undo in a browser: from the page where the accounts were made, and from the list of all imports and creations."""

from __future__ import annotations

from conftest import ADA, Enter
from playwright.sync_api import Page, expect


def make(page: Page, names: str) -> None:
    page.goto("/o/cedar/users/add/manual")
    page.get_by_label("Usernames").fill(names)
    with page.expect_download():
        page.get_by_role("button", name="Create accounts").click()


def test_accounts_made_a_moment_ago_are_removed(enter: Enter) -> None:
    page = enter(ADA)
    make(page, "Wrong One\nWrong Two\nWrong Three")
    page.get_by_role("link", name="Undo this").click()
    expect(page.get_by_role("heading", name="3 accounts")).to_be_visible()
    page.get_by_role("link", name="See what an undo removes").click()
    expect(page.get_by_text("This removes 3 people.")).to_be_visible()
    page.get_by_role("button", name="Remove 3 people").click()
    expect(page.get_by_role("main")).to_contain_text("3 people are removed.")
    expect(page.get_by_role("main")).to_contain_text("Undone on")
    page.goto("/o/cedar/users?q=wrong")
    expect(page.locator("#rows tbody tr")).to_have_count(0)


def test_the_list_leads_to_it_and_cancel_leads_back(enter: Enter) -> None:
    page = enter(ADA)
    make(page, "Right One")
    page.goto("/o/cedar/users/add")
    page.get_by_role("link", name="Imports and creations until now, and undo").click()
    page.locator("main table a").first.click()
    page.get_by_role("link", name="See what an undo removes").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="1 account")).to_be_visible()
    page.goto("/o/cedar/users?q=right")
    expect(page.get_by_role("main")).to_contain_text("Right One")
