"""One house, one browser, and a new visitor for every test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from house import House, open_house, password_of, sign_in
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from standins import StandIns
from watch import Watch

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
HERE = Path(__file__).parent
PATIENCE = 15_000  # milliseconds; the machine may have other things to do
expect.set_options(timeout=PATIENCE)
ADA, BOB, AMELIE = "ada@cedar.example", "bob@birch.example", "amelie@cedar.example"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, idp_process: StandIns) -> Iterator[House]:
    house = open_house(tmp_path_factory.mktemp("house"), idp_process)
    yield house
    house.close()


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = os.environ.get("USHER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        pytest.skip("no Chromium; set USHER_CHROMIUM to where it is")
    browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
    yield browser
    browser.close()


class Enter(Protocol):
    """Opens a page for somebody: signed in already, or a stranger with nothing in his pockets."""

    def __call__(self, who: str = "", *, script: bool = True) -> Page: ...


@dataclass
class Cloakroom:
    """What browsers of people who signed in once are kept for: a new one would load every style and font again."""

    house: House
    browser: Browser
    kept: dict[tuple[str, bool], BrowserContext] = field(default_factory=dict)

    def of(self, who: str, *, script: bool) -> BrowserContext:
        if (who, script) not in self.kept:
            state = None if script else self.of(who, script=True).storage_state()
            context = self.new(script=script, storage_state=state)
            if script:
                _sign_in_once(context, who)
            self.kept[who, script] = context
        return self.kept[who, script]

    def new(self, *, script: bool, storage_state: Any = None) -> BrowserContext:
        context = self.browser.new_context(
            base_url=self.house.address,
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
            java_script_enabled=script,
            storage_state=storage_state,
        )
        context.set_default_timeout(PATIENCE)
        return context


def _sign_in_once(context: BrowserContext, who: str) -> None:
    page = context.new_page()
    sign_in(page, who, password_of(who), "/")
    page.wait_for_url(re.compile(r"/o/[^/]+/$|/home$"))
    page.close()


@dataclass
class Porter:
    """Lets visitors in, keeps an eye on each, and sees them out."""

    cloakroom: Cloakroom
    watch: Watch
    inside: list[Page] = field(default_factory=list)
    strangers: list[BrowserContext] = field(default_factory=list)

    def enter(self, who: str = "", *, script: bool = True) -> Page:
        if who:
            context = self.cloakroom.of(who, script=script)
        else:
            context = self.cloakroom.new(script=script)
            self.strangers.append(context)
        page = context.new_page()
        self.watch.over(page)
        self.inside.append(page)
        return page

    def close(self) -> None:
        while self.inside:
            self.inside.pop().close()
        while self.strangers:
            self.strangers.pop().close()


@pytest.fixture(scope="session")
def cloakroom(house: House, chromium: Browser) -> Cloakroom:
    return Cloakroom(house, chromium)


def _porter(cloakroom: Cloakroom, idp: StandIns) -> Iterator[Porter]:
    porter = Porter(cloakroom, Watch(cloakroom.house.address, idp.base))
    yield porter
    porter.close()
    assert porter.watch.complaints == []


@pytest.fixture
def porter(cloakroom: Cloakroom, idp_process: StandIns) -> Iterator[Porter]:
    yield from _porter(cloakroom, idp_process)


@pytest.fixture(scope="module")
def porter_of_the_module(cloakroom: Cloakroom, idp_process: StandIns) -> Iterator[Porter]:
    yield from _porter(cloakroom, idp_process)


@pytest.fixture
def enter(porter: Porter) -> Enter:
    return porter.enter


@pytest.fixture(scope="module")
def enter_once(porter_of_the_module: Porter) -> Enter:
    """The same for what a whole module stands on."""
    return porter_of_the_module.enter


@pytest.fixture
def house_link(house: House) -> str:
    """The set-up link of a new organisation's admin."""
    words = ("pine", "--name", "Pine School", "--plan", "school", "--admin", "pia@pine.example")
    printed = house.usher("org", "create", *words)
    return next(word for word in printed.split() if "/set-up/" in word)
