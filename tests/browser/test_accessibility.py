"""Every page for everybody: axe finds nothing in light and dark, and at 320 px nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import ADA, AMELIE, Enter
from everybody import COLORS, fits_everybody, too_wide, violations
from house import bring, listed, sign_in
from playwright.sync_api import Page, expect

from usher.console.kit import ROOMS

Open = Callable[[Page], None]
ROOT = "root@usher.example"
ZOE = "zoe@cedar.example"
STRANGER = ""


def at(path: str) -> Open:
    """The page at an address."""

    def opened(page: Page) -> None:
        page.goto(path)

    return opened


def wrong_password(page: Page) -> None:
    sign_in(page, "asa.oberg", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()


def invite_check(page: Page) -> None:
    page.goto("/o/cedar/users/invite")
    page.get_by_label("Addresses").fill("Axel Axe <axel@mail.example>\namelie@cedar.example\nkofi@cedar\nNo Address")
    page.get_by_role("button", name="Check the addresses").click()
    expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()


def invite_result(page: Page) -> None:
    invite_check(page)
    page.locator("button[name=confirm], button[name=fill]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invite by e-mail")


def taking_back(page: Page) -> None:
    page.goto("/o/cedar/invitations")
    page.locator("[data-pick]").first.check()
    page.get_by_role("button", name="Take back").click()


def copied_link(page: Page) -> None:
    first_link("/o/cedar/invitations?q=axel")(page)
    page.get_by_label("must prove the address").check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_text("it is shown only here")).to_be_visible()


def first_link(path: str) -> Open:
    """The page of the first one in a list."""

    def opened(page: Page) -> None:
        page.goto(path)
        page.goto(page.locator("main table a").first.get_attribute("href") or "")

    return opened


def drawer(page: Page) -> None:
    page.goto("/o/cedar/users?q=amelie")
    page.locator("#rows a").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def picked(page: Page) -> None:
    page.goto("/o/cedar/users")
    page.locator("[data-pick]").nth(2).check()


def question(act: str) -> Open:
    def opened(page: Page) -> None:
        picked(page)
        page.locator(f"button[name=do][value={act}]").click()
        page.wait_for_load_state()

    return opened


def group_dialog(page: Page) -> None:
    first_link("/o/cedar/groups")(page)
    page.get_by_role("link", name="New passwords").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def menu(page: Page) -> None:
    page.goto("/o/cedar/users")
    page.locator("summary", has_text="Role").click()


def refused_file(page: Page) -> None:
    send(page, b"neither,of,these\n1,2,3\n")
    expect(page.get_by_role("alert")).to_be_visible()


def send(page: Page, content: bytes) -> None:
    page.goto("/o/cedar/users/add/csv")
    page.get_by_label("File").set_input_files({"name": "axe.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Check the file").click()


def preview(page: Page) -> None:
    people = [{"username": "Axel Axe"}, {"email": ZOE, "username": "Zoë"}, {"email": "no@where", "username": "Nobody"}]
    send(page, listed(people).replace(b"groups", b"shoe size"))
    expect(page.locator("#rows")).to_be_visible()


def handed_out(page: Page) -> None:
    preview(page)
    with page.expect_download():
        page.locator("[data-import-write]").click()
    expect(page.locator("[data-import-refused]")).to_be_visible()


def manual_result(page: Page) -> None:
    page.goto("/o/cedar/users/add/manual")
    page.get_by_label("Usernames").fill("Åsa Axe\nمحمد الأمين\nMaximiliana Featherstonehaugh-Cholmondeley")
    with page.expect_download():
        page.get_by_role("button", name="Create accounts").click()


def new_password(page: Page) -> None:
    bring(page.context.request, "cedar", [{"username": "Alma Axe"}])
    page.goto("/o/cedar/users?q=alma")
    page.goto(page.locator("#rows a").first.get_attribute("href") or "")
    page.get_by_role("button", name="New password").click()
    expect(page.locator("#new-password")).to_be_visible()


def refused_person(page: Page) -> None:
    page.goto("/o/cedar/users?q=ada")
    page.goto(page.locator("#rows a").first.get_attribute("href") or "")
    page.get_by_role("button", name="Deactivate Ada Marsh").click()
    expect(page.get_by_role("alert")).to_be_visible()


def refused_code(page: Page) -> None:
    page.goto("/o/cedar/settings/codes/new")
    page.get_by_label("E-mail domains").fill("cedar,example")
    page.get_by_role("button", name="Make the code").click()
    expect(page.get_by_label("E-mail domains")).to_have_attribute("aria-invalid", "true")


def code(page: Page) -> None:
    page.goto("/o/cedar/settings/codes/new")
    page.get_by_role("button", name="Make the code").click()
    expect(page.get_by_role("button", name="Rotate code")).to_be_visible()


def of_code(link: str) -> Open:
    """A page that leads on from that of a code."""

    def opened(page: Page) -> None:
        code(page)
        page.get_by_role("link", name=link).click()
        page.wait_for_load_state()

    return opened


def domain(page: Page) -> None:
    page.goto("/o/cedar/settings/domains")
    page.get_by_label("Domain", exact=True).fill("a-rather-long-name-for-a-school.cedar.example")
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_role("button", name="Copy value")).to_be_visible()


def refused_domain(page: Page) -> None:
    domain(page)
    page.get_by_label("Domain", exact=True).fill("gmail.com")
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_label("Domain", exact=True)).to_have_attribute("aria-invalid", "true")


def removing_domain(page: Page) -> None:
    domain(page)
    page.get_by_role("link", name="Remove", exact=True).click()
    expect(page.get_by_role("button", name="Remove domain")).to_be_visible()


def door(page: Page) -> None:
    first_link("/o/cedar/groups")(page)
    page.get_by_role("link", name="Invite code").click()
    page.wait_for_load_state()
    if page.get_by_role("button", name="Open the door").is_visible():
        page.get_by_role("button", name="Open the door").click()
    expect(page.get_by_role("button", name="Close the door")).to_be_visible()


def closed_door(page: Page) -> None:
    door(page)
    page.get_by_role("button", name="Close the door").click()
    expect(page.get_by_role("button", name="Open the door")).to_be_visible()


def wall(page: Page) -> None:
    door(page)
    page.get_by_role("link", name="Show on the wall").click()
    expect(page.get_by_role("link", name="Back")).to_be_visible()


def refused_organization(page: Page) -> None:
    page.goto("/operator/organizations/new")
    for label, given in (("Name", "Oak"), ("Short name", "cedar"), ("E-mail of the first admin", "ivy@oak.example")):
        page.get_by_label(label, exact=True).fill(given)
    page.get_by_role("button", name="Make organisation").click()
    expect(page.get_by_text("The short name “cedar” is or was in use.")).to_be_visible()


def no_mailbox(page: Page) -> None:
    page.goto("/forgot")
    page.get_by_label("E-mail").fill("asa.oberg")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("A sign-in name without e-mail gets no mail.")).to_be_visible()


def forgotten(page: Page, address: str) -> None:
    """The mail of somebody who has forgotten the password, as the worker writes it."""
    page.goto("/forgot")
    page.get_by_label("E-mail").fill(address)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    mail = page.get_by_role("listitem").filter(has_text=address).get_by_role("link", name="Choose a new password")
    for _ in range(60):
        page.goto("/_mail/")
        if mail.count():
            break
        page.wait_for_timeout(500)
    mail.first.click()
    expect(page.get_by_role("heading", name="As plain text")).to_be_visible()


def a_mail(page: Page) -> None:
    forgotten(page, "bjorn@cedar.example")


def reset(page: Page) -> None:
    """Through the frame in which the mail is shown."""
    forgotten(page, "dev@birch.example")
    page.frame_locator("iframe").get_by_role("link", name="Choose a new password").click()
    expect(page.get_by_role("button", name="Save password")).to_be_visible()


def to_undo(page: Page) -> None:
    first_link("/o/cedar/imports")(page)
    page.get_by_role("link", name="See what an undo removes").click()
    expect(page.get_by_role("link", name="Cancel")).to_be_visible()


def no_name(page: Page) -> None:
    page.goto("/account")
    page.get_by_label("Name", exact=True).fill("=2+2")
    page.get_by_role("button", name="Change name").click()
    expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")


PAGES: list[tuple[str, str, Open]] = [
    (STRANGER, "the common door", at("/")),
    (STRANGER, "sign-in", at("/o/cedar/sign-in")),
    (STRANGER, "wrong password", wrong_password),
    (STRANGER, "forgot", at("/o/cedar/forgot")),
    (STRANGER, "forgot, sent", at("/forgot?sent=1")),
    (STRANGER, "forgot, no mailbox", no_mailbox),
    (STRANGER, "reset, dead link", at("/reset/nothing-of-this-name")),
    (STRANGER, "mails", at("/_mail/")),
    (STRANGER, "a mail", a_mail),
    (STRANGER, "reset", reset),
    (STRANGER, "dead link", at("/set-up/nothing-of-this-name")),
    (STRANGER, "404", at("/nothing/here")),
    (ROOT, "home of an operator", at("/home")),
    (ROOT, "operator, organisations", at("/operator/")),
    (ROOT, "operator, an organisation", first_link("/operator/")),
    (ROOT, "operator, new", at("/operator/organizations/new")),
    (ROOT, "operator, new, refused", refused_organization),
    (ROOT, "operator, search", at("/operator/search?q=asa.oberg")),
    (ROOT, "operator, nobody found", at("/operator/search?q=nobody@home.example")),
    (ROOT, "operator, server", at("/operator/settings")),
    (ZOE, "home of a pupil", at("/o/cedar/")),
    (ZOE, "password", at("/password")),
    (ZOE, "all organisations", at("/home?all=1")),
    (ZOE, "account of a pupil", at("/account")),
    (ZOE, "account, organisations", at("/account/organizations")),
    (ROOT, "account", at("/account")),
    (ROOT, "account, no name", no_name),
    (ROOT, "account, address", at("/account/address")),
    (AMELIE, "403", at("/o/cedar/users")),
    (AMELIE, "home of a manager", at("/o/cedar/")),
    (AMELIE, "groups of a manager", at("/o/cedar/groups")),
    (ADA, "home", at("/o/cedar/")),
    (ADA, "users", at("/o/cedar/users")),
    (ADA, "users, a menu", menu),
    (ADA, "users, picked", picked),
    (ADA, "users, no match", at("/o/cedar/users?q=zzz")),
    (ADA, "person", first_link("/o/cedar/users?q=amelie")),
    (ADA, "person, refused", refused_person),
    (ADA, "person, drawer", drawer),
    (ADA, "person, new password", new_password),
    (ADA, "several, group", question("group")),
    (ADA, "several, deactivate", question("deactivate")),
    (ADA, "add", at("/o/cedar/users/add")),
    (ADA, "csv, choose", at("/o/cedar/users/add/csv")),
    (ADA, "csv, refused file", refused_file),
    (ADA, "csv, check", preview),
    (ADA, "csv, hand out", handed_out),
    (ADA, "imports", at("/o/cedar/imports")),
    (ADA, "imports, one", first_link("/o/cedar/imports")),
    (ADA, "imports, undo", to_undo),
    (AMELIE, "imports of a manager", at("/o/cedar/imports")),
    (ADA, "manual", at("/o/cedar/users/add/manual")),
    (ADA, "manual, result", manual_result),
    (ADA, "invite", at("/o/cedar/users/invite")),
    (AMELIE, "invite, by a manager", at("/o/cedar/users/invite")),
    (ADA, "invite, check", invite_check),
    (ADA, "invite, result", invite_result),
    (ADA, "invitations", at("/o/cedar/invitations")),
    (ADA, "invitations, no match", at("/o/cedar/invitations?q=zzz")),
    (ADA, "invitations, taking back", taking_back),
    (ADA, "invitation", first_link("/o/cedar/invitations")),
    (ADA, "invitation, link", copied_link),
    (ADA, "groups", at("/o/cedar/groups")),
    (ADA, "group", first_link("/o/cedar/groups")),
    (ADA, "group, dialog", group_dialog),
    (ADA, "codes, first use", at("/o/cedar/settings/codes")),
    (ADA, "code, refused", refused_code),
    (ADA, "code", code),
    (ADA, "code, who came", of_code("See the list")),
    (ADA, "code, poster", of_code("QR, poster")),
    (ADA, "codes", at("/o/cedar/settings/codes")),
    (ADA, "domains, first use", at("/o/cedar/settings/domains")),
    (ADA, "domains", domain),
    (ADA, "domains, refused", refused_domain),
    (ADA, "domain, removing", removing_domain),
    (AMELIE, "class window", door),
    (AMELIE, "class window, closed", closed_door),
    (AMELIE, "wall", wall),
    (ADA, "licence", at("/o/cedar/licence")),
    (ADA, "events", at("/o/cedar/events")),
    (ADA, "why", at("/o/cedar/why?sign_in=nobody@cedar.example")),
    *((STRANGER, f"kit, {room}", at(f"/_kit/?room={room}")) for room in ROOMS),
]


@pytest.fixture(scope="module")
def pages(enter_once: Enter) -> Callable[[str], Page]:
    """One browser window for each person, for all pages."""
    opened: dict[str, Page] = {}

    def page_of(who: str) -> Page:
        if who not in opened:
            opened[who] = enter_once(who)
        return opened[who]

    return page_of


@pytest.mark.parametrize(("who", "name", "show"), [pytest.param(*row, id=row[1]) for row in PAGES])
def test_a_page_is_for_everybody(pages: Callable[[str], Page], who: str, name: str, show: Open) -> None:
    page = pages(who)
    show(page)
    fits_everybody(page)


def test_a_first_password_page_is_for_everybody(enter: Enter, pages: Callable[[str], Page]) -> None:
    staff = [{"email": "axe.teacher@cedar.example", "username": "Abel Axe", "role": "teacher"}]
    (row,) = bring(pages(ADA).context.request, "cedar", staff)
    page = enter()
    sign_in(page, row["sign_in"], row["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    fits_everybody(page)


def test_axe_would_find_something(pages: Callable[[str], Page]) -> None:
    page = pages(STRANGER)
    page.goto("/o/cedar/sign-in")
    page.evaluate("() => document.querySelectorAll('label').forEach((label) => label.remove())")
    assert any(line.startswith("label:") for line in violations(page))
    page.evaluate("() => { document.querySelector('h1').style.cssText = 'width: 4000px; color: #eee'; }")
    assert any(line.startswith("color-contrast:") for line in violations(page, *COLORS))
    assert too_wide(page)
