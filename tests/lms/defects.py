"""Every way in which an ID token can be wrong, one at a time; and the odd ones that are right.

The first twelve defects and the eighteen positives are those of the 1EdTech certification suite for tools.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from lms import keys
from lms.claims import changed
from lms.words import INSTITUTION, MEMBERSHIP, Json

if TYPE_CHECKING:
    from lms.platform import Lms

Defect = Callable[["Lms", Json], str]
UNKNOWN_ROLE: Final = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"
LONG: Final = "x" * 300
HOUR: Final = 3600


def _saying(**changes: Any) -> Defect:
    """Signed as it should be, but with these claims."""
    return lambda lms, claims: lms.sign(changed(claims, changes))


def _signed(**how: Any) -> Defect:
    """The right claims, signed like this."""
    return lambda lms, claims: lms.sign(claims, **how)


def _by_another_key(lms: Lms, claims: Json) -> str:
    return lms.sign(claims, key=keys.key("stranger"), kid=lms.keys[0].kid)


def _tampered(lms: Lms, claims: Json) -> str:
    return keys.with_payload(lms.sign(claims), {**claims, "sub": f"{claims['sub']}0"})


def _long_ago(lms: Lms, claims: Json) -> str:
    return lms.sign({**claims, "iat": int(time.time()) - 30 * 24 * HOUR})


def _far_ahead(lms: Lms, claims: Json) -> str:
    now = int(time.time())
    return lms.sign({**claims, "iat": now + 24 * HOUR, "exp": now + 25 * HOUR})


def _expired(lms: Lms, claims: Json) -> str:
    now = int(time.time())
    return lms.sign({**claims, "iat": now - 2 * HOUR, "exp": now - HOUR})


def _not_yet(lms: Lms, claims: Json) -> str:
    return lms.sign({**claims, "nbf": int(time.time()) + HOUR})


# A of the certification: known bad payloads
BAD_PAYLOADS: Final[dict[str, Defect]] = {
    "no kid": _signed(kid=None),
    "unknown kid": _signed(kid="imstester_66067"),
    "wrong version": _saying(version="11.3"),
    "no version": _saying(version=None),
    "not a launch": lambda lms, _claims: lms.sign({"name": "badltilaunch"}),
    "claims missing": _saying(aud=None, iss=None, sub=None, deployment_id=None, roles=None),
    "timestamps": _saying(iat=11111, exp=22222),
    "no message type": _saying(message_type=None),
    "no roles": _saying(roles=None),
    "no deployment": _saying(deployment_id=None),
    "no resource link id": _saying(resource_link={"title": "An activity without an id"}),
    "no sub": _saying(sub=None),
}

# F: what the security framework asks besides
FORGED: Final[dict[str, Defect]] = {
    "another key": _by_another_key,
    "tampered": _tampered,
    "alg none": _signed(alg="none"),
    "hs256 with the public key": _signed(alg="HS256"),
    "rs384": _signed(alg="RS384"),
    "wrong iss": _saying(iss="https://evil.example"),
    "iss with a slash": _saying(iss=lambda claims: f"{claims['iss']}/"),
    "wrong aud": _saying(aud="somebody-else"),
    "aud with an extra": _saying(aud=lambda claims: [claims["aud"], "somebody-else"], azp=lambda claims: claims["aud"]),
    "several aud without azp": _saying(aud=lambda claims: [claims["aud"], claims["iss"]]),
    "foreign azp": _saying(azp="somebody-else"),
    "empty aud": _saying(aud=[]),
    "expired": _expired,
    "iat long ago": _long_ago,
    "iat far ahead": _far_ahead,
    "not yet valid": _not_yet,
    "no exp": _saying(exp=None),
    "no iat": _saying(iat=None),
    "no nonce": _saying(nonce=None),
    "another nonce": _saying(nonce="not-the-one-that-was-asked-for"),
    "empty sub": _saying(sub=""),
    "oversize sub": _saying(sub=LONG),
    "oversize deployment": _saying(deployment_id=LONG),
    "oversize context": _saying(context={"id": LONG, "title": "Biology 1"}),
    "oversize resource link": _saying(resource_link={"id": LONG, "title": "Practice"}),
    "sub is a number": _saying(sub=5),
    "roles is a string": _saying(roles=f"{MEMBERSHIP}Instructor"),
    "unknown deployment": _saying(deployment_id="987654"),
    "wrong target": _saying(target_link_uri="https://evil.example/launch"),
    "no target": _saying(target_link_uri=None),
    "unknown message type": _saying(message_type="LtiSubmissionReviewRequest"),
}
DEFECTS: Final[dict[str, Defect]] = {**BAD_PAYLOADS, **FORGED}

NO_NAMES: Final[Json] = {"name": None, "given_name": None, "family_name": None}
NO_EMAIL: Final[Json] = {"email": None}


def _launches(role: str) -> dict[str, Json]:
    """The nine that must be taken, for Instructor or Learner."""
    whole, learner = f"{MEMBERSHIP}{role}", role == "Learner"
    who = {"user": "student" if learner else "teacher"}
    several = [whole, f"{INSTITUTION}{'Student' if learner else 'Faculty'}", f"{MEMBERSHIP}Mentor"]
    return {
        "plain": {**who, "roles": [whole]},
        "several roles": {**who, "roles": several},
        "short role": {**who, "roles": [role]},
        "unknown role": {**who, "roles": [whole, UNKNOWN_ROLE] if learner else [UNKNOWN_ROLE]},
        "no role": {**who, "roles": []},
        "email only": {**who, **NO_NAMES},
        "names only": {**who, **NO_EMAIL},
        "nothing personal": {**who, **NO_NAMES, **NO_EMAIL, "ext": None, "lis": None},
        "without context": {**who, "context": None, "nrps": None, "ags": None},
    }


# B of the certification: arguments of Lms.id_token
POSITIVES: Final[dict[str, Json]] = {
    f"{who}, {name}": arguments
    for who, role in (("teacher", "Instructor"), ("student", "Learner"))
    for name, arguments in _launches(role).items()
}

# Odd, and to be taken all the same: also arguments of Lms.id_token
TOLERATED: Final[dict[str, Json]] = {
    "unknown claims": {"https://vendor.example/claim": {"deep": ["anything", None]}},
    "unresolved variables": {"custom": {"unknown": "$No.Such.Var", "mail": None, "groupids": ""}},
    "aud is a list of one": {"aud": lambda claims: [claims["aud"]], "azp": lambda claims: claims["aud"]},
    "azp is ours": {"azp": lambda claims: claims["aud"]},
    "iat half a minute ahead": {"iat": lambda claims: claims["iat"] + 30},
    "empty email": {"email": ""},
    "roles with an empty one": {"roles": [""]},
}
