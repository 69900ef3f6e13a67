"""The look keeps its promises: every contrast of the theme, no physical sides, nothing a strict CSP forbids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from usher.core.accent import accent_css, content_color, contrast

ROOT = Path(__file__).resolve().parents[2]
TEXT, PART = 4.5, 3.0
TEXTS = [
    ("base-content", "base-100"),
    ("base-content", "base-200"),
    ("muted", "base-100"),
    ("muted", "base-200"),
    ("muted", "soft-info"),
    ("primary", "base-100"),
    ("primary", "base-200"),
    ("primary-content", "primary"),
    ("secondary-content", "secondary"),
    ("accent-content", "accent"),
    ("on-torch", "torch"),
    ("neutral-content", "neutral"),
    ("info-content", "info"),
    ("success-content", "success"),
    ("warning-content", "warning"),
    ("error-content", "error"),
    ("on-info", "soft-info"),
    ("on-ok", "soft-ok"),
    ("on-ok", "base-100"),
    ("on-ok", "soft-info"),
    ("on-warn", "soft-warn"),
    ("on-warn", "base-100"),
    ("on-bad", "soft-bad"),
    ("on-bad", "base-100"),
    ("on-bad", "soft-info"),
    ("on-ticket", "ticket"),
    ("org-content", "org"),
]
PARTS = [
    ("edge", "base-100"),
    ("edge", "base-200"),
    ("primary", "base-100"),
    ("error", "base-100"),
    ("base-content", "base-200"),  # the ink of the focus ring
    ("torch", "ticket"),
]
# UI.md's own numbers for both themes: a token may change, but not without changing the table it is judged by.
TABLE = {
    ("base-content", "base-100"): (15.7, 13.5),
    ("muted", "base-200"): (6.0, 8.4),
    ("muted", "soft-info"): (5.5, 5.7),
    ("primary", "base-200"): (8.1, 10.0),
    ("on-ok", "soft-info"): (7.4, 8.5),
    ("on-warn", "soft-warn"): (8.5, 9.6),
    ("on-bad", "soft-bad"): (7.7, 9.4),
    ("on-ticket", "ticket"): (8.9, 9.1),
    ("edge", "base-200"): (3.4, 4.6),
    ("torch", "ticket"): (4.9, 5.4),
}
PHYSICAL_CSS = re.compile(
    r"(?<![-\w])(?:(?:margin|padding|border|inset)-(?:left|right)(?:-\w+)*|left|right|float"
    r"|border-(?:top|bottom)-(?:left|right)-radius)\s*:|text-align:\s*(?:left|right)|float:\s*(?:left|right)"
)
PHYSICAL_CLASS = re.compile(
    r"(?<![-\w])-?(?:[mp][lr]-[\w.\[]|(?:left|right)-[\w.\[]|text-(?:left|right)\b"
    r"|(?:border|rounded|float|clear)-(?:[lr]|tl|tr|bl|br|left|right)\b|space-x-)"
)
FORBIDDEN = {
    "a style attribute": re.compile(r"\sstyle\s*="),
    "a style tag": re.compile(r"<style\b"),
    "an event attribute": re.compile(r"\son[a-z]+\s*="),
    "a script written into the page": re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))"),
    "an address of another machine": re.compile(r"(?:src|href)=\"(?:https?:)?//"),
}


def themes() -> dict[str, dict[str, str]]:
    source = (ROOT / "assets" / "theme.css").read_text()
    blocks = re.findall(r'@plugin "daisyui/theme" \{(.*?)\n\}', source, re.DOTALL)
    named = {re.search(r'name: "([^"]+)"', block)[1]: block for block in blocks}  # type: ignore[index]
    return {name: dict(re.findall(r"--(?:color-)?([\w-]+): (#[0-9a-f]{6,8});", block)) for name, block in named.items()}


def pages() -> list[Path]:
    """Without the mails: what is not inline in them is not seen, and no page shows them but in a sandbox."""
    templates = (ROOT / "usher").rglob("*.html")
    return [path for path in templates if "dist" not in path.parts and path.parent.name != "mail"]


def styles() -> list[Path]:
    return sorted((ROOT / "assets").rglob("*.css"))


def without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


@pytest.mark.parametrize("theme", ["usher", "usher-dark"])
@pytest.mark.parametrize(("front", "ground"), TEXTS)
def test_text_can_be_read(theme: str, front: str, ground: str) -> None:
    colors = themes()[theme]
    assert contrast(colors[front], colors[ground]) >= TEXT


@pytest.mark.parametrize("theme", ["usher", "usher-dark"])
@pytest.mark.parametrize(("front", "ground"), PARTS)
def test_parts_can_be_seen(theme: str, front: str, ground: str) -> None:
    colors = themes()[theme]
    assert contrast(colors[front], colors[ground]) >= PART


@pytest.mark.parametrize(("pair", "ratios"), TABLE.items())
def test_table_of_the_design_holds(pair: tuple[str, str], ratios: tuple[float, float]) -> None:
    front, ground = pair
    found = [contrast(colors[front], colors[ground]) for colors in themes().values()]
    assert found == pytest.approx(ratios, abs=0.06)


def test_both_themes_name_the_same_tokens() -> None:
    light, dark = themes().values()
    assert light.keys() == dark.keys()
    assert len(light) > 35


@pytest.mark.parametrize(
    "color", ["#23583c", "#ffffff", "#000000", "#f4b52a", "#777777", "#7f7f7f", "#ff0000", "#00aaff", "#5a7d8c"]
)
def test_every_accent_becomes_readable(color: str) -> None:
    pairs = re.findall(r"--org:(#\w{6});--org-content:(#\w{6})", accent_css(color))
    assert len(pairs) == 3  # light, dark by the system, dark by choice
    assert all(contrast(text, ground) >= TEXT for ground, text in pairs)
    assert all(text == content_color(ground) for ground, text in pairs)


@pytest.mark.parametrize("color", ["", "red", "#fff", "#12345g", "#23583c}body{display:none", "#23583c\n"])
def test_what_is_no_color_changes_nothing(color: str) -> None:
    assert accent_css(color) == ""


@pytest.mark.parametrize("path", styles(), ids=lambda path: path.name)
def test_styles_know_start_and_end_only(path: Path) -> None:
    assert PHYSICAL_CSS.findall(without_comments(path.read_text())) == []


def test_pages_know_start_and_end_only() -> None:
    found = {
        str(path.relative_to(ROOT)): PHYSICAL_CLASS.findall(names)
        for path in pages()
        for names in re.findall(r'class="([^"]*)"', path.read_text())
        if PHYSICAL_CLASS.search(names)
    }
    assert found == {}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_pages_hold_nothing_a_strict_policy_forbids(what: str) -> None:
    assert [str(path.relative_to(ROOT)) for path in pages() if FORBIDDEN[what].search(path.read_text())] == []


@pytest.mark.parametrize(
    "text", ["margin-left: 1px", "a{right:0}", "text-align: right", "border-top-left-radius: 2px", "padding-right:0"]
)
def test_the_watch_for_physical_styles_is_awake(text: str) -> None:
    assert PHYSICAL_CSS.search(text)


@pytest.mark.parametrize("text", ["ml-4", "-mr-2", "md:pl-3", "left-0", "text-right", "rounded-l", "border-r"])
def test_the_watch_for_physical_classes_is_awake(text: str) -> None:
    assert PHYSICAL_CLASS.search(text)


@pytest.mark.parametrize(
    "text", ["ms-4 pe-2 start-0 text-start rounded-s", "btn btn-primary", "stack near", "relative"]
)
def test_the_watch_lets_logical_classes_pass(text: str) -> None:
    assert not PHYSICAL_CLASS.search(text)
