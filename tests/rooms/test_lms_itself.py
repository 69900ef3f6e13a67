"""EvilLMS speaks as a real Moodle was heard to speak, and each of its faults is one fault."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import requests
from lms.as_tool import LAUNCH, PERSONAL, asking, graded, known, post_score, query, said
from lms.defects import DEFECTS, POSITIVES, TOLERATED
from lms.families import FAMILIES
from lms.fixtures import MakeLms
from lms.platform import Lms
from lms.signon import StoppedError
from lms.words import AGS, DL, LTI, MEMBERS_TYPE, NRPS, OUTCOME

CAPTURED = {"nonce", "iat", "exp", "iss", "aud", "sub", "email", OUTCOME, AGS, NRPS} | PERSONAL
CAPTURED |= {
    LTI + name
    for name in (
        "deployment_id", "target_link_uri", "lis", "roles", "context", "message_type", "resource_link", "ext",
        "launch_presentation", "tool_platform", "version", "custom",
    )
}  # fmt: skip


# Launches


def test_a_launch_says_what_moodles_launch_said(lms: Lms) -> None:
    known(lms)
    claims = said(lms, lms.id_token("student"))
    assert set(claims) == CAPTURED
    assert claims[f"{LTI}roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]
    assert claims["exp"] - claims["iat"] == 60
    assert "?type_id=1" in claims[AGS]["lineitem"]


def test_what_is_not_shared_is_not_said(lms: Lms) -> None:
    known(lms, names=False, emails=False, custom={"mail": "$Person.email.primary", "what": "$No.Such.Var"})
    claims = said(lms, lms.id_token("student"))
    assert set(claims) == CAPTURED - PERSONAL - {"email"}
    assert claims[f"{LTI}ext"] == {"lms": "moodle-2"}
    assert claims[f"{LTI}custom"]["mail"] is None
    assert claims[f"{LTI}custom"]["what"] == "$No.Such.Var"


def test_picking_content_names_no_roster_and_no_activity(lms: Lms) -> None:
    known(lms)
    claims = said(lms, lms.id_token(message="deep_linking"))
    assert not {NRPS, OUTCOME, f"{LTI}resource_link"} & set(claims)
    assert "data" not in claims[f"{DL}deep_linking_settings"]


def test_a_launch_is_answered_once(lms: Lms) -> None:
    tool = known(lms)
    begun = lms.login_parameters(tool, "student")
    assert set(begun) == {
        "iss", "target_link_uri", "login_hint", "lti_message_hint", "client_id", "lti_deployment_id",
    }  # fmt: skip
    answer = lms.answer(tool, query(tool, begun))
    assert answer["state"] == "a-state"
    assert said(lms, answer["id_token"])["nonce"] == "a-nonce"
    with pytest.raises(StoppedError, match="no launch"):
        lms.answer(tool, query(tool, begun))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"prompt": "login"}, "invalid_request"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"login_hint": "999"}, "access_denied"),
        ({"client_id": "another"}, "unauthorized_client"),
    ],
)
def test_what_is_told_to_the_tool(lms: Lms, wrong: dict[str, str], error: str) -> None:
    tool = known(lms)
    answer = lms.answer(tool, query(tool, lms.login_parameters(tool), **wrong))
    assert (answer["error"], answer["state"]) == (error, "a-state")


@pytest.mark.parametrize(
    "wrong", [{"scope": "openid email"}, {"response_type": "code"}, {"nonce": ""}, {"redirect_uri": f"{LAUNCH}/"}]
)
def test_what_ends_on_a_page_of_the_lms(lms: Lms, wrong: dict[str, str]) -> None:
    tool = known(lms)
    with pytest.raises(StoppedError):
        lms.answer(tool, query(tool, lms.login_parameters(tool), **wrong))


# Faults: whether the header, the payload and the signature are those of a good token

BY_SIGNATURE = {
    "no kid": (False, True, True), "unknown kid": (False, True, True), "another key": (True, True, False),
    "tampered": (True, False, False), "alg none": (False, True, False), "rs384": (False, True, False),
    "hs256 with the public key": (False, True, False),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_fault_is_one_fault(lms: Lms, name: str) -> None:
    known(lms)
    claims = lms.claims_for(nonce="the-nonce")
    good, bad = lms.sign(claims), DEFECTS[name](lms, claims)
    header, payload = jwt.get_unverified_header(bad), jwt.decode(bad, options={"verify_signature": False})
    options: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    options |= {"verify_iss": False, "verify_sub": False}
    try:
        jwt.decode(bad, lms.keys[0].private.public_key(), algorithms=["RS256"], options=options)
        signed = True
    except jwt.InvalidTokenError:
        signed = False
    found = (header == jwt.get_unverified_header(good), payload == claims, signed)
    assert found == BY_SIGNATURE.get(name, (True, False, True))


def test_there_are_as_many_as_the_certification_has(lms: Lms) -> None:
    known(lms)
    assert len(POSITIVES) == 18
    tokens = [lms.id_token(**arguments) for arguments in (*POSITIVES.values(), *TOLERATED.values())]
    assert len(set(tokens)) == len(tokens)
    lms.defect = "no sub"
    assert "sub" not in said(lms, lms.id_token())


def test_the_key_of_the_day(lms: Lms) -> None:
    known(lms)
    old = lms.id_token()
    lms.rotate_keys()
    assert said(lms, lms.id_token())
    with pytest.raises(jwt.InvalidSignatureError):
        said(lms, old)
    lms.rotate_keys(keep=1)
    assert len(requests.get(lms.jwks_url, timeout=5).json()["keys"]) == 2


# Every family, and the pages


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_launches_and_tells_its_roster(make_lms: MakeLms, family: str) -> None:
    lms = make_lms(family)
    tool = known(lms)
    begun = lms.login_parameters(tool, "ta")
    claims = said(lms, lms.answer(tool, query(tool, begun))["id_token"])
    assert claims["iss"] == begun["iss"] == lms.issuer
    assert begun[lms.family.hint] == claims[f"{LTI}deployment_id"]
    auth = {**asking(lms, tool), "Accept": MEMBERS_TYPE}
    roster = requests.get(claims[NRPS]["context_memberships_url"], headers=auth, timeout=5).json()
    assert claims["sub"] in {one["user_id"] for one in roster["members"]}
    assert post_score(lms, graded(lms), auth).ok
    assert requests.get(lms.configuration_url, timeout=5).ok is lms.family.dynamic


def test_a_person_launches_from_the_course_page(lms: Lms) -> None:
    tool = known(lms)
    link = lms.link_of(tool)
    assert link
    with requests.Session() as browser:
        browser.post(f"{lms.url}/sign-in", {"as": "student"}, timeout=5)
        at = f"{lms.url}/course/{lms.course.id}/link/{link.id}"
        assert "<iframe" in browser.get(at, timeout=5).text
        assert 'action="http://localhost:1/login"' in browser.get(f"{at}/launch", timeout=5).text
        posted = browser.get(lms.auth_url, params=query(tool, lms.login_parameters(tool, "student")), timeout=5)
        assert f'action="{LAUNCH}"' in posted.text
        assert 'name="id_token"' in posted.text
        assert "Stina Berg" in browser.get(f"{lms.url}/course/{lms.course.id}/grades", timeout=5).text
        assert browser.get(f"{lms.url}/tools", timeout=5).status_code == 403
    assert [request.path for request in lms.requests[-2:]] == [f"/course/{lms.course.id}/grades", "/tools"]
