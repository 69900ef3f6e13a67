"""Launches from the LMS of the tests, as a browser makes them: login, the LMS's own page, our launch address."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client
from lms.platform import Lms
from lms.school import Tool

from usher.activities.models import Activity
from usher.core import clock
from usher.methods.lti import keys, platforms
from usher.methods.lti.models import Deployment, Platform
from usher.organizations.models import Organization
from usher.people.names import name_key

FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


def connected(lms: Lms, slug: str = "cedar", *, tool: Tool | None = None, **facts: Any) -> tuple[Platform, Tool]:
    """The LMS and the organisation know each other; its deployment is approved, and the connection is on.

    ``tool``: one that the LMS has already, as where two organisations register the same. ``slug`` "": the operator's.
    """
    organization = Organization.objects.select_related("license").get(slug=slug) if slug else None
    told = {"issuer": lms.issuer, "auth_url": lms.auth_url, "token_url": lms.token_url, "jwks_url": lms.jwks_url}
    told |= {"family": lms.family.name, "token_audience": lms.token_audience, "state": "on", **facts}
    platform = Platform.objects.create(organization=organization, **told)
    found = tool or lms.register(platforms.login_url(platform), platforms.launch_url(platform), jwks=keys.jwks)
    Platform.objects.filter(id=platform.id).update(client_id=found.client_id, jwks_url=lms.jwks_url)
    if organization:
        Deployment.objects.create(
            platform=platform, organization=organization, deployment_id=found.deployment_id, approved_at=clock.now()
        )
    platform.refresh_from_db()
    return platform, found


def activity(slug: str = "cedar", title: str = "A walk through the lab", **facts: Any) -> Activity:
    """One that is built in, and graded."""
    organization = Organization.objects.get(slug=slug)
    given: dict[str, Any] = {"is_graded": True, "score_maximum": 10}
    given |= facts if "target_url" in facts else {"scenario": "chemistry_room", **facts}
    return Activity.objects.create(organization=organization, title=title, title_key=name_key(title), **given)


def begin(browser: Client, platform: Platform, parameters: dict[str, str], **headers: str) -> Any:
    """What the LMS posts to the login address, and what we answer."""
    return browser.post(f"/lti/{platform.id}/login", parameters, headers=headers)


def query_of(answer: Any) -> dict[str, str]:
    """What our redirect asks the LMS for."""
    assert answer.status_code == 302, (answer.status_code, answer.content[-1500:])
    return dict(parse_qsl(urlsplit(answer["Location"]).query))


def launch(
    browser: Client, lms: Lms, platform: Platform, tool: Tool, user: str = "student", **changes: Any
) -> Any:  # fmt: skip
    """The whole way; returns what the launch address answers. ``link``, ``course``, ``message`` go to the login."""
    where = {name: changes.pop(name) for name in ("link", "course", "message") if name in changes}
    asked = query_of(begin(browser, platform, lms.login_parameters(tool, user, **where)))
    return arrive(browser, platform, lms.answer(tool, asked, **changes))


def arrive(browser: Client, platform: Platform, form: dict[str, str], **headers: str) -> Any:
    return browser.post(f"/lti/{platform.id}/launch", form, headers=headers)


def at(answer: Any) -> str:
    """The address of the page that the launch leads to, by a redirect or by a page that goes on by itself."""
    if answer.status_code == 302:
        return str(answer["Location"])
    found = re.search(r'http-equiv="refresh" content="0; ?url=([^"]+)"', said(answer))
    assert found, (answer.status_code, said(answer)[-1500:])
    return found[1]


def said(answer: Any) -> str:
    return str(answer.content.decode())
