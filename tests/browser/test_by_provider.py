"""Microsoft and Google in Chromium: who presses what, where it leads, and what the pages on the way are like.

Fern School has a tenant, Google and proved domains; Elm School another tenant, and pupils who came by a list
(planting.py). The provider's pages are those of the stand-ins, at another site than ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from conftest import Enter
from everybody import fits_everybody
from house import House, sign_in
from planting import PASSWORD
from playwright.sync_api import Page, expect
from standins import StandIns

ELM, FERN, COMMON = "/o/elm/sign-in", "/o/fern/sign-in", "/"
HOME = {"elm": re.compile(r"/o/elm/$"), "fern": re.compile(r"/o/fern/$")}


@pytest.fixture(scope="module")
def planted(house: House, idp_process: StandIns) -> House:
    house.plant(idp_process)
    return house


@pytest.fixture(autouse=True)
def providers(planted: House, idp: StandIns) -> StandIns:
    """As people.json has them."""
    return idp


@pytest.fixture
def only_by_provider(planted: House) -> Iterator[None]:
    """At Elm a password opens nothing, but for its admin who is marked."""
    planted.usher("org", "passwords", "--org", "elm", "marked", "--keep", "admin@elm.example")
    yield
    planted.usher("org", "passwords", "--org", "elm", "everyone")


def press(page: Page, label: str) -> None:
    """The button of ours, to the provider's page."""
    page.get_by_role("button", name=f"Continue with {label}", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Sign in with"))


def answer(page: Page, idp: StandIns, login: str) -> None:
    """What somebody types at the provider."""
    page.get_by_label("Account").fill(login)
    page.get_by_label("Password").fill(idp.password)
    page.get_by_role("button", name="Sign in").click()


def enter_password(page: Page, name: str) -> None:
    page.get_by_label("Sign-in name or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def come(page: Page, idp: StandIns, login: str, door: str = COMMON, label: str = "Microsoft") -> None:
    page.goto(door)
    press(page, label)
    answer(page, idp, login)


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


# Who comes in


def test_somebody_new_joins_and_is_known_next_time(enter: Enter, providers: StandIns) -> None:
    page = enter()
    come(page, providers, "pia@cedar.example", FERN)
    page.wait_for_url(HOME["fern"])
    heading(page, "You are in, Pia Holm")
    page.goto("/account/providers")
    expect(page.get_by_text("pia@cedar.example")).to_be_visible()
    fits_everybody(page)
    page.goto("/home")
    page.get_by_role("button", name="Sign out").click()
    page.goto(FERN)
    page.get_by_role("button", name="Continue with Microsoft").click()
    page.wait_for_url(HOME["fern"])  # the provider knows her still, and so do we


def test_on_the_common_page_the_tenant_says_whose_one_is(enter: Enter, providers: StandIns) -> None:
    for login, slug in (("mallory@birch.example", "elm"), ("otto@cedar.example", "fern")):
        page = enter()
        come(page, providers, login)
        page.wait_for_url(HOME[slug])


def test_a_group_that_the_token_leaves_out_makes_a_teacher(enter: Enter, providers: StandIns) -> None:
    """Nora is in three hundred groups: they are asked of Graph."""
    page = enter()
    come(page, providers, "nora@cedar.example", FERN)
    page.wait_for_url(HOME["fern"])
    page.goto("/home?all=1")
    expect(page.get_by_text("Teacher").first).to_be_visible()


@pytest.mark.parametrize(("login", "slug"), [("cora@cedar.example", "fern"), ("pia@students.cedar.example", "fern")])
def test_google_by_a_proved_domain(enter: Enter, providers: StandIns, login: str, slug: str) -> None:
    page = enter()
    come(page, providers, login, label="Google")
    page.wait_for_url(HOME[slug])


def test_a_typed_address_leads_to_its_own_provider(enter: Enter, providers: StandIns) -> None:
    page = enter()
    page.goto(COMMON)
    go_on = page.get_by_role("button", name="Continue with your school or work account")
    go_on.click()
    expect(page.get_by_text("Type the address of your school or work account first.")).to_be_visible()
    page.get_by_label("Sign-in name or e-mail").fill("who@nowhere.example")
    go_on.click()
    expect(page.get_by_text("No single sign-on is known for this address.")).to_be_visible()
    expect(page.get_by_label("Sign-in name or e-mail")).to_have_value("who@nowhere.example")
    page.get_by_label("Sign-in name or e-mail").fill("vera@cedar.example")
    go_on.click()
    heading(page, "Sign in with Microsoft")
    expect(page.get_by_label("Account")).to_have_value("vera@cedar.example")  # the hint has come along
    answer(page, providers, "vera@cedar.example")
    page.wait_for_url(HOME["fern"])


# Who does not


@pytest.mark.parametrize(
    ("label", "login", "door", "why"),
    [
        ("Google", "frank@foreign.example", COMMON, "No organisation here has proved the domain foreign.example."),
        ("Google", "gina@gmail.example", COMMON, "This is a private Google account."),
        ("Google", "frank@foreign.example", FERN, "The domain foreign.example is not one of Fern School’s."),
        ("Microsoft", "olga@oak.example", COMMON, "Nobody here has connected your Microsoft tenant."),
    ],
)
def test_a_stranger_reads_one_clear_page(
    enter: Enter, providers: StandIns, label: str, login: str, door: str, why: str
) -> None:
    page = enter()
    come(page, providers, login, door, label)
    heading(page, "You are not signed in")
    expect(page.get_by_text(why)).to_be_visible()
    fits_everybody(page)
    # Another account can be chosen, although the provider knows the first one still.
    page.get_by_role("button", name=f"Try again with {label}").click()
    expect(page.get_by_label("Account")).to_be_visible()


def test_a_guest_of_the_tenant_stays_outside(enter: Enter, providers: StandIns) -> None:
    page = enter()
    come(page, providers, "gus@birch.example", FERN)
    heading(page, "You are not signed in")
    page.get_by_role("link", name="Sign in another way").click()
    expect(page).to_have_url(re.compile(FERN))


def test_a_private_account_is_stopped_by_microsoft_itself(enter: Enter, providers: StandIns) -> None:
    page = enter()
    come(page, providers, "eve@outlook.example")
    expect(page.get_by_text("You can’t sign in here with a personal account.")).to_be_visible()


# Link or create


def test_whoever_was_here_before_says_so_once(enter: Enter, providers: StandIns) -> None:
    page = enter()
    come(page, providers, "gus@birch.example", ELM)
    heading(page, "Have you been here before?")
    fits_everybody(page)
    page.get_by_role("link", name="Yes: sign in as before").click()
    enter_password(page, "gus@birch.example")
    heading(page, "Have you been here before?")
    fits_everybody(page)
    page.get_by_role("button", name="Link it to my account").click()
    page.wait_for_url(HOME["elm"])
    heading(page, "You are in, Gus of Elm")
    again = enter()
    come(again, providers, "gus@birch.example", ELM)
    again.wait_for_url(HOME["elm"])  # and is asked no second time


def test_or_goes_on_as_somebody_new(enter: Enter, providers: StandIns) -> None:
    page = enter()
    come(page, providers, "bob@birch.example", ELM)
    page.get_by_role("button", name="No: I am new here").click()
    page.wait_for_url(HOME["elm"])
    heading(page, "You are in, Bob Dale")


# Where passwords open nothing


def test_a_password_is_not_enough_and_the_button_is_there(
    enter: Enter, providers: StandIns, request: pytest.FixtureRequest
) -> None:
    inside = enter()
    sign_in(inside, "gus@birch.example", PASSWORD, ELM)
    inside.wait_for_url(HOME["elm"])
    request.getfixturevalue("only_by_provider")
    page = enter()
    sign_in(page, "gus@birch.example", PASSWORD, COMMON)
    expect(page.get_by_role("alert")).to_contain_text("Elm School is entered with single sign-on only.")
    fits_everybody(page)
    page.get_by_role("link", name="Open that sign-in page").click()
    expect(page).to_have_url(re.compile(ELM))
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    fits_everybody(page)
    page.get_by_text("Sign in with a password").click()
    fits_everybody(page)
    press(page, "Microsoft")
    answer(page, providers, "mallory@birch.example")
    page.wait_for_url(HOME["elm"])
    # Who was in by password when the rule came proves himself once by the provider.
    inside.goto("/o/elm/")
    expect(inside.get_by_text("Elm School is entered with single sign-on only.")).to_be_visible()
    fits_everybody(inside)
    press(inside, "Microsoft")
    answer(inside, providers, "mallory@birch.example")
    inside.wait_for_url(HOME["elm"])
    # Whoever is marked gets in by the password, also when the provider fails.
    marked = enter()
    marked.goto(ELM)
    marked.get_by_text("Sign in with a password").click()
    enter_password(marked, "admin@elm.example")
    marked.wait_for_url(HOME["elm"])


# On the way


def test_what_is_dangerous_is_proved_again_by_the_provider(enter: Enter, providers: StandIns) -> None:
    page = enter()
    come(page, providers, "vera@cedar.example", FERN)
    page.wait_for_url(HOME["fern"])
    page.goto("/sign-in/again?next=/account/security/app")
    heading(page, "Is it you?")
    fits_everybody(page)
    press(page, "Microsoft")
    answer(page, providers, "vera@cedar.example")
    page.wait_for_url(re.compile(r"/account/security/app$"))


def test_without_script_a_page_leads_on_by_itself_or_by_its_link(enter: Enter, providers: StandIns) -> None:
    page = enter(script=False)
    page.route(re.compile("/entra/.*authorize"), lambda route: route.fulfill(status=204))
    page.goto(FERN)
    with page.expect_request(re.compile("/entra/.*authorize")):  # by itself, and held back here
        page.get_by_role("button", name="Continue with Microsoft").click()
    heading(page, "One moment")
    page.unroute_all()
    page.get_by_role("link", name="Go on to Microsoft").click()
    answer(page, providers, "otto@cedar.example")
    page.wait_for_url(HOME["fern"])
    page.context.clear_cookies()
    come(page, providers, "cora@cedar.example", FERN, "Google")
    page.wait_for_url(HOME["fern"])


def test_the_pages_at_the_door_are_for_everybody(enter: Enter) -> None:
    page = enter()
    for door in (COMMON, FERN):
        page.goto(door)
        expect(page.get_by_role("button", name="Continue with Microsoft")).to_be_visible()
        fits_everybody(page)
    page.route(re.compile("/entra/.*authorize"), lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Continue with Microsoft").click()
    heading(page, "One moment")
    fits_everybody(page)


# Who sets it up


def test_an_admin_connects_a_tenant_alone(enter: Enter, planted: House, providers: StandIns) -> None:
    """By consent, proof, a test sign-in and the switch; then its people come in."""
    page = enter()
    sign_in(page, "admin@fern.example", PASSWORD, FERN)
    page.wait_for_url(HOME["fern"])
    page.goto("/o/fern/settings/integrations/new/microsoft")
    page.get_by_role("button", name="Connect by consent").click()
    answer(page, providers, "olga@oak.example")
    page.get_by_role("button", name="Accept").click()
    answer(page, providers, "olga@oak.example")
    expect(page.get_by_text("Proved: an admin of the other side signed in.")).to_be_visible()
    made = page.url.rstrip("/").rpartition("/")[2]
    page.get_by_role("button", name="Test sign-in").click()
    answer(page, providers, "olga@oak.example")
    expect(page.get_by_text("The test worked.")).to_be_visible()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()
    newcomer = enter()
    come(newcomer, providers, "olga@oak.example")
    newcomer.wait_for_url(HOME["fern"])
    planted.usher("connection", "remove", "--org", "fern", made)


# The watch can see what it is there for


def test_a_page_that_asks_a_provider_before_the_click_is_found(
    enter: Enter, porter: object, providers: StandIns
) -> None:
    page = enter()
    page.goto(FERN)
    page.evaluate("(url) => { new Image().src = url; }", f"{providers.base}/entra/logo.png")
    page.wait_for_timeout(300)
    complaints = porter.watch.complaints  # type: ignore[attr-defined]
    assert any("/entra/logo.png" in one for one in complaints)
    complaints.clear()
