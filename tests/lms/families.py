"""What differs between the LMSs: issuers, paths, roles, and how their services behave.

Moodle's answers were captured from a real one; the others follow their makers' documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lms.words import ASSISTANT, INSTITUTION, MEMBERSHIP, SYSTEM, TEST_USER

TEACHER, LEARNER = f"{MEMBERSHIP}Instructor", f"{MEMBERSHIP}Learner"
MOODLE_ROLES: Final = {
    "teacher": (TEACHER,),
    "ta": (TEACHER,),
    "student": (LEARNER,),
    "admin": (f"{INSTITUTION}Administrator", TEACHER, f"{SYSTEM}Administrator"),
    "tester": (LEARNER, TEST_USER),
    "designer": (TEACHER,),
}
FULL_ROLES: Final = {
    "teacher": (f"{INSTITUTION}Instructor", TEACHER, f"{SYSTEM}User"),
    "ta": (f"{INSTITUTION}Instructor", TEACHER, ASSISTANT, f"{SYSTEM}User"),
    "student": (f"{INSTITUTION}Student", LEARNER, f"{SYSTEM}User"),
    "admin": (f"{INSTITUTION}Administrator", f"{MEMBERSHIP}Administrator", f"{SYSTEM}User"),
    "tester": (f"{INSTITUTION}Student", LEARNER, f"{SYSTEM}User", TEST_USER),
    "designer": (f"{INSTITUTION}Instructor", f"{MEMBERSHIP}ContentDeveloper", f"{SYSTEM}User"),
}


@dataclass(frozen=True, eq=False)
class Family:
    """``issuer`` empty: the LMS's own address; ``audience`` empty: the token URL. Paths begin with a slash.

    ``lineitems``, ``lineitem`` and ``members`` are templates over course, column and tool (its number).
    """

    name: str
    product: str
    auth: str
    token: str
    jwks: str
    lineitems: str = "/ags/{course}/lineitems"
    lineitem: str = "/ags/{course}/lineitems/{column}/lineitem"
    members: str = "/nrps/{course}/memberships"
    configuration: str = "/.well-known/openid-configuration"
    registration: str = "/connect/register"
    issuer: str = ""
    audience: str = ""
    dynamic: bool = True
    storage: bool = True
    short_roles: bool = False  # in NRPS
    checks_audience: bool = True  # of a client assertion
    token_type: str = "application/json; charset=utf-8"
    deployment: str = "uuid"  # or number
    subject: str = "uuid"  # or number, hex, tenant
    context_type: str = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"
    hint: str = "lti_deployment_id"  # what the login request calls the deployment
    stale_score: int = 409
    throttled: int = 429
    roles: dict[str, tuple[str, ...]] = field(default_factory=lambda: FULL_ROLES)


MOODLE: Final = Family(
    name="moodle",
    product="moodle",
    auth="/mod/lti/auth.php",
    token="/mod/lti/token.php",
    jwks="/mod/lti/certs.php",
    lineitems="/mod/lti/services.php/{course}/lineitems?type_id={tool}",
    lineitem="/mod/lti/services.php/{course}/lineitems/{column}/lineitem?type_id={tool}",
    members="/mod/lti/services.php/CourseSection/{course}/bindings/{tool}/memberships",
    configuration="/mod/lti/openid-configuration.php",
    registration="/mod/lti/openid-registration.php",
    storage=False,
    short_roles=True,
    checks_audience=False,
    token_type="text/html; charset=utf-8",
    deployment="number",
    subject="number",
    context_type="CourseSection",
    roles=MOODLE_ROLES,
)
CANVAS: Final = Family(
    name="canvas",
    product="canvas",
    issuer="https://canvas.instructure.com",
    auth="/api/lti/authorize_redirect",
    token="/login/oauth2/token",
    jwks="/api/lti/security/jwks",
    lineitems="/api/lti/courses/{course}/line_items",
    lineitem="/api/lti/courses/{course}/line_items/{column}",
    members="/api/lti/courses/{course}/names_and_roles",
    configuration="/api/lti/security/openid-configuration",
    registration="/api/lti/registrations",
    hint="deployment_id",
    stale_score=400,
    throttled=403,
)
BLACKBOARD: Final = Family(
    name="blackboard",
    product="BlackboardLearn",
    issuer="https://blackboard.com",
    auth="/api/v1/gateway/oidcauth",
    token="/api/v1/gateway/oauth2/jwttoken",
    jwks="/api/v1/management/applications/{client}/jwks.json",
    subject="hex",
    dynamic=False,
)
BRIGHTSPACE: Final = Family(
    name="brightspace",
    product="desire2learn",
    auth="/d2l/lti/authenticate",
    token="/core/connect/token",
    jwks="/d2l/.well-known/jwks",
    audience="https://api.brightspace.com/auth/token",
    configuration="/d2l/.well-known/openid-configuration",
    registration="/d2l/api/lti/1.3/register",
    subject="tenant",
)
SCHOOLOGY: Final = Family(
    name="schoology",
    product="schoology",
    issuer="https://schoology.schoology.com",
    auth="/lti-service/authorize-redirect",
    token="/lti-service/access-token",
    jwks="/lti-service/.well-known/jwks",
    dynamic=False,
)
SAKAI: Final = Family(
    name="sakai",
    product="sakai",
    auth="/imsoidc/lti13/oidc_auth",
    token="/imsblis/lti13/token",
    jwks="/imsblis/lti13/keyset",
    configuration="/imsblis/lti13/well_known",
    registration="/imsblis/lti13/registration_endpoint",
    deployment="number",
    storage=False,
)
FAMILIES: Final = {one.name: one for one in (MOODLE, CANVAS, BLACKBOARD, BRIGHTSPACE, SCHOOLOGY, SAKAI)}
