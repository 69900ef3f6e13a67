"""The names that LTI 1.3, Deep Linking, AGS and NRPS give to things."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
DL: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
OUTCOME: Final = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
SUBMISSION: Final = "https://canvas.instructure.com/lti/submission"

# Short names for claims, as tests write them
CLAIMS: Final = {
    **{
        name: LTI + name
        for name in (
            "deployment_id", "target_link_uri", "lis", "roles", "context", "message_type", "resource_link", "ext",
            "launch_presentation", "tool_platform", "version", "custom",
        )
    },
    "deep_linking_settings": f"{DL}deep_linking_settings",
    "ags": AGS,
    "nrps": NRPS,
}  # fmt: skip

LINEITEM: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
LINEITEM_READ: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
RESULT_READ: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCORE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
ROSTER: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
GRADES: Final = (LINEITEM, LINEITEM_READ, RESULT_READ, SCORE)
SCOPES: Final = (*GRADES, ROSTER)

ITEM_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
ITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE_TYPE: Final = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS_TYPE: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

MEMBERSHIP: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
INSTITUTION: Final = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
SYSTEM: Final = "http://purl.imsglobal.org/vocab/lis/v2/system/person#"
TEST_USER: Final = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
ASSISTANT: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"

RESOURCE_LINK: Final = "LtiResourceLinkRequest"
DEEP_LINKING: Final = "LtiDeepLinkingRequest"
MESSAGES: Final = {"resource_link": RESOURCE_LINK, "deep_linking": DEEP_LINKING}
