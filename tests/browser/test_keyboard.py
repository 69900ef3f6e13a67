"""The house without a mouse: in by the keyboard, the menu by the keyboard, and Tab goes as one reads."""

from __future__ import annotations

from conftest import ADA, Enter
from house import password_of
from playwright.sync_api import Page, ViewportSize, expect

PHONE: ViewportSize = {"width": 390, "height": 844}
FOCUSED = """() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const name = one.getAttribute("aria-label") || one.labels?.[0]?.innerText || one.innerText || one.name;
  return [name.trim().split("\\n")[0], Math.round(box.top + window.scrollY), Math.round(box.left)];
}"""


def tabbed(page: Page, most: int) -> list[tuple[str, int, int]]:
    """Where Tab leads from here: names and places, until it leaves the page."""
    stops: list[tuple[str, int, int]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stops.append(tuple(page.evaluate(FOCUSED)))
    return stops


def names(stops: list[tuple[str, int, int]]) -> list[str]:
    return [name for name, _top, _left in stops]


def test_signing_in_takes_no_mouse(enter: Enter) -> None:
    page = enter()
    page.goto("/o/cedar/sign-in")
    expect(page.get_by_label("Sign-in name or e-mail")).to_be_focused()
    page.keyboard.type(ADA)
    page.keyboard.press("Tab")
    page.keyboard.type(password_of(ADA))
    ways = ["Show", "Sign in", "Forgot your password?", "Use a passkey", "Use an invite code", "Seated by Usher"]
    assert names(tabbed(page, 6)) == ways
    page.get_by_role("button", name="Show").press("Space")
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar School")


def test_the_first_stop_skips_the_rail(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/users")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    assert names(tabbed(page, 3)) == ["Organisation", "Export", "Add users"]


def test_tab_goes_as_one_reads(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/users/add/csv")
    page.locator("#content").focus()
    stops = tabbed(page, 14)
    tops = [top for name, top, left in stops if left < 900]  # what stands beside the form comes after it
    assert tops == sorted(tops)
    assert names(stops)[-3:] != names(stops)[:3]
    assert {"File", "Role", "Check the file", "Download the template"} <= set(names(stops))


def test_a_focused_control_is_seen(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/users")
    page.locator("#content").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate(FOCUSED)


def test_the_menu_of_a_phone_opens_and_shuts(enter: Enter) -> None:
    page = enter(ADA)
    page.set_viewport_size(PHONE)
    page.goto("/o/cedar/")
    rooms = page.locator(".topbar").get_by_role("link", name="Users")
    expect(rooms).to_be_hidden()
    menu = page.locator("summary[aria-label=Menu]")
    menu.focus()
    page.keyboard.press("Enter")
    expect(rooms).to_be_visible()
    page.keyboard.press("Escape")
    expect(rooms).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Space")
    assert names(tabbed(page, 1)) == ["Home"]
    page.locator(".topbar").get_by_role("link", name="Users").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Users")


def test_a_filter_is_chosen_by_keys(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/users")
    page.locator("summary", has_text="Role").focus()
    page.keyboard.press("Enter")
    assert names(tabbed(page, 3)) == ["All", "Student", "Teacher"]
    page.keyboard.press("Enter")
    expect(page.locator("summary", has_text="Role: Teacher")).to_be_visible()


def test_a_drawer_holds_the_focus_and_gives_it_back(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/users?q=dubois")
    person = page.get_by_role("link", name="Amélie Dubois")
    person.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("link", name="Close")).to_be_focused()
    assert names(tabbed(page, 4)) == [
        "All events about Amélie Dubois",
        "What Amélie Dubois did here",
        "Change",
        "Copy as text",
    ]
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(person).to_be_focused()


def test_rows_are_picked_and_a_dialog_answered_by_keys(enter: Enter) -> None:
    page = enter(ADA)
    page.goto("/o/cedar/groups")
    page.get_by_role("link", name="Staff").press("Enter")
    page.get_by_role("link", name="New passwords").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_label("Select Björn Lindqvist").press("Space")
    expect(page.get_by_text("1 person selected")).to_be_visible()
