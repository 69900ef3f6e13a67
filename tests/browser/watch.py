"""Whoever opens a page in these tests is watched: nothing may break in it, and nothing may leave the server."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

REFUSED_PAGE = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Watch:
    """What a browser complained of. ``abroad`` is where the identity providers are: a page of ours may lead there, and
    nothing else of ours may ask there for anything."""

    address: str
    abroad: str
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", self._broke)
        page.on("request", self._asked)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if url.startswith(self.abroad):
            return  # their pages are not ours
        # Chromium says so of every page that answers 4xx, also where that is the right answer.
        if message.text.startswith(REFUSED_PAGE) and "/static/" not in url:
            return
        if message.type in ("error", "warning", "assert"):
            self.complaints.append(f"console: {message.text} ({url})")

    def _broke(self, error: Error) -> None:
        self.complaints.append(f"script: {error}")

    def _asked(self, request: Request) -> None:
        if request.url.startswith(self.abroad) and request.is_navigation_request():
            return
        if not request.url.startswith((f"{self.address}/", "data:", f"blob:{self.address}/")):
            self.complaints.append(f"left the server: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 and not response.url.startswith(self.abroad):
            self.complaints.append(f"server: {response.status} at {response.url}")
