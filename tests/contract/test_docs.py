"""Docs that fail the build: every reason, event type, setting and way in has its row or page."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from usher.config import Config
from usher.core.reasons import Reason
from usher.events.types import EventType
from usher.organizations.plans import Method

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# A room with several ways in has a page for each.
SEVERAL = {"sso": ("microsoft", "google", "oidc")}
ROOMS = sorted(path.name for path in (ROOT / "usher" / "methods").iterdir() if (path / "entry.py").exists())
PAGES = sorted((DOCS / "methods").glob("*.md"))


def first_cells(name: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", (DOCS / name).read_text(), re.MULTILINE)


def test_every_reason_has_its_row() -> None:
    assert first_cells("reasons.md") == [reason.code for reason in Reason]


def test_every_event_type_has_its_row() -> None:
    assert first_cells("events.md") == [kind.value for kind in EventType]


def test_every_setting_has_its_row() -> None:
    names = [str(field.validation_alias or f"USHER_{name.upper()}") for name, field in Config.model_fields.items()]
    assert first_cells("settings.md") == names


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Config.model_fields.items() if not field.description] == []


def test_the_tables_say_what_the_code_says() -> None:
    tables = runpy.run_path(str(ROOT / "tools" / "docs_tables.py"))
    stale = [name for name in tables["TABLES"] if (ROOT / name).read_text() != tables["current"](name)]
    assert stale == [], "run: python tools/docs_tables.py"


@pytest.mark.parametrize("room", ROOMS)
def test_every_way_in_has_its_page(room: str) -> None:
    for method in SEVERAL.get(room, (room,)):
        assert method in set(Method)
        assert (DOCS / "methods" / f"{method}.md").exists()


def headings(page: Path) -> list[str]:
    return re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_pages_have_the_same_headings(page: Path) -> None:
    assert headings(page) == headings(PAGES[0])


def test_event_types_stand_in_order_and_are_named_alike() -> None:
    kinds = [kind.value for kind in EventType]
    assert kinds == sorted(kinds)
    assert all(re.fullmatch(r"[a-z_]+:[a-z_]+", kind) for kind in kinds)


@pytest.mark.parametrize("document", sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []
