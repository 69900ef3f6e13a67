"""An authenticator app in tests: what it reads from the page that sets it up, and the codes it shows."""

from __future__ import annotations

import re
import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value


def code_of(key: str, ahead: int = 0) -> str:
    """What an app with this key shows, computed by somebody else's arithmetic."""
    return str(format_hotp_value(hotp_value(key.replace(" ", ""), int(time.time()) // 30 + ahead)))


def key_on(page: str) -> str:
    found = re.search(r'id="app-key">([A-Z2-7 ]+)<', page)
    assert found
    return found[1]


def seed_on(page: str) -> str:
    found = re.search(r'name="seed" value="([\w-]{22})"', page)
    assert found
    return found[1]


def codes_on(page: str) -> list[str]:
    return re.findall(r'<span class="code">([0-9A-Z-]{14})</span>', page)
