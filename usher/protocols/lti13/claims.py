"""The names of LTI 1.3: claims, scopes, media types and messages.

1EdTech: LTI Core 1.3 (section 5.3 and appendix A), Deep Linking 2.0 (section 4), Assignment and Grade Services 2.0
(section 3), Names and Role Provisioning Services 2.0 (section 3), Dynamic Registration 1.0 (section 3).
"""

from __future__ import annotations

from typing import Final

VERSION_HERE: Final = "1.3.0"

# Core
_CORE: Final = "https://purl.imsglobal.org/spec/lti/claim/"
MESSAGE_TYPE: Final = _CORE + "message_type"
VERSION: Final = _CORE + "version"
DEPLOYMENT_ID: Final = _CORE + "deployment_id"
TARGET_LINK_URI: Final = _CORE + "target_link_uri"
ROLES: Final = _CORE + "roles"
CONTEXT: Final = _CORE + "context"
RESOURCE_LINK: Final = _CORE + "resource_link"
TOOL_PLATFORM: Final = _CORE + "tool_platform"
LAUNCH_PRESENTATION: Final = _CORE + "launch_presentation"
CUSTOM: Final = _CORE + "custom"
LIS: Final = _CORE + "lis"
ROLE_SCOPE_MENTOR: Final = _CORE + "role_scope_mentor"
# Of this shape are the names of all claims of LTI and its services.
ANY_LTI_CLAIM: Final = "https://purl.imsglobal.org/spec/lti"

# Messages
RESOURCE_LINK_REQUEST: Final = "LtiResourceLinkRequest"
DEEP_LINKING_REQUEST: Final = "LtiDeepLinkingRequest"
DEEP_LINKING_RESPONSE: Final = "LtiDeepLinkingResponse"
MESSAGES_HERE: Final = (RESOURCE_LINK_REQUEST, DEEP_LINKING_REQUEST)

# Deep linking
_DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
DEEP_LINKING_SETTINGS: Final = _DEEP_LINKING + "deep_linking_settings"
CONTENT_ITEMS: Final = _DEEP_LINKING + "content_items"
DATA: Final = _DEEP_LINKING + "data"
MESSAGE: Final = _DEEP_LINKING + "msg"
LOG: Final = _DEEP_LINKING + "log"
ERROR_MESSAGE: Final = _DEEP_LINKING + "errormsg"
ERROR_LOG: Final = _DEEP_LINKING + "errorlog"
LTI_RESOURCE_LINK: Final = "ltiResourceLink"

# Grades
AGS_ENDPOINT: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
SCOPE_LINEITEM: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_LINEITEM_READONLY: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
SCOPE_RESULT_READONLY: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_SCORE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
AGS_SCOPES: Final = (SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY, SCOPE_RESULT_READONLY, SCOPE_SCORE)
MEDIA_LINE_ITEM: Final = "application/vnd.ims.lis.v2.lineitem+json"
MEDIA_LINE_ITEMS: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
MEDIA_RESULTS: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
MEDIA_SCORE: Final = "application/vnd.ims.lis.v1.score+json"

# Rosters
NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
SCOPE_NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEDIA_MEMBERSHIPS: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

SERVICE_SCOPES: Final = (*AGS_SCOPES, SCOPE_NRPS)

# Dynamic registration
PLATFORM_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLACEMENT_CONTENT_AREA: Final = "ContentArea"
CLOSE_MESSAGE: Final = "org.imsglobal.lti.close"
