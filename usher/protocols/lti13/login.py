"""How a launch begins: 1EdTech Security Framework 1.0, sections 5.1.1.1 and 5.1.1.2; LTI Core 1.3, section 4.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from usher.protocols.lti13.errors import LtiError
from usher.protocols.lti13.parameters import needed, once

LONGEST_ID: Final = 255  # characters; the same for all ids of LTI
LONGEST_HINT: Final = 4096  # hints are the platform's own words, some of them signed tokens
LONGEST_URL: Final = 4096


@dataclass(frozen=True, slots=True)
class Login:
    """A request to begin. Nothing in it is signed: it only says whom to ask. What was not sent is ""."""

    issuer: str
    login_hint: str = field(repr=False)
    target_link_uri: str
    message_hint: str = field(default="", repr=False)
    client_id: str = ""
    deployment_id: str = ""
    storage_target: str = ""


def read_login(parameters: Mapping[str, Sequence[str]]) -> Login:
    """The request, sent by GET or POST. Raises LtiError."""
    return Login(
        issuer=needed(parameters, "iss", LONGEST_ID),
        login_hint=needed(parameters, "login_hint", LONGEST_HINT),
        target_link_uri=needed(parameters, "target_link_uri", LONGEST_URL),
        message_hint=once(parameters, "lti_message_hint", LONGEST_HINT),
        client_id=once(parameters, "client_id", LONGEST_ID),
        deployment_id=_deployment(parameters),
        storage_target=once(parameters, "lti_storage_target", LONGEST_ID),
    )


def authentication_url(
    auth_url: str, *, client_id: str, redirect_uri: str, login: Login, state: str, nonce: str
) -> str:
    """Where the browser goes next. A query that ``auth_url`` has already stays in front."""
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "login_hint": login.login_hint,
        "state": state,
        "nonce": nonce,
    }
    if login.message_hint:
        asked["lti_message_hint"] = login.message_hint
    parts = urlsplit(auth_url)
    query = "&".join(filter(None, (parts.query, urlencode(asked))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _deployment(parameters: Mapping[str, Sequence[str]]) -> str:
    """Canvas calls it ``deployment_id``, everybody else ``lti_deployment_id``."""
    ours = once(parameters, "lti_deployment_id", LONGEST_ID)
    theirs = once(parameters, "deployment_id", LONGEST_ID)
    if ours and theirs and ours != theirs:
        raise LtiError("repeated", "The platform sent two different deployment ids.")
    return ours or theirs
