"""EvilLMS's services: tokens, grades, rosters, registration and picked content, as a real Moodle answered."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from lms import keys
from lms.as_tool import LAUNCH, PERSONAL, asking, asserted, graded, known, post_score
from lms.fixtures import MakeLms
from lms.platform import Lms
from lms.words import (
    AGS,
    DL,
    ITEM_TYPE,
    ITEMS_TYPE,
    LTI,
    MEMBERS_TYPE,
    RESULTS_TYPE,
    ROSTER,
    SCORE,
    TOOL_CONFIGURATION,
    Json,
)

# Token


def test_the_token_is_called_html_and_is_json(lms: Lms) -> None:
    answer = asserted(lms, known(lms), f"{SCORE} https://unknown.example/scope")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.json() | {"access_token": ""} == {
        "access_token": "", "token_type": "Bearer", "expires_in": 3600, "scope": SCORE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "body"),
    [
        ({"scope": "https://unknown.example/scope"}, '{"error": "invalid_scope"}'),
        ({"scope": ""}, '{"error": "invalid_request"}'),
        ({"iss": "nobody", "sub": "nobody"}, '{"error": "invalid_client"}'),
        ({"exp": 22222}, '{"error": "Expired token"}'),
        ({"iat": 4102444800, "exp": 4102444860}, "Cannot handle token with iat prior to 2100-01-01T00:00:00+0000"),
        ({"kid": None}, '{"error": "error/Error: kid must be provided in JWT header."}'),
        ({"kid": "zzz"}, '{\n  "error" : ""kid" invalid, unable to lookup correct key"\n}'),
    ],
)
def test_the_words_of_a_refused_assertion(lms: Lms, wrong: Json, body: str) -> None:
    answer = asserted(lms, known(lms), **wrong)
    assert answer.status_code == 400
    assert body in answer.text


def test_who_looks_at_the_audience(make_lms: MakeLms) -> None:
    moodle, brightspace = make_lms("moodle"), make_lms("brightspace")
    assert brightspace.token_audience == "https://api.brightspace.com/auth/token" != brightspace.token_url
    assert asserted(moodle, known(moodle), aud="anything").ok
    tool = known(brightspace)
    assert asserted(brightspace, tool).ok
    assert not asserted(brightspace, tool, aud=brightspace.token_url).ok


# Grades


def test_media_types_are_demanded(lms: Lms) -> None:
    tool = known(lms)
    auth, url = asking(lms, tool), lms.claims_for()[AGS]["lineitems"]
    answers = [
        requests.get(url, headers={**auth, "Accept": accept}, timeout=5)
        for accept in (ITEMS_TYPE, "application/json", "*/*")
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 400]
    assert answers[0].json()[0]["scoreMaximum"] == 100
    assert answers[1].json()["reason"] == f"No handler found for /{lms.course.id}/lineitems application/json "
    item = {"label": "More", "scoreMaximum": 5}
    assert requests.post(url, json=item, headers=auth, timeout=5).status_code == 400
    added = requests.post(url, json.dumps(item), headers={**auth, "Content-Type": ITEM_TYPE}, timeout=5)
    assert (added.status_code, added.json()["label"]) == (201, "More")
    listed = requests.get(f"{url}&limit=1", headers={**auth, "Accept": ITEMS_TYPE}, timeout=5)
    assert "&amp;from=1>; rel=“next”" in listed.headers["Link"].encode("latin-1").decode()
    assert requests.delete(added.json()["id"], headers=auth, timeout=5).status_code == 204


def test_scores_as_moodle_takes_them(lms: Lms) -> None:
    """Scaled, clipped, refused when not newer in whole seconds, wiped by anything that is not a full grade."""
    tool = known(lms)
    auth, now = asking(lms, tool), datetime.now(UTC)

    def sent(seconds: int, **more: Any) -> int:
        at = (now + timedelta(seconds=seconds)).isoformat()
        return post_score(lms, graded(lms, timestamp=at, **more), auth).status_code

    column = lms.column_of(lms.link_of(tool))
    assert column
    results = column.results
    student = lms.user("student").id
    assert (sent(0), results[student].score) == (200, 75)
    assert (sent(0), sent(-60)) == (409, 409)
    assert (sent(1, scoreGiven=25), results[student].score) == (200, 100)
    assert (sent(2, gradingProgress="Pending"), results[student].score) == (200, None)
    assert [sent(3, userId=who) for who in ("9999", lms.user("teacher").id)] == [400, 400]
    assert post_score(lms, {"userId": student}, auth).text == "[]"


def test_results_are_read(lms: Lms) -> None:
    tool = known(lms)
    auth = asking(lms, tool)
    post_score(lms, graded(lms, comment="Well done", timestamp="2026-03-02T08:00:00.250Z"), auth)
    path, _, rest = lms.claims_for()[AGS]["lineitem"].partition("?")
    answer = requests.get(f"{path}/results?{rest}", headers={**auth, "Accept": RESULTS_TYPE}, timeout=5)
    assert answer.json() == [
        {
            "id": f"{path}/results?{rest}&user_id={lms.user('student').id}",
            "userId": lms.user("student").id,
            "resultScore": 75,
            "resultMaximum": 100,
            "scoreOf": f"{path}?{rest}",
            "timestamp": "2026-03-02T08:00:00+00:00",
            "comment": "Well done",
        }
    ]


def test_canvas_differs(make_lms: MakeLms) -> None:
    lms = make_lms("canvas")
    tool = known(lms)
    auth = asking(lms, tool)
    new = graded(lms)
    assert "resultUrl" in post_score(lms, new, auth).json()
    assert post_score(lms, {**new, "timestamp": "2020-01-01T00:00:00Z"}, auth).status_code == 400
    del new["scoreMaximum"]
    assert post_score(lms, new, auth).status_code == 422
    lms.switches.throttle_after = 0
    answer = post_score(lms, new, auth)
    assert (answer.status_code, answer.headers["X-Rate-Limit-Remaining"]) == (403, "0.0")


# Rosters


def test_the_roster_by_pages(lms: Lms) -> None:
    tool = known(lms)
    lms.switches.page_size = 3
    lms.enroll("student5", lms.course, status="Inactive")
    auth, url, everybody = asking(lms, tool), lms.members_url(tool, lms.course), []
    while url:
        answer = requests.get(url, headers={**auth, "Accept": MEMBERS_TYPE}, timeout=5)
        everybody += answer.json()["members"]
        url = answer.links.get("next", {}).get("url", "")
    assert [len(everybody), everybody[1]["roles"], everybody[6]["status"]] == [8, ["Learner"], "Inactive"]
    assert set(everybody[0]) == PERSONAL | {
        "status", "roles", "user_id", "lis_person_sourcedid", "email", "ext_user_username",
    }  # fmt: skip
    teachers = requests.get(lms.members_url(tool, lms.course), {"role": "Instructor"}, headers=auth, timeout=5).json()[
        "members"
    ]
    assert [one["ext_user_username"] for one in teachers] == ["teacher", "teacher2"]


def test_a_token_without_the_scope_reads_nothing(lms: Lms) -> None:
    tool = known(lms)
    url = lms.members_url(tool, lms.course)
    statuses = [requests.get(url, headers=asking(lms, tool, one), timeout=5).status_code for one in (SCORE, ROSTER)]
    assert statuses == [401, 200]


# Registration and content


def test_a_tool_registers_itself_once(lms: Lms) -> None:
    asked = lms.registration()
    told = requests.get(asked["openid_configuration"], timeout=5).json()
    body = {
        "response_types": ["id_token"], "initiate_login_uri": "http://localhost:1/login", "redirect_uris": [LAUNCH],
        "client_name": "Usher", "jwks_uri": "http://localhost:1/jwks", "token_endpoint_auth_method": "private_key_jwt",
        "scope": ROSTER, TOOL_CONFIGURATION: {"domain": "localhost:1", "target_link_uri": LAUNCH, "claims": ["name"]},
    }  # fmt: skip

    def register(token: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(told["registration_endpoint"], json={**body, **more}, headers=headers, timeout=5)

    assert register("").status_code == 401
    assert register(asked["registration_token"], redirect_uris=[]).status_code == 400
    answer = register(asked["registration_token"])
    tool = lms.tools[answer.json()["client_id"]]
    assert (answer.status_code, answer.json()[TOOL_CONFIGURATION]["deployment_id"]) == (200, tool.deployment_id)
    assert (tool.names, tool.emails, tool.scopes, tool.active) == (True, False, (ROSTER,), False)
    again = register(asked["registration_token"])
    assert (again.status_code, again.text) == (401, "token_already_used")


def test_picked_content_becomes_an_activity_and_a_column(lms: Lms) -> None:
    tool = known(lms)
    url = lms.claims_for(message="deep_linking")[f"{DL}deep_linking_settings"]["deep_link_return_url"]
    now = int(time.time())
    item = {"type": "ltiResourceLink", "title": "Cells", "url": f"{LAUNCH}?item=1", "lineItem": {"scoreMaximum": 20}}
    claims = {"iss": tool.client_id, "iat": now - 5, "exp": now + 60, f"{DL}content_items": [item]}
    stranger = keys.compact(claims, keys.key("stranger"), kid=keys.key("tool").kid)
    refused = requests.post(url, {"JWT": stranger}, timeout=5)
    assert (refused.status_code, lms.content) == (400, [])
    assert requests.post(url, {"JWT": keys.compact(claims, keys.key("tool"))}, timeout=5).ok
    link = next(one for one in lms.links.values() if one.title == "Cells")
    column = lms.column_of(link)
    assert column
    assert (link.url, column.maximum, lms.content) == (f"{LAUNCH}?item=1", 20, [claims])


def test_the_others_look_at_the_whole_answer(make_lms: MakeLms) -> None:
    lms = make_lms("canvas")
    tool = known(lms)
    settings = lms.claims_for(message="deep_linking")[f"{DL}deep_linking_settings"]
    now = int(time.time())
    claims = {
        "iss": tool.client_id, "aud": lms.issuer, "iat": now - 5, "exp": now + 60, "nonce": "one",
        f"{LTI}deployment_id": tool.deployment_id, f"{LTI}message_type": "LtiDeepLinkingResponse",
        f"{LTI}version": "1.3.0", f"{DL}data": settings["data"], f"{DL}content_items": [],
    }  # fmt: skip

    def status(**more: Any) -> int:
        token = keys.compact({**claims, **more}, keys.key("tool"))
        return requests.post(settings["deep_link_return_url"], {"JWT": token}, timeout=5).status_code

    assert status() == 200
    wrong = ("aud", "nonce", f"{LTI}deployment_id", f"{LTI}version", f"{DL}data")
    assert [status(**{name: ""}) for name in wrong] == [400] * 5


# Spoiled


@pytest.mark.parametrize(
    ("service", "wrong", "status"),
    [("jwks", "down", 503), ("jwks", "redirect", 302), ("jwks", "empty", 200), ("token", "garbage", 200),
     ("ags", "down", 503), ("nrps", "garbage", 200), ("nrps", "huge", 200), ("configuration", "down", 503)],
)  # fmt: skip
def test_services_can_be_spoiled(lms: Lms, service: str, wrong: str, status: int) -> None:
    tool = known(lms)
    auth = asking(lms, tool)
    setattr(lms.switches, service, wrong)
    urls = {
        "jwks": lms.jwks_url, "token": lms.token_url, "ags": lms.lineitems_url(tool, lms.course),
        "nrps": lms.members_url(tool, lms.course), "configuration": lms.configuration_url,
    }  # fmt: skip
    answer = requests.get(urls[service], headers=auth, allow_redirects=False, timeout=5)
    assert answer.status_code == status
    assert wrong != "garbage" or answer.text == "<p>not JSON"
    assert wrong != "huge" or len(answer.content) > 40 << 20


def test_pages_that_lead_astray(lms: Lms) -> None:
    tool = known(lms)
    auth, url = asking(lms, tool), lms.members_url(tool, lms.course)
    lms.switches.page_size = 5

    def following(at: str) -> str:
        answer = requests.get(at, headers=auth, timeout=5)
        assert answer.ok, answer.status_code
        return answer.links["next"]["url"]

    lms.switches.nrps = "loop"
    assert following(following(url)) == following(url)
    lms.switches.nrps = "foreign_next"
    assert following(url) == lms.switches.redirect_to
    lms.switches.nrps = "error_in_the_middle"
    assert requests.get(following(url), headers=auth, timeout=5).status_code == 500


def test_requests_are_throttled(lms: Lms) -> None:
    tool = known(lms)
    auth, url = asking(lms, tool), lms.members_url(tool, lms.course)
    lms.switches.throttle_after = 1
    answers = [requests.get(url, headers=auth, timeout=5) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["Retry-After"] == "7"
    assert len(lms.asked("/memberships", "GET")) == 2
