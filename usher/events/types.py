"""Every kind of event, as ``what:happened``, in alphabetical order. Public: listed in docs/events.md."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventType(StrEnum):
    """The object first, then what happened to it, in the past tense."""

    ACCOUNT_CLAIMED = "account:claimed"
    ACCOUNT_CORRECTED = "account:corrected"
    ACCOUNT_CREATED = "account:created"
    ACCOUNT_REGISTERED = "account:registered"
    ACCOUNT_SIGNED_IN = "account:signed_in"
    ACCOUNTS_UNDONE = "accounts:undone"
    ACTIVITY_CHANGED = "activity:changed"
    ACTIVITY_CREATED = "activity:created"
    ADDRESS_CHANGED = "address:changed"
    API_KEY_CREATED = "api_key:created"
    API_KEY_REVOKED = "api_key:revoked"
    CODE_CHANGED = "code:changed"
    CODE_CREATED = "code:created"
    CODE_ROTATED = "code:rotated"
    CONNECTION_CHANGED = "connection:changed"
    CONNECTION_CREATED = "connection:created"
    CONNECTION_PROVED = "connection:proved"
    CONNECTION_REMOVED = "connection:removed"
    DEPLOYMENT_APPROVED = "deployment:approved"
    DEPLOYMENT_REMOVED = "deployment:removed"
    DOMAIN_ADDED = "domain:added"
    DOMAIN_LOST = "domain:lost"
    DOMAIN_PROVED = "domain:proved"
    DOMAIN_REMOVED = "domain:removed"
    EVENTS_EXPORTED = "events:exported"
    FACTOR_ADDED = "factor:added"
    FACTOR_REMOVED = "factor:removed"
    GROUP_CHANGED = "group:changed"
    GROUP_CREATED = "group:created"
    GROUP_JOINED = "group:joined"
    GROUP_LEFT = "group:left"
    IDENTITY_LINKED = "identity:linked"
    IDENTITY_UNLINKED = "identity:unlinked"
    IMPORT_FINISHED = "import:finished"
    IMPORT_REISSUED = "import:reissued"
    IMPORT_STARTED = "import:started"
    IMPORT_UNDONE = "import:undone"
    INVITATION_ACCEPTED = "invitation:accepted"
    INVITATION_CHANGED = "invitation:changed"
    INVITATION_COPIED = "invitation:copied"
    INVITATION_CREATED = "invitation:created"
    INVITATION_DECLINED = "invitation:declined"
    INVITATION_RESENT = "invitation:resent"
    INVITATION_REVOKED = "invitation:revoked"
    LICENSE_CHANGED = "license:changed"
    LICENSE_FILLING = "license:filling"
    LMS_USER_LINKED = "lms_user:linked"
    LMS_USER_UNLINKED = "lms_user:unlinked"
    MEMBERSHIP_APPROVED = "membership:approved"
    MEMBERSHIP_ASKED = "membership:asked"
    MEMBERSHIP_CREATED = "membership:created"
    MEMBERSHIP_DEACTIVATED = "membership:deactivated"
    MEMBERSHIP_DECLINED = "membership:declined"
    MEMBERSHIP_HANDED_OVER = "membership:handed_over"
    MEMBERSHIP_MOVED = "membership:moved"
    MEMBERSHIP_REACTIVATED = "membership:reactivated"
    MEMBERSHIP_REFUSED = "membership:refused"
    MEMBERSHIP_TAKEN = "membership:taken"
    MEMBERSHIP_UNDONE = "membership:undone"
    OPERATOR_CREATED = "operator:created"
    OPERATOR_LOOKED_UP = "operator:looked_up"
    ORGANIZATION_CHANGED = "organization:changed"
    ORGANIZATION_CREATED = "organization:created"
    ORGANIZATION_DELETION_CANCELLED = "organization:deletion_cancelled"
    ORGANIZATION_DELETION_PLANNED = "organization:deletion_planned"
    ORGANIZATION_ERASED = "organization:erased"
    ORGANIZATION_RESUMED = "organization:resumed"
    ORGANIZATION_SUSPENDED = "organization:suspended"
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password:reset"  # noqa: S105 - the name of an event
    PLATFORM_CHANGED = "platform:changed"
    PLATFORM_CREATED = "platform:created"
    PLATFORM_REGISTERED = "platform:registered"
    PLATFORM_REMOVED = "platform:removed"
    RECOVERY_CODES_MADE = "recovery_codes:made"
    ROSTER_APPLIED = "roster:applied"
    ROSTER_DECLINED = "roster:declined"
    ROSTER_HELD = "roster:held"
    SCORE_PUT = "score:put"
    SECURITY_CHANGED = "security:changed"
    SERVER_CHANGED = "server:changed"
    SERVER_RESTORED = "server:restored"
    SESSION_ENDED = "session:ended"
    SETUP_LINK_CREATED = "setup_link:created"
    SETUP_LINK_USED = "setup_link:used"
    SIGN_IN_REFUSED = "sign_in:refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, the operator at the command line, or Usher itself."""

    kind: str  # "account", "operator" or "system"
    account_id: uuid.UUID | None = None


OPERATOR = Actor("operator")
SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to be recorded.

    ``data`` holds no personal value; what names a person (a typed name, an address) goes into
    ``personal``, which can be erased while the event stays.
    """

    type: EventType
    organization_id: uuid.UUID | None
    actor: Actor
    account_id: uuid.UUID | None = None
    address: str = ""  # the compare key of the address or sign-in name; only its keyed hash is stored
    method: str = ""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] | None = None
