"""The words for every type of event: how it is told to those who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usher.events.types import EventType


@dataclass(frozen=True, slots=True)
class Wording:
    """How a type of event is told. The sentence is filled with the words of :func:`_words`."""

    title: str | Promise
    sentence: str | Promise
    icon: str = "history"
    look: str = ""  # "ok" when somebody gained something, "bad" for a no


WORDINGS: Mapping[EventType, Wording] = {
    EventType.ACCOUNT_CLAIMED: Wording(
        _("Proved the address"),
        _("The account is the person's own now. What was set before stopped working."),
        icon="id-badge-2",
        look="ok",
    ),
    EventType.ACCOUNT_CORRECTED: Wording(_("Corrected"), _("Name or address corrected by {actor}."), icon="pencil"),
    EventType.ACCOUNT_CREATED: Wording(_("Account made"), _("Made by {actor}."), icon="user-plus", look="ok"),
    EventType.ACCOUNT_REGISTERED: Wording(
        _("Registered"), _("The person proved the address and chose a password."), icon="id-badge-2", look="ok"
    ),
    EventType.ACCOUNT_SIGNED_IN: Wording(_("Signed in"), _("{way}."), icon="login-2"),
    EventType.ACCOUNTS_UNDONE: Wording(
        _("Manual creation undone"), _("By {actor}: {removed} removed, {stayed} stay."), icon="arrow-back-up"
    ),
    EventType.ACTIVITY_CHANGED: Wording(_("Activity changed"), _("{title}, by {actor}."), icon="list-check"),
    EventType.ACTIVITY_CREATED: Wording(_("Activity made"), _("{title}, by {actor}."), icon="list-check", look="ok"),
    EventType.ADDRESS_CHANGED: Wording(_("Address changed"), _("The person proved the new one."), icon="mail"),
    EventType.API_KEY_CREATED: Wording(_("API key made"), _("{name} ({prefix}…), by {actor}."), icon="key", look="ok"),
    EventType.API_KEY_REVOKED: Wording(_("API key revoked"), _("{name} ({prefix}…), by {actor}."), icon="key"),
    EventType.CODE_CHANGED: Wording(_("Invite code changed"), _("{changes}, by {actor}."), icon="ticket"),
    EventType.CODE_CREATED: Wording(_("Invite code made"), _("For {role}, by {actor}."), icon="ticket", look="ok"),
    EventType.CODE_ROTATED: Wording(
        _("Invite code rotated"), _("By {actor}. The old one stopped working."), icon="refresh"
    ),
    EventType.CONNECTION_CHANGED: Wording(
        _("Connection changed"), _("{provider}: {changes}, by {actor}."), icon="plug"
    ),
    EventType.CONNECTION_CREATED: Wording(_("Connection added"), _("{provider}, by {actor}."), icon="plug", look="ok"),
    EventType.CONNECTION_PROVED: Wording(
        _("Connection proved"),
        _("{provider}, by {actor}. It is known now whose people it signs in."),
        icon="plug",
        look="ok",
    ),
    EventType.CONNECTION_REMOVED: Wording(_("Connection removed"), _("{provider}, by {actor}."), icon="plug-x"),
    EventType.DEPLOYMENT_APPROVED: Wording(
        _("Deployment approved"), _("{provider}: {deployment}, by {actor}."), icon="school", look="ok"
    ),
    EventType.DEPLOYMENT_REMOVED: Wording(
        _("Deployment removed"), _("{provider}: {deployment}, by {actor}."), icon="school"
    ),
    EventType.DOMAIN_ADDED: Wording(_("Domain added"), _("{domain}, by {actor}. Not proved yet."), icon="world"),
    EventType.DOMAIN_LOST: Wording(
        _("Domain lost"), _("The proof for {domain} is gone, so it opens nothing any more."), icon="world-x", look="bad"
    ),
    EventType.DOMAIN_PROVED: Wording(_("Domain proved"), _("{domain}, by {actor}."), icon="world-check", look="ok"),
    EventType.DOMAIN_REMOVED: Wording(_("Domain removed"), _("{domain}, by {actor}."), icon="world-minus"),
    EventType.EVENTS_EXPORTED: Wording(_("Events exported"), _("By {actor}."), icon="download"),
    EventType.FACTOR_ADDED: Wording(_("Sign-in made safer"), _("Added: {factor}."), icon="shield-plus", look="ok"),
    EventType.FACTOR_REMOVED: Wording(
        _("Sign-in protection removed"), _("Removed by {actor}: {factor}."), icon="shield-minus"
    ),
    EventType.GROUP_CHANGED: Wording(_("Group changed"), _("{group}: {changes}, by {actor}."), icon="users-group"),
    EventType.GROUP_CREATED: Wording(_("Group made"), _("{group}, by {actor}."), icon="users-plus", look="ok"),
    EventType.GROUP_JOINED: Wording(_("Joined a group"), _("{group}, as {right}, by {actor}."), icon="users-group"),
    EventType.GROUP_LEFT: Wording(_("Left a group"), _("{group}, by {actor}."), icon="users-group"),
    EventType.IDENTITY_LINKED: Wording(
        _("Single sign-on linked"), _("{provider}: from now on it opens the account."), icon="link-plus", look="ok"
    ),
    EventType.IDENTITY_UNLINKED: Wording(_("Single sign-on unlinked"), _("{provider}, by {actor}."), icon="link-minus"),
    EventType.IMPORT_FINISHED: Wording(
        _("Import finished"),
        _("{file}, by {actor}: {created} in, {unchanged} unchanged, {refused} refused."),
        icon="file-spreadsheet",
        look="ok",
    ),
    EventType.IMPORT_REISSUED: Wording(_("New passwords for an import"), _("{file}, by {actor}."), icon="key"),
    EventType.IMPORT_STARTED: Wording(
        _("Import started"), _("{file} with {rows} rows, by {actor}."), icon="file-spreadsheet"
    ),
    EventType.IMPORT_UNDONE: Wording(
        _("Import undone"), _("{file}, by {actor}: {removed} removed, {stayed} stay."), icon="arrow-back-up"
    ),
    EventType.INVITATION_ACCEPTED: Wording(
        _("Invitation accepted"), _("{method}, as {role}."), icon="mail-check", look="ok"
    ),
    EventType.INVITATION_CHANGED: Wording(_("Invitation changed"), _("Now as {role}, by {actor}."), icon="mail"),
    EventType.INVITATION_COPIED: Wording(_("Link copied"), _("Of an invitation, by {actor}."), icon="link"),
    EventType.INVITATION_CREATED: Wording(_("Invited"), _("As {role}, by {actor}."), icon="mail"),
    EventType.INVITATION_DECLINED: Wording(
        _("Invitation declined"), _("Whoever has the address said that it was not for them."), icon="mail-x"
    ),
    EventType.INVITATION_RESENT: Wording(
        _("Invited again"), _("As {role}, by {actor}. The earlier link stopped working."), icon="mail-forward"
    ),
    EventType.INVITATION_REVOKED: Wording(
        _("Invitation taken back"), _("By {actor}. Its link stopped working."), icon="mail-off", look="bad"
    ),
    EventType.LICENSE_CHANGED: Wording(_("Licence changed"), _("{changes}, by {actor}."), icon="certificate"),
    EventType.LICENSE_FILLING: Wording(
        _("Seats run out"), _("{used} of {limit} {pool} seats are taken."), icon="alert-triangle", look="bad"
    ),
    EventType.LMS_USER_LINKED: Wording(
        _("LMS linked"), _("{platform}: from now on it opens the account in its pages."), icon="link-plus", look="ok"
    ),
    EventType.LMS_USER_UNLINKED: Wording(_("LMS unlinked"), _("{platform}, by {actor}."), icon="link-minus"),
    EventType.MEMBERSHIP_APPROVED: Wording(_("Let in"), _("As {role}, by {actor}."), icon="door-enter", look="ok"),
    EventType.MEMBERSHIP_ASKED: Wording(_("Asked to come in"), _("{method}, as {role}{evidence}."), icon="hand-stop"),
    EventType.MEMBERSHIP_CREATED: Wording(
        _("Joined"), _("{method}, by {actor}, as {role}{evidence}."), icon="door-enter", look="ok"
    ),
    EventType.MEMBERSHIP_DEACTIVATED: Wording(_("Deactivated"), _("By {actor}. The seat is free."), icon="user-off"),
    EventType.MEMBERSHIP_DECLINED: Wording(_("Not let in"), _("By {actor}."), icon="ban", look="bad"),
    EventType.MEMBERSHIP_HANDED_OVER: Wording(
        _("Handed over"), _("The person took this membership to an account of their own."), icon="id-badge-2"
    ),
    EventType.MEMBERSHIP_MOVED: Wording(_("Role changed"), _("From {from} to {to}, by {actor}."), icon="adjustments"),
    EventType.MEMBERSHIP_REACTIVATED: Wording(
        _("Reactivated"), _("As {role}, by {actor}."), icon="user-check", look="ok"
    ),
    EventType.MEMBERSHIP_REFUSED: Wording(
        _("Refused"), _("{no} {method}, by {actor}{evidence}."), icon="ban", look="bad"
    ),
    EventType.MEMBERSHIP_TAKEN: Wording(
        _("Took the membership"),
        _("The person proved the address and took what was made for it."),
        icon="id-badge-2",
        look="ok",
    ),
    EventType.MEMBERSHIP_UNDONE: Wording(
        _("Removed by an undo"), _("By {actor}. The seat is free."), icon="arrow-back-up"
    ),
    EventType.OPERATOR_CREATED: Wording(_("Operator made"), _("By {actor}."), icon="terminal-2"),
    EventType.OPERATOR_LOOKED_UP: Wording(_("Looked up"), _("Across organisations, by {actor}."), icon="search"),
    EventType.ORGANIZATION_CHANGED: Wording(_("Settings changed"), _("{changes}, by {actor}."), icon="settings"),
    EventType.ORGANIZATION_CREATED: Wording(
        _("Organisation made"), _("With the plan {plan}, by {actor}."), icon="building", look="ok"
    ),
    EventType.ORGANIZATION_DELETION_CANCELLED: Wording(
        _("Deletion called off"), _("By {actor}."), icon="building", look="ok"
    ),
    EventType.ORGANIZATION_DELETION_PLANNED: Wording(
        _("Deletion planned"), _("For {delete_on}, by {actor}. Suspended until then."), icon="trash", look="bad"
    ),
    EventType.ORGANIZATION_ERASED: Wording(
        _("Organisation deleted"), _("{slug}, with all that was in it."), icon="trash"
    ),
    EventType.ORGANIZATION_RESUMED: Wording(_("Resumed"), _("By {actor}."), icon="player-play", look="ok"),
    EventType.ORGANIZATION_SUSPENDED: Wording(_("Suspended"), _("By {actor}{why}."), icon="lock", look="bad"),
    EventType.PASSWORD_CHANGED: Wording(_("Chose a password"), _("The person chose it."), icon="key"),
    EventType.PASSWORD_RESET: Wording(
        _("New password"), _("Made by {actor}. The old one stopped working."), icon="key"
    ),
    EventType.ROSTER_APPLIED: Wording(
        _("Roster followed"), _("{course}: {came} came in, {left} left the group; by {actor}."), icon="school"
    ),
    EventType.ROSTER_DECLINED: Wording(
        _("Roster not followed"), _("{course}: {people} stay in the group, by {actor}."), icon="school"
    ),
    EventType.ROSTER_HELD: Wording(
        _("Roster waits for an admin"), _("{course}: {people} would leave the group."), icon="school", look="bad"
    ),
    EventType.SCORE_PUT: Wording(_("Scored"), _("In an activity, by {actor}."), icon="list-check", look="ok"),
    EventType.SECURITY_CHANGED: Wording(_("Sign-in rules changed"), _("{changes}, by {actor}."), icon="shield"),
    EventType.SERVER_CHANGED: Wording(_("Server settings changed"), _("{changes}, by {actor}."), icon="settings"),
    EventType.PLATFORM_CHANGED: Wording(_("LMS changed"), _("{provider}: {changes}, by {actor}."), icon="school"),
    EventType.PLATFORM_CREATED: Wording(_("LMS added"), _("{provider}, by {actor}."), icon="school", look="ok"),
    EventType.PLATFORM_REGISTERED: Wording(
        _("LMS registered"), _("{provider}, by the URL of {actor}. Not approved yet."), icon="school", look="ok"
    ),
    EventType.PLATFORM_REMOVED: Wording(_("LMS removed"), _("{provider}, by {actor}."), icon="school"),
    EventType.RECOVERY_CODES_MADE: Wording(
        _("Recovery codes made"), _("By {actor}. Earlier ones stopped working."), icon="lifebuoy"
    ),
    EventType.SERVER_RESTORED: Wording(
        _("Restored from a backup"), _("Of {made_at}, by {actor}. Sessions and unused links ended."), icon="history"
    ),
    EventType.SESSION_ENDED: Wording(_("Signed out elsewhere"), _("In {count} other browsers."), icon="logout"),
    EventType.SETUP_LINK_CREATED: Wording(_("Set-up link made"), _("By {actor}; it works for 7 days."), icon="ticket"),
    EventType.SETUP_LINK_USED: Wording(
        _("Set-up link used"), _("The person chose a password."), icon="login-2", look="ok"
    ),
    EventType.SIGN_IN_REFUSED: Wording(_("Sign-in refused"), _("{provider}: {no}"), icon="door-off", look="bad"),
}
