"""The other end of the line for tests of the LMS itself: a tool that asks as Usher should."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, Final

import jwt
import requests

from lms import keys
from lms.platform import Lms
from lms.school import Tool
from lms.tokens import ASSERTION
from lms.words import AGS, SCOPES, SCORE_TYPE, Json

LAUNCH: Final = "http://localhost:1/launch"
PERSONAL: Final = {"name", "given_name", "family_name"}


def known(lms: Lms, **more: Any) -> Tool:
    """Our tool, with a key of its own."""
    return lms.register("http://localhost:1/login", LAUNCH, jwks={"keys": [keys.key("tool").jwk()]}, **more)


def said(lms: Lms, token: str) -> Json:
    """The claims of a token that the LMS signed, verified with what its keyset says."""
    key = jwt.PyJWK(requests.get(lms.jwks_url, timeout=5).json()["keys"][0])
    claims: Json = jwt.decode(token, key, algorithms=["RS256"], audience=lms.tool.client_id)
    return claims


def query(tool: Tool, begun: dict[str, str], **more: str) -> dict[str, str]:
    """The authentication request that continues this login request."""
    return {
        "scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none",
        "client_id": tool.client_id, "redirect_uri": LAUNCH, "login_hint": begun["login_hint"],
        "lti_message_hint": begun["lti_message_hint"], "state": "a-state", "nonce": "a-nonce", **more,
    }  # fmt: skip


def asserted(
    lms: Lms, tool: Tool, scope: str = " ".join(SCOPES), kid: str | None = "", **more: Any
) -> requests.Response:
    """What the token endpoint answers to a client assertion with these claims."""
    now = int(time.time())
    claims = {"iss": tool.client_id, "sub": tool.client_id, "aud": lms.token_audience, "iat": now - 5, "exp": now + 60}
    assertion = keys.compact({**claims, **more}, keys.key("tool"), kid=kid)
    fields = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION}
    return requests.post(lms.token_url, {**fields, "client_assertion": assertion, "scope": scope}, timeout=5)


def asking(lms: Lms, tool: Tool, scope: str = " ".join(SCOPES)) -> dict[str, str]:
    """The header with an access token."""
    return {"Authorization": f"Bearer {asserted(lms, tool, scope).json()['access_token']}"}


def graded(lms: Lms, user: str = "student", **more: Any) -> Json:
    """A score of 15 of 20, now."""
    now = datetime.now(UTC).isoformat()
    full = {"activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreMaximum": 20, "scoreGiven": 15}
    return {"userId": lms.user(user).id, "timestamp": now, **full, **more}


def post_score(lms: Lms, score: Json, auth: dict[str, str]) -> requests.Response:
    """For the first activity."""
    path, _, rest = lms.claims_for()[AGS]["lineitem"].partition("?")
    headers = {**auth, "Content-Type": SCORE_TYPE}
    return requests.post(f"{path}/scores?{rest}", json.dumps(score), headers=headers, timeout=5)
