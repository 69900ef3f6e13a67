"""Whether a page is for everybody: nothing that axe finds, in light and dark, and nothing that scrolls sideways."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Frame, Page

COLORS = ("color-contrast", "link-in-text-block")


def fits_everybody(page: Page) -> None:
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, *COLORS) == []  # the page is the same, its colours are not
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    assert too_wide(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})


def violations(page: Page | Frame, *rules: str) -> list[str]:
    """What axe finds against all its rules, or against these alone."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found: list[str] = page.evaluate(
        """async (options) => (await axe.run(document, options)).violations.flatMap((one) =>
          one.nodes.map((node) => `${one.id}: ${one.help}: ${node.html.slice(0, 200)} ${node.failureSummary}`))""",
        options,
    )
    return found


def too_wide(page: Page | Frame) -> list[str]:
    """What makes the page scroll sideways; nothing where it does not."""
    return list(
        page.evaluate(
            """() => {
              const wide = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= wide) return [];
              const right = (one) => one.getBoundingClientRect().right;
              const parts = [...document.body.querySelectorAll("*")].filter((one) => right(one) > wide + 1);
              return parts.slice(0, 5).map((one) => one.outerHTML.slice(0, 120));
            }"""
        )
    )
