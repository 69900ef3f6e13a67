"""Every test in this folder fails when a page breaks, is refused something by its policy, or calls another server."""

from __future__ import annotations

import pytest
from conftest import ADA, Porter

BREAKS = {
    "script: ": "() => { setTimeout(() => { throw new Error('broken on purpose'); }); }",
    "console: ": "() => console.error('said on purpose')",
    "left the server: ": "() => { new Image().src = 'https://elsewhere.example/x.png'; }",
    "Content Security Policy": "() => document.body.setAttribute('onclick', 'alert(1)') || document.body.click()",
}


@pytest.mark.parametrize("complaint", BREAKS)
def test_the_watch_would_notice(porter: Porter, complaint: str) -> None:
    page = porter.enter(ADA)
    page.goto("/o/cedar/")
    page.evaluate(BREAKS[complaint])
    page.wait_for_timeout(300)
    noticed, porter.watch.complaints[:] = list(porter.watch.complaints), []
    assert any(complaint in one for one in noticed), noticed


@pytest.mark.parametrize("path", ["/", "/o/cedar/sign-in", "/o/cedar/users", "/o/cedar/users/add/csv", "/nothing/here"])
def test_the_policy_allows_nothing_from_elsewhere(porter: Porter, path: str) -> None:
    answer = porter.enter(ADA if "users" in path else "").goto(path)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
