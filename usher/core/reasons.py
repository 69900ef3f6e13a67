"""Every "no" Usher can say: one list, each with its sentence, its next step and its HTTP status.

Page, CSV row, CLI and API show the same text. The member's name in lower case is its public code
(``Reason.SEATS_TAKEN`` is ``seats_taken``), listed in docs/reasons.md; codes are never renamed.
"""

from __future__ import annotations

from enum import Enum, unique

from django.utils.translation import gettext_lazy as _

from usher.core.findings import Blanks, Fact, Finding

__all__ = ["Fact", "Finding", "Reason"]


@unique
class Reason(Enum):
    """A reason to refuse: (sentence, next step, HTTP status). Braces are filled with the facts of the case."""

    # The address
    ADDRESS_INCOMPLETE = (
        _("The address “{given}” is not complete."),
        _("Write it in full, for example name@school.example."),
        400,
    )
    ADDRESS_NOT_ALLOWED = (
        _("The address “{given}” has a form that mail servers read in different ways."),
        _("Use plain letters, numbers and . _ + - before the @, without quotes, spaces or comments."),
        400,
    )
    ADDRESS_MADE_UP = (
        _("Addresses under .invalid are made by Usher and receive no mail."),
        _("Leave the e-mail empty and give a username: Usher makes the sign-in name."),
        400,
    )
    ADDRESS_TOO_LONG = (_("The address is longer than 254 characters."), _("Use a shorter address."), 400)
    ADDRESS_NAME_TOO_LONG = (
        _("The part of the address before the @ has {length} characters; {limit} is the most."),
        _("Use a shorter address."),
        400,
    )
    NO_MAILBOX = (
        _("A sign-in name without e-mail gets no mail."),
        _("Ask your teacher or an admin for a new password."),
        400,
    )
    ADDRESS_SAME = (_("This is the address you have now."), _("Give another one."), 400)
    ADDRESS_OPENS_ANOTHER = (
        _("This address opens another account by now."),
        _("Sign in with it, or give your account another address."),
        409,
    )
    DOMAIN_NOT_ALLOWED = (
        _("“{given}” is not a mail domain."),
        _("Write what stands after the @, for example school.example; separate several by commas."),
        400,
    )
    # The name
    NAME_MISSING = (_("The name is missing."), _("Give a username."), 400)
    NAME_TOO_LONG = (
        _("The name has {length} characters; {limit} is the most."),
        _("Shorten it to {limit} characters."),
        400,
    )
    NAME_HIDDEN_CHARACTERS = (
        _("The name holds hidden characters that change how it reads."),
        _("Type the name again by hand."),
        400,
    )
    NAME_DAMAGED = (
        _("The name has lost a letter: it holds the sign �."),
        _("Type the name again, or save the file as “CSV UTF-8” from where it came."),
        400,
    )
    NAME_LOOKS_LIKE_FORMULA = (
        _("The name begins with “{first}”; a spreadsheet would read it as a formula."),
        _("Begin the name with a letter or a number."),
        400,
    )
    SAME_NAME = (
        _("“{username}” is already here without an e-mail address."),
        _("Add a surname or a number. On a list, “allow the same name” lets both in."),
        409,
    )
    # The password
    PASSWORD_TOO_SHORT = (
        _("The password has {length} characters; at least {limit} are needed."),
        _("Use {limit} characters or more, or leave it empty: Usher makes one."),
        400,
    )
    PASSWORD_TOO_LONG = (
        _("The password is longer than {limit} characters."),
        _("Use {limit} characters or fewer."),
        400,
    )
    PASSWORD_NEEDS_LETTERS_AND_NUMBERS = (
        _("The password needs letters and numbers."),
        _("Add what is missing, or leave it empty: Usher makes one."),
        400,
    )
    PASSWORD_TOO_COMMON = (
        _("The password is one that many people use."),
        _("Choose another, or leave it empty: Usher makes one."),
        400,
    )
    PASSWORD_LOOKS_LIKE_FORMULA = (
        _("The password begins with “{first}”; a spreadsheet would read it as a formula."),
        _("Begin the password with a letter or a number."),
        400,
    )
    PASSWORD_HIDDEN_CHARACTERS = (
        _("The password holds characters that cannot be typed."),
        _("Use letters, numbers and the signs on the keyboard."),
        400,
    )
    # A row of a file
    CELL_TOO_LONG = (
        _("A cell has {length} characters; {limit} is the most."),
        _("Shorten the cell in column {column}."),
        400,
    )
    CELL_NOT_TEXT = (
        _("A cell holds a character that is not text (NUL)."),
        _("Type the cell in column {column} again."),
        400,
    )
    ROW_TOO_WIDE = (
        _("The row has {cells} cells, the header {columns}."),
        _("Put quotes around values that contain the separator."),
        400,
    )
    ROW_WITHOUT_PERSON = (
        _("The row names nobody: e-mail and username are both empty."),
        _("Give an e-mail address or a username."),
        400,
    )
    ROW_WITH_TOO_MANY_GROUPS = (
        _("The row names {count} groups; {limit} is the most."),
        _("Name fewer groups, or put the person into the others later."),
        400,
    )
    DUPLICATE_IN_FILE = (
        _("Same address as line {first_line}. The first one stands."),
        _("Delete this line, or correct the address."),
        409,
    )
    # A whole file
    FILE_EMPTY = (_("The file is empty."), _("Save the list as CSV and choose it again."), 400)
    FILE_WITHOUT_ROWS = (
        _("The file has a header but no people."),
        _("Add one line for each person below the header."),
        400,
    )
    FILE_WITHOUT_COLUMN = (
        _("The first line has neither a column “email” nor “username”."),
        _("Start from the template; its first line is email,password,username."),
        400,
    )
    FILE_COLUMN_TWICE = (
        _("The column “{column}” stands in the header twice."),
        _("Delete or rename one of the two."),
        400,
    )
    FILE_NOT_A_LIST = (
        _("The file is not a list: it looks like {looks_like}."),
        _("Save it as CSV or .xlsx and choose it again."),
        400,
    )
    FILE_BROKEN = (
        _("The .xlsx file cannot be opened."),
        _("Open it in a spreadsheet, save it as CSV and choose that."),
        400,
    )
    FILE_TOO_LARGE = (
        _("The file has {size} MB; {limit} MB is the most."),
        _("Split the file in two."),
        413,
    )
    FILE_TOO_MANY_ROWS = (
        _("The file has more than {limit} rows."),
        _("Split the file in two."),
        413,
    )
    FILE_TOO_MANY_COLUMNS = (
        _("The file has more than {limit} columns."),
        _("Keep the columns email, password, username, role and groups."),
        413,
    )
    FILE_MIXED_ENCODING = (
        _("Line {line} is written in another encoding than the rest of the file."),
        _("Save the file as “CSV UTF-8” and choose it again."),
        400,
    )
    FILE_OPEN_QUOTE = (
        _("A quote that begins in line {line} is never closed."),
        _("Close or delete the quote in line {line}."),
        400,
    )
    FILE_BAD_QUOTE = (
        _("Line {line} has a quote in the middle of a cell."),
        _("Write the quote twice, or delete it."),
        400,
    )
    TOO_MANY_ACCOUNTS = (
        _("{count} accounts at once are too many; {limit} is the most."),
        _("Make them in several parts, or import a CSV file."),
        413,
    )
    NOBODY_NAMED = (_("Nobody is named."), _("Write one name per line, or give a number."), 400)
    # People to invite: pasted, or on a list
    NO_ADDRESS_HERE = (
        _("“{given}” has no e-mail address beside it."),
        _("Add the address, or delete the line."),
        400,
    )
    INVITATION_NEEDS_ADDRESS = (
        _("An invitation needs an e-mail address; this row has none."),
        _("Give the address, or delete the row."),
        400,
    )
    NOBODY_TO_INVITE = (
        _("Nobody is named."),
        _("Paste e-mail addresses, or choose a file with a column “email”."),
        400,
    )
    NOBODY_HAS_ACCOUNT = (
        _("Nobody on this list was refused because of an account of their own; only those are invited from it."),
        _("Paste the addresses of others, or choose a list without the columns “result” and “reason”."),
        400,
    )
    TOO_MANY_TO_INVITE = (
        _("{count} people at once are too many; {limit} is the most."),
        _("Invite them in several parts."),
        413,
    )
    TEXT_TOO_LONG = (
        _("The text has {length} characters; {limit} is the most."),
        _("Send it in several parts."),
        413,
    )
    # An import that stops or waits
    IMPORT_BUSY = (
        _("Another import is running on this server."),
        _("Wait until it is done, then send the file again."),
        503,
    )
    LIST_STOPPED = (
        _("The list stops here, before its end."),
        _("Do the same again: nobody is added twice."),
        503,
    )
    IMPORT_OPEN = (
        _("This import is not finished."),
        _("Send the same file again: it completes the import and holds the passwords."),
        409,
    )
    # The door
    LICENSE_ENDED = (
        _("The licence ended on {date}."),
        _("Renew the licence; everybody who is in stays in."),
        403,
    )
    ORGANIZATION_SUSPENDED = (
        _("This organisation is suspended."),
        _("Ask the operator of this server. Nothing is lost meanwhile."),
        403,
    )
    LICENSE_NOT_STARTED = (_("The licence starts on {date}."), _("Try again on that day."), 403)
    METHOD_NOT_IN_PLAN = (
        _("The plan “{plan}” does not include this way in."),
        _("Use another way, or ask the operator for it."),
        403,
    )
    UNKNOWN_ROLE = (
        _("There is no role “{role}” in this plan."),
        _("Use one of: {roles}."),
        400,
    )
    ROLE_ABOVE_YOURS = (
        _("The role “{role}” is above your own."),
        _("Choose a lower role, or ask an admin."),
        403,
    )
    NO_GROUPS_IN_PLAN = (
        _("The plan “{plan}” has no groups."),
        _("Leave the group out."),
        400,
    )
    UNKNOWN_GROUP = (
        _("There is no group “{group}”."),
        _("Make the group first, or tick “make missing groups”."),
        400,
    )
    GROUP_CLOSED = (
        _("The group “{group}” is closed."),
        _("Open the group, or choose another."),
        409,
    )
    GROUP_FULL = (
        _("All {cap} places in the group “{group}” are taken."),
        _("Raise the limit of the group, or choose another."),
        409,
    )
    GROUP_NAME_WITH_BAR = (
        _("The name of a group cannot hold “|”."),
        _("Write it without the bar, which separates groups in files."),
        400,
    )
    GROUP_NAME_TAKEN = (_("There is a group “{group}” already."), _("Choose another name."), 409)
    NOT_YOUR_GROUP = (
        _("You may add people to your own groups only."),
        _("Choose one of your groups, or ask an admin."),
        403,
    )
    SEATS_TAKEN = (
        _("All {limit} {pool} seats are taken."),
        _("An admin frees a seat or asks for more; then do the same again."),
        409,
    )
    HAS_ACCOUNT = (
        _("This address has an account of its own."),
        _("Invite them instead, by e-mail or with a code."),
        409,
    )
    MEMBER_INACTIVE = (
        _("This membership was deactivated."),
        _("An admin can reactivate it under Users."),
        409,
    )
    ACCOUNT_BELONGS_ELSEWHERE = (
        _("This account belongs to another organisation and its address is not proved."),
        _("Prove an e-mail address first, then join."),
        403,
    )
    # Invite codes
    CODE_DEAD = (
        _("This code does not work."),
        _("Check it letter by letter, or ask the person who gave it to you for a new one."),
        404,
    )
    CODE_PAUSED = (
        _("This code is paused."),
        _("Ask the person who gave it to you."),
        409,
    )
    CODE_NOT_STARTED = (_("This code works from {date}."), _("Try again then."), 409)
    CODE_ENDED = (
        _("This code ended on {date}."),
        _("Ask the person who gave it to you for a new one."),
        410,
    )
    CODE_USED_UP = (
        _("This code is used up."),
        _("Ask the person who gave it to you for more uses."),
        409,
    )
    CODE_NEEDS_ADDRESS = (
        _("This code is for people with an address at {domains}."),
        _("Prove such an address under Account, then use the code again."),
        403,
    )
    UNKNOWN_CODE = (_("There is no such code here."), _("Go back to the list of codes."), 404)
    GROUP_HAS_CODE = (_("The group “{group}” has a code already."), _("Change that one, or rotate it."), 409)
    CODE_FOR_ADMINS = (
        _("No code gives the role “{role}”."),
        _("Choose a lower role. Make somebody admin under Users."),
        400,
    )
    CODE_ENDS_BEFORE_START = (
        _("The code would end before it starts."),
        _("Choose a last day that is not before {date}."),
        400,
    )
    CODE_DAY_TOO_FAR = (
        _("The day {date} is too far away."),
        _("Choose a day of this century."),
        400,
    )
    CODE_USES_NOT_POSSIBLE = (
        _("A code cannot be for {given} people."),
        _("Give a number from 1 to {limit}, or leave it empty for no limit."),
        400,
    )
    CODE_TOO_MANY_DOMAINS = (_("{count} domains are too many; {limit} is the most."), _("Name fewer."), 400)
    CODE_NOT_AT_ONCE = (
        _("“In at once” is for the plan School, the role “{role}” and no e-mail domains."),
        _("Let people prove the address first, or change what is in the way."),
        400,
    )
    DOOR_MINUTES = (
        _("A door opens for 1 to {limit} minutes."),
        _("Choose another time. A code that stays open for days has a last day among its options."),
        400,
    )
    # People who are in
    NOT_A_MEMBER = (_("“{sign_in}” is not a member here."), _("Check the spelling."), 404)
    ADDRESS_TAKEN = (
        _("Somebody here has the address “{given}” already."),
        _("Use another address, or correct that person first."),
        409,
    )
    LAST_ADMIN = (
        _("This is the last admin who can sign in."),
        _("Make another person admin first."),
        409,
    )
    HOME_STAYS = (
        _("This account belongs to {organization}."),
        _("Prove an e-mail address of yours first, or ask an admin there."),
        403,
    )
    NAME_KEPT_BY = (
        _("{organization} keeps the name of this account."),
        _("Ask an admin or your teacher to correct it."),
        403,
    )
    ABOVE_YOU = (
        _("This person's role is above your own."),
        _("Ask somebody with the same role or a higher one."),
        403,
    )
    NOT_BELOW_YOU = (
        _("This person's role is not below your own."),
        _("Ask somebody with a higher role, or the operator for a set-up link."),
        403,
    )
    NOT_IN_YOUR_GROUPS = (
        _("This person is in none of your groups."),
        _("Ask an admin."),
        403,
    )
    NOT_MANAGED_HERE = (
        _("This account is not managed by your organisation alone."),
        _("The person resets the password by “Forgot your password?”."),
        403,
    )
    # Undoing an import or accounts made in advance
    STAYS_CLAIMED = (
        _("The address is proved: the account is the person's own."),
        _("If the seat is still taken, deactivate the person under Users to free it."),
        409,
    )
    STAYS_SIGNED_IN = (
        _("The person has signed in."),
        _("If the seat is still taken, deactivate the person under Users to free it."),
        409,
    )
    STAYS_ELSEWHERE = (
        _("The person is a member of another organisation too."),
        _("If the seat is still taken, deactivate the person under Users to free it."),
        409,
    )
    STAYS_CHANGED = (
        _("Something was changed about the person since: {change}."),
        _("If the seat is still taken, deactivate the person under Users to free it."),
        409,
    )
    NOBODY_TO_UNDO = (
        _("Nobody whom this brought can be removed."),
        _("Deactivate people under Users to free their seats."),
        409,
    )
    UNDO_ENDED = (
        _("This could be undone until {date}."),
        _("Deactivate the people under Users to free their seats."),
        410,
    )
    RUN_UNDONE = (
        _("This import has been undone."),
        _("Send the file again: that is a new import then."),
        409,
    )
    UNKNOWN_RUN = (
        _("There is no import “{id}” here, and no creation."),
        _("See the list with: usher imports --org {slug}."),
        404,
    )
    # Signing in
    SIGN_IN_FAILED = (
        _("The name or the password is not right."),
        _("Try again, or ask the person who gave you the login."),
        403,
    )
    TOO_MANY_TRIES = (
        _("Too many tries."),
        _("Wait {minutes} minutes, then try again."),
        429,
    )
    PROOF_FAILED = (_("This is not your password."), _("Type the password you sign in with."), 403)
    PROVED_BY_NOBODY = (
        _("{provider} did not prove that it is you."),
        _("Try again, and sign in there with the account that opens yours here."),
        403,
    )
    SECOND_FACTOR_WRONG = (
        _("This code is not right, or it was used before."),
        _("Type the code that the app shows now, or one of your recovery codes."),
        403,
    )
    SECOND_STEP_OVER = (
        _("Signing in took longer than 10 minutes."),
        _("Go to the start and sign in again."),
        403,
    )
    SECOND_FACTOR_MISSING = (
        _("This account has neither an authenticator app nor a passkey."),
        _("Add one of them first."),
        409,
    )
    SECOND_FACTOR_THERE = (
        _("This account has an authenticator app already."),
        _("Remove it first, then set up the new one."),
        409,
    )
    APP_CODE_WRONG = (
        _("The code does not fit."),
        _("Check that the clock of your phone is right, then type the code that the app shows now."),
        400,
    )
    PASSKEY_REFUSED = (
        _("This passkey did not work."),
        _("Try again, or sign in with your password."),
        403,
    )
    PASSKEY_KNOWN = (_("This device is on your list already."), _("Use it, or add another one."), 409)
    PASSKEYS_FULL = (
        _("You have {limit} passkeys; more are not kept."),
        _("Remove one that you do not use any more."),
        409,
    )
    LINK_DEAD = (
        _("This link has been used or has ended."),
        _("Ask for a new link."),
        410,
    )
    REGISTRATION_DEAD = (
        _("This link has been used, has ended, or there is a newer one."),
        _("Open the newest mail. If you have confirmed already, sign in."),
        410,
    )
    ACCOUNT_EXISTS = (
        _("There is an account with this address already."),
        _("Sign in with it, or choose a new password under “Forgot your password?”."),
        409,
    )
    LINK_OF_ANOTHER = (
        _("This link is for another account."),
        _("Sign in with that account, then open the link again."),
        403,
    )
    PASSWORD_SAME = (_("This is the password you have now."), _("Choose another one."), 400)
    PASSWORD_WRONG = (_("The old password is not right."), _("Type the password you have now."), 403)
    PASSWORDS_DIFFER = (_("The two passwords are not the same."), _("Type the password twice."), 400)
    # The organisation's settings
    NOT_A_COLOR = (
        _("“{given}” is not a colour."),
        _("Write # and six signs, each 0 to 9 or a to f, for example #0d5160."),
        400,
    )
    UNKNOWN_TIME_ZONE = (_("There is no time zone “{given}”."), _("Choose one from the list."), 400)
    UNKNOWN_LANGUAGE = (_("Usher has no language “{given}”."), _("Choose one from the list."), 400)
    LOGO_TOO_LARGE = (
        _("The logo has {size} kB; {limit} kB is the most."),
        _("Save it smaller, then choose it again. Some 400 pixels on each side are plenty."),
        413,
    )
    LOGO_TOO_WIDE = (
        _("The logo has {width} × {height} pixels; {limit} on each side is the most."),
        _("Make it smaller, then choose it again. Some 400 pixels on each side are plenty."),
        413,
    )
    LOGO_NOT_A_PICTURE = (
        _("The file is neither a PNG nor a JPEG picture, whatever its name says."),
        _("Open the logo in a picture program, save it as PNG, then choose that file."),
        400,
    )
    LOGO_BROKEN = (
        _("The picture is damaged, or a part of it is missing."),
        _("Save the logo again as PNG, then choose that file."),
        400,
    )
    # The operator
    SLUG_TAKEN = (
        _("The short name “{slug}” is or was in use."),
        _("Choose another short name."),
        409,
    )
    SLUG_NOT_ALLOWED = (
        _("The short name “{slug}” is not allowed."),
        _("Use 2 to 40 small letters, numbers and hyphens, beginning with a letter."),
        400,
    )
    UNKNOWN_ORGANIZATION = (
        _("There is no organisation “{slug}”."),
        _("See the list with: usher org list."),
        404,
    )
    UNKNOWN_ACCOUNT = (
        _("Nobody has proved the address “{given}”."),
        _("Check the spelling. For somebody whom an organisation made, its staff make a new password."),
        404,
    )
    UNKNOWN_PLAN = (_("There is no plan “{plan}”."), _("Use one of: {plans}."), 400)
    UNKNOWN_POOL = (
        _("The plan has no seats of the kind “{pool}”."),
        _("Use one of: {pools}."),
        400,
    )
    PLAN_LACKS_ROLES = (
        _("The plan “{plan}” lacks roles that people here bear: {roles}."),
        _("Keep the plan, or make a new organisation with the other one."),
        409,
    )
    LICENSE_ENDS_BEFORE_START = (
        _("The licence would end on {ends}, before it starts on {starts}."),
        _("Choose a later end or an earlier start."),
        400,
    )
    SLUG_NOT_TYPED = (
        _("“{given}” is not the short name of this organisation."),
        _("Type “{slug}” to delete it."),
        400,
    )
    DELETION_BEGUN = (
        _("The deletion of this organisation has begun; nothing stops it any more."),
        _("Restore a backup of an earlier day to get it back."),
        409,
    )
    # An invitation by e-mail
    INVITATION_DEAD = (
        _("This invitation does not work any more."),
        _("Use the newest mail you got, or ask whoever invited you for another one."),
        410,
    )
    INVITATION_EXPIRED = (
        _("This invitation ended on {date}."),
        _("Ask whoever invited you for another one."),
        410,
    )
    INVITATION_REVOKED = (
        _("This invitation was taken back."),
        _("Ask whoever invited you for another one."),
        410,
    )
    INVITATION_USED = (_("This invitation was used."), _("If it was you, sign in."), 410)
    INVITER_GONE = (
        _("Whoever invited you may not invite people any more."),
        _("Ask an admin of {organization} for another invitation."),
        409,
    )
    INVITATION_FOR_ANOTHER = (
        _("This invitation is for {address}."),
        _("Sign out, and open the link again."),
        403,
    )
    ALREADY_INVITED = (
        _("This address has an invitation that waits to be accepted."),
        _("Send that one again from the list of invitations."),
        409,
    )
    ALREADY_MEMBER = (
        _("This person is a member already."),
        _("Change the role or the groups on the Users page."),
        409,
    )
    ADDRESS_SUPPRESSED = (
        _("Whoever has this address wants no invitations by mail."),
        _("Talk to the person, and give them an invite code."),
        409,
    )
    MAIL_NOT_WANTED = (
        _("Whoever has this address wanted no more invitations by mail, so none is sent."),
        _("Ask whoever gave you this link for an invite code."),
        409,
    )
    WAITS_FOR_YES = (
        _("You asked to come in by a code, and nobody has decided yet."),
        _("Ask an admin to let you in; the invitation stays as it is."),
        409,
    )
    ADDRESS_HAS_ENOUGH = (
        _("This address got as many invitations as it may get in one day."),
        _("Send it again tomorrow, or copy the link and hand it over."),
        429,
    )
    TOO_MANY_INVITATIONS = (
        _("Only {left} more invitations can go out now."),
        _("Send fewer, and the others tomorrow."),
        429,
    )
    TOO_MANY_TO_TELL = (
        _("{count} people of this file would be told by mail, and only {left} mails can go out now."),
        _("Import without “Tell them by mail”, or send a part of the file today and the rest on other days."),
        429,
    )
    NOTE_NOT_ALLOWED = (
        _("A note of your own can be added once the operator knows your organisation."),
        _("Leave the note empty, or ask the operator to mark the organisation as trusted."),
        403,
    )
    NOTE_TOO_LONG = (
        _("The note has {length} characters; {limit} is the most."),
        _("Shorten it to {limit} characters."),
        400,
    )
    UNKNOWN_INVITATION = (
        _("There is no such invitation here."),
        _("Look at the list of invitations."),
        404,
    )
    INVITATION_OVER = (
        _("This invitation is over: {standing}."),
        _("Invite the person anew."),
        409,
    )
    INVITATION_DAYS = (
        _("An invitation cannot live for {given} days."),
        _("Choose a number from 1 to {limit}."),
        400,
    )
    # Single sign-on
    SSO_CANCELLED = (_("{provider} did not sign you in."), _("Try again, or sign in another way."), 403)
    SSO_OVER = (
        _("This sign-in took longer than ten minutes, or was begun in another browser."),
        _("Start again from the sign-in page."),
        400,
    )
    SSO_UNREACHABLE = (
        _("{provider} does not answer at the moment."),
        _("Try again in some minutes. If you have a password, sign in with it."),
        503,
    )
    SSO_NOT_TRUSTED = (
        _("What {provider} answered could not be trusted, so nobody was signed in."),
        _("Try once more. If it stays so, tell your admin: the page of the connection shows what was wrong."),
        403,
    )
    SSO_OFF = (
        _("{organization} does not sign in with {provider} at the moment."),
        _("Sign in another way, or ask an admin of {organization}."),
        403,
    )
    TENANT_UNKNOWN = (
        _("Nobody here has connected your Microsoft tenant."),
        _("Ask the people who sent you for another way in, or your IT to connect the tenant."),
        403,
    )
    TENANT_WRONG = (
        _("This Microsoft account belongs to another tenant than {organization}’s."),
        _("Sign out of Microsoft, and choose the account of your school or work."),
        403,
    )
    PERSONAL_ACCOUNT = (
        _("This is a private {provider} account."),
        _("Choose the account of your school or work."),
        403,
    )
    GUEST_ACCOUNT = (
        _("You are a guest in this Microsoft tenant, and {organization} lets guests in by invitation only."),
        _("Ask an admin of {organization} for an invitation."),
        403,
    )
    HOSTED_DOMAIN_UNKNOWN = (
        _("No organisation here has proved the domain {domain}."),
        _("Ask the people who sent you for another way in, or your IT to connect the domain."),
        403,
    )
    HOSTED_DOMAIN_WRONG = (
        _("The domain {domain} is not one of {organization}’s."),
        _("Sign out of Google, and choose the account of your school or work."),
        403,
    )
    SSO_NOT_INVITED = (
        _("{organization} lets nobody new in by {provider}."),
        _("Ask an admin of {organization} for an invitation or a code."),
        403,
    )
    SSO_ONLY = (
        _("{organization} is entered with single sign-on only."),
        _("Choose the button on the sign-in page of {organization}."),
        403,
    )
    PROVED_ELSEWHERE = (
        _("You came by another organisation’s provider, and {organization} does not rely on it."),
        _("Sign in here once with your password, a passkey or the button of {organization}."),
        403,
    )
    SECOND_FACTOR_WANTED = (
        _("{organization} asks for a second factor."),
        _("Set up an authenticator app or a passkey, then go on."),
        403,
    )
    IDENTITY_OF_ANOTHER = (
        _("This {provider} account opens another account here already."),
        _("Sign in with it, or unlink it there first."),
        409,
    )
    IDENTITY_KNOWN = (
        _("Another {provider} account with your address is linked to your account already."),
        _("Ask an admin: an address that was given to somebody else opens nothing here."),
        409,
    )
    QUESTION_OVER = (
        _("The question was answered already, or took longer than ten minutes."),
        _("Sign in once more."),
        400,
    )
    LAST_WAY_IN = (
        _("Nothing else would open your account any more."),
        _("Set a password or add another way to sign in first."),
        409,
    )
    UNKNOWN_CONNECTION = (_("There is no such connection here."), _("Look at the list of integrations."), 404)
    CONNECTION_NEEDS = (
        _("The field “{column}” is missing."),
        _("Copy it from the page of your registration with {provider}."),
        400,
    )
    ISSUER_NOT_ALLOWED = (
        _("“{given}” cannot be the address of an issuer."),
        _("Write it as the provider does, beginning with https:// and without ? or #."),
        400,
    )
    ISSUER_UNREACHABLE = (
        _("{given} did not answer as an OpenID provider: {why}"),
        _("Compare the address with the one the provider names “issuer”."),
        400,
    )
    TENANT_NOT_AN_ID = (
        _("“{given}” is not a tenant id."),
        _("Copy the “Directory (tenant) ID” from the overview of the tenant."),
        400,
    )
    TENANT_TAKEN = (
        _("This tenant is connected to another organisation already."),
        _("Ask the operator: one tenant opens one organisation."),
        409,
    )
    NOT_TENANT_ADMIN = (
        _("This account is not an admin of its Microsoft tenant, as far as Microsoft says."),
        _("Sign in as an admin of the tenant, and look at the steps in the manual if you are one."),
        403,
    )
    NOT_DOMAIN_ADMIN = (
        _("This account is not an admin of the domain, as far as Google says."),
        _("Prove the domain by DNS instead, or sign in as an admin of the domain."),
        403,
    )
    CONNECTION_NOT_PROVED = (
        _("The {provider} connection is not proved yet."),
        _("Finish the step that proves it, then switch it on."),
        409,
    )
    CONNECTION_NOT_TESTED = (
        _("Nobody has tried this connection yet."),
        _("Make a test sign-in first, then switch it on."),
        409,
    )
    NO_PASSWORD_LEFT = (
        _("Nobody could get in if the provider failed."),
        _("Mark an admin who keeps a password and has one."),
        409,
    )
    NO_WAY_LEFT = (
        _("No connection of {organization} is switched on, so nobody could sign in."),
        _("Switch a connection on and try it first."),
        409,
    )
    RULE_NO_ADMIN = (_("A rule cannot make somebody an admin."), _("Choose another role; make admins by hand."), 400)
    RULE_NOT_ALLOWED = (
        _("The rule “{given}” cannot be understood."),
        _("Write what to look at, its value, and the role or group it gives."),
        400,
    )
    TOO_MANY_RULES = (
        _("There are {count} rules; {limit} is the most."),
        _("Put several values under one role or group."),
        400,
    )
    CLAIMS_NOT_READABLE = (
        _("These claims cannot be read: {why}"),
        _('Paste a JSON object, as {{"sub": "1"}}, or pick a past sign-in.'),
        400,
    )
    DOMAIN_IS_SHARED = (
        _("{domain} is a domain that many people share."),
        _("Give a domain that is your organisation’s alone."),
        400,
    )
    DOMAIN_TAKEN = (_("Another organisation has proved {domain}."), _("Ask the operator if that is a mistake."), 409)
    DOMAIN_NOT_PROVED = (
        _("The proof for {domain} was not found: {why}"),
        _("Add the TXT record shown here, wait some minutes, and look again."),
        409,
    )
    TOO_MANY_DOMAINS = (
        _("There are {limit} domains already, the most that an organisation can have."),
        _("Remove one that is not needed."),
        409,
    )
    UNKNOWN_DOMAIN = (_("There is no such domain here."), _("Look at the list of domains."), 404)
    # An LMS (LTI 1.3)
    LTI_UNKNOWN = (
        _("This LMS is not connected here."),
        _("Tell the people who run your LMS: its address for Usher leads nowhere."),
        404,
    )
    LTI_OFF = (
        _("The connection of {organization} with {platform} is switched off."),
        _("Ask an admin of {organization}."),
        403,
    )
    LTI_LOGIN_BROKEN = (
        _("Your LMS began this in a way that cannot be read."),
        _("Open it again from your LMS. If it stays like this, tell the people who run the LMS."),
        400,
    )
    LTI_OVER = (
        _("This was opened already, began in another browser, or took longer than ten minutes."),
        _("Open it again from your LMS."),
        400,
    )
    LTI_NOT_TRUSTED = (
        _("What {platform} sent cannot be believed."),
        _("Open it again from your LMS. If it stays like this, an admin finds the reason under Integrations."),
        400,
    )
    LTI_UNREACHABLE = (
        _("{platform} does not answer just now."),
        _("Wait a moment and open it again from your LMS."),
        502,
    )
    LTI_REFUSED_THERE = (
        _("{platform} did not let you go on."),
        _("Sign in to your LMS again, then open it once more."),
        403,
    )
    LTI_NOT_APPROVED = (
        _("An admin of the organisation has still to approve this connection with {platform}."),
        _("Tell an admin: it waits under Settings, Integrations."),
        403,
    )
    LTI_NOT_INVITED = (
        _("{organization} lets nobody new in from {platform}."),
        _("Ask an admin of {organization} for an invitation."),
        403,
    )
    LTI_MESSAGE_UNKNOWN = (
        _("Your LMS asks for something that Usher does not do ({message})."),
        _("Add the activity in your LMS as an external tool, or by choosing content."),
        400,
    )
    LTI_TAKES_NO_LINKS = (
        _("Your LMS takes no activity at this place."),
        _("Add it where your LMS asks for an external tool, or ask the people who run the LMS."),
        400,
    )
    LTI_ONE_AT_A_TIME = (
        _("Your LMS takes one activity at a time."),
        _("Pick one, and come again for the next."),
        400,
    )
    LTI_NOTHING_CHOSEN = (_("No activity is picked."), _("Pick one, or go back without."), 400)
    LAUNCH_OVER = (
        _("This page has ended, or somebody else opened one in this browser."),
        _("Open it again from your LMS."),
        403,
    )
    LAUNCH_CODE_OVER = (
        _("This launch code was used already, is older than a minute, or is not of this organisation."),
        _("Redeem each code once and at once. Let the person open the activity again."),
        403,
    )
    LINK_CODE_WRONG = (
        _("This link code is wrong, or older than ten minutes."),
        _("Make a new one on the page of your account, under Security, and type it here."),
        400,
    )
    LINK_NEEDS_CODE = (
        _("This account needs more than a password."),
        _("Sign in to it in another window, make a link code under Security, and type it here."),
        403,
    )
    LMS_USER_KNOWN = (
        _("This account is linked to another person of {platform} already."),
        _("Sign in to your LMS as that person, or unlink it on the page of your account."),
        409,
    )
    UNKNOWN_PLATFORM = (_("There is no such LMS here."), _("Look at the list of integrations."), 404)
    UNKNOWN_DEPLOYMENT = (_("There is no such deployment here."), _("Look at the list on the page of the LMS."), 404)
    PLATFORM_NEEDS = (
        _("The field “{field}” is missing."),
        _("Copy it from {platform} and save it, then go on."),
        409,
    )
    PLATFORM_URL_NOT_ALLOWED = (
        _("“{given}” cannot be an address of an LMS."),
        _("Copy it from your LMS. It begins with https://, and an issuer has no ? and no #."),
        400,
    )
    PLATFORM_TAKEN = (
        _("This LMS is connected here already, with the same issuer and client ID."),
        _("Open it under Integrations and add a deployment there."),
        409,
    )
    CLIENT_TAKEN = (
        _("This client ID is connected with another organisation on this server."),
        _("Compare it with the LMS. An LMS that several organisations share is connected by the operator."),
        409,
    )
    PLATFORM_ROLE_NOT_ALLOWED = (
        _("Instructors cannot become “{given}”."),
        _("Choose another role of your plan; make admins by hand."),
        400,
    )
    FRAME_ORIGIN_NOT_ALLOWED = (
        _("“{given}” cannot be a page that shows Usher."),
        _("Write it as https:// and a name, without anything after it; at most 20 of them."),
        400,
    )
    UNKNOWN_COURSE = (_("There is no such course here."), _("Look at the list of courses of the LMS."), 404)
    ROSTER_NOT_OFFERED = (
        _("{platform} has not offered the roster of “{course}”."),
        _("Allow “names and roles” for Usher in your LMS, then open an activity of the course there once."),
        409,
    )
    ROSTER_UNREADABLE = (
        _("The roster of “{course}” could not be read whole. {detail}"),
        _("Nothing was changed. Try again; if it stays like this, look whether the connection works."),
        502,
    )
    ROSTER_ASKED = (
        _("Somebody here has this name or address already, or everybody is asked."),
        _("Nothing to do: at the first launch Usher asks whether they are the same person."),
        409,
    )
    ROSTER_DECIDED = (
        _("This was decided already, or the roster has been looked at anew."),
        _("Look at the page of the course again."),
        409,
    )
    ROSTER_HOURS_NOT_ALLOWED = (
        _("A roster cannot be looked at every {given} hours."),
        _("Give a number from 1 to 168, or leave it empty."),
        400,
    )
    DEPLOYMENT_NEEDS_ID = (
        _("A deployment ID has 1 to 255 characters."),
        _("Copy it from your LMS, as it is."),
        400,
    )
    DEPLOYMENT_TAKEN = (
        _("This deployment belongs to another organisation already."),
        _("Compare the deployment ID with your LMS, or ask the operator."),
        409,
    )
    DEPLOYMENT_WHOSE = (
        _("Nobody has said which organisation this deployment belongs to."),
        _("Name it, as in: usher platform deployment approve --to cedar."),
        409,
    )
    DEPLOYMENT_WAITS = (
        _("Every deployment of {platform} is waiting for a yes."),
        _("Approve one, then switch it on."),
        409,
    )
    TOO_MANY_PLATFORMS = (
        _("There are {limit} LMSs here already, the most there can be."),
        _("Remove one that is not needed."),
        409,
    )
    REGISTRATION_LINK_OVER = (
        _("This registration URL was used already, or is older than an hour."),
        _("Make a new one in Usher, under Settings, Integrations, and paste that."),
        410,
    )
    REGISTRATION_BROKEN = (
        _("Your LMS did not say where its configuration is."),
        _("Paste the registration URL into the field of your LMS for dynamic registration, not into a browser."),
        400,
    )
    REGISTRATION_FAILED = (
        _("Your LMS could not be connected: {why}"),
        _("Mend that in your LMS, then start again there with the same URL; or connect it by hand."),
        400,
    )
    # Grades on their way to an LMS
    GRADE_COLUMN_GONE = (
        _("The column for this grade is not in the LMS any more."),
        _("Open the activity from the LMS once, then send the grade again."),
        404,
    )
    GRADE_GIVEN_UP = (
        _("The LMS did not take the grade in two days of trying."),
        _("Look at the connection under Integrations, then send the grade again."),
        502,
    )
    GRADE_LATER = (
        _("The LMS did not take the grade yet."),
        _("Nothing to do: Usher tries again by itself."),
        503,
    )
    GRADE_NEWER_THERE = (
        _("The LMS has a later grade of this person already."),
        _("If that is not the one you want, change it in the LMS, or send this one again."),
        409,
    )
    GRADE_NOT_ALLOWED = (
        _("The LMS does not let Usher write grades here."),
        _("Switch on the grade service for Usher in the LMS, open the activity there once, then send the grade again."),
        403,
    )
    GRADE_NOT_LEARNER = (
        _("This person is not a learner in the course, and an LMS keeps grades of learners only."),
        _("Nothing to do, unless the role in the LMS is wrong."),
        409,
    )
    GRADE_NO_COLUMN = (
        _("The LMS has no column for this grade and lets Usher make none."),
        _("Set a grade for the activity in the LMS, open it there once, then send the grade again."),
        409,
    )
    GRADE_OTHER_ACTIVITY = (
        _("The link in the LMS opens another activity by now."),
        _("Nothing to do: the grade stays here."),
        409,
    )
    GRADE_OTHER_PERSON = (
        _("The person in the LMS is not linked to this account any more."),
        _("Open the activity from the LMS once more; the next score goes there."),
        409,
    )
    GRADE_REFUSED_THERE = (
        _("The LMS refused the grade."),
        _("Read what it said, mend it there, then send the grade again."),
        409,
    )
    GRADE_SWITCHED_OFF = (
        _("The connection with the LMS is switched off."),
        _("Switch it on under Settings, Integrations, then send the grade again."),
        409,
    )
    GRADE_UNKNOWN_THERE = (
        _("The LMS does not know this person as a learner of the course."),
        _("Enroll the person there as a learner, then send the grade again."),
        404,
    )
    # Activities
    UNKNOWN_ACTIVITY = (
        _("This activity is not here any more."),
        _("Ask your teacher to choose another one."),
        404,
    )
    ACTIVITY_NOT_YOURS = (
        _("“{title}” is not open to you."),
        _("Ask your teacher whom it is for."),
        403,
    )
    ACTIVITY_NOT_GRADED = (
        _("“{title}” is not graded."),
        _("Tick “graded” on the page of the activity, then send the score again."),
        409,
    )
    ACTIVITY_OPENS_NOTHING = (
        _("The activity opens nothing."),
        _("Give the address of a page, or choose a built-in scenario."),
        400,
    )
    ACTIVITY_OPENS_TWO = (
        _("The activity has both an address and a scenario."),
        _("Keep one of the two."),
        400,
    )
    AUDIENCE_NOT_KNOWN = (
        _("“{given}” says nothing about whom it is for."),
        _("Write everyone or staff."),
        400,
    )
    MAXIMUM_NOT_ALLOWED = (
        _("The maximum score has to be more than 0 and at most {limit}."),
        _("Give a number such as 100."),
        400,
    )
    NUMBER_NOT_READ = (_("“{given}” is not a number."), _("Write it in digits, for example 10 or 7.5."), 400)
    NO_SUCH_GROUP = (
        _("There is no group “{group}” here."),
        _("Make it under Groups first, or leave the group out."),
        400,
    )
    NO_SCORE_YET = (_("This person has no score here yet."), _("Put one, or wait until somebody does."), 404)
    NOT_YES_OR_NO = (_("“{given}” is neither yes nor no."), _("Write yes or no."), 400)
    SCORE_MAXIMUM_NOT_ALLOWED = (
        _("A score counts up to a maximum of more than 0."),
        _("Send a maximum above 0, or leave it out: then the activity's own counts."),
        400,
    )
    SCORE_NOT_ALLOWED = (
        _("The score has to be a number from 0 to {limit}."),
        _("Send one within that, or the maximum it counts up to."),
        400,
    )
    TEXT_NOT_CLEAN = (
        _("The text holds hidden characters."),
        _("Type it again by hand, or paste it without formatting."),
        400,
    )
    WORDS_TOO_LONG = (
        _("The text has {length} characters; {limit} is the most."),
        _("Shorten it."),
        400,
    )
    TITLE_MISSING = (_("The title is missing."), _("Give one by which people find the activity."), 400)
    TOO_MANY_ACTIVITIES = (
        _("More than {limit} activities are too many for one organisation."),
        _("Change one that is archived instead of making a new one."),
        409,
    )
    UNKNOWN_MEMBER = (
        _("Nobody active here has this id."),
        _("Use the account that the launch told you."),
        404,
    )
    UNKNOWN_SCENARIO = (
        _("There is no built-in scenario “{given}”."),
        _("Choose one from the list."),
        400,
    )
    WEB_ADDRESS_NOT_ALLOWED = (
        _("“{given}” is not a web address."),
        _("Write it in full, without name or password: https://app.example/start"),
        400,
    )
    WEB_ADDRESS_WITHOUT_TLS = (
        _("“{given}” is not encrypted."),
        _("Begin the address with https://. For your own network the operator can allow http."),
        400,
    )
    # A list of activities
    FILE_WITHOUT_TITLE = (
        _("The first line has no column “title”."),
        _("Start from the template; its first line is title,description,target_url."),
        400,
    )
    LIST_TOO_LONG = (
        _("The list has {count} rows; {limit} is the most at once."),
        _("Split the file."),
        400,
    )
    # The API
    API_KEY_MISSING = (
        _("This address is opened with a key."),
        _("Send the header “Authorization: Bearer usher_…”. An admin makes keys under Settings, API keys."),
        401,
    )
    API_KEY_NOT_VALID = (
        _("This key opens nothing: it is wrong, revoked, or over."),
        _("Ask an admin of the organisation for a new one."),
        401,
    )
    API_SCOPE_MISSING = (
        _("This key may not do that: it has not the scope “{scope}”."),
        _("Ask an admin of the organisation for a key with it."),
        403,
    )
    API_TOO_FAST = (
        _("This key asks more often than it may."),
        _("Wait {seconds} seconds, then go on more slowly."),
        429,
    )
    API_UNKNOWN_ADDRESS = (
        _("There is nothing at this address."),
        _("See the list of what there is: /api/v1/docs."),
        404,
    )
    API_NOT_ALLOWED_HERE = (
        _("This address does not take {method}."),
        _("See what it takes: /api/v1/docs."),
        405,
    )
    BODY_NOT_JSON = (
        _("What was sent is not JSON."),
        _("Send one JSON object in UTF-8, with the header “Content-Type: application/json”."),
        400,
    )
    BODY_TOO_LARGE = (
        _("What was sent is larger than {limit} kB."),
        _("Send less at once."),
        413,
    )
    VALUE_NOT_ALLOWED = (
        _("The value of “{name}” cannot be used: {why}."),
        _("See what it may be: /api/v1/docs."),
        400,
    )
    API_KEY_NEEDS_SCOPE = (
        _("A key without a scope opens nothing."),
        _("Tick at least one thing it may do."),
        400,
    )
    API_KEY_ENDED_BEFORE = (
        _("The key would be over before it begins."),
        _("Choose a day that is still to come, or none."),
        400,
    )
    TOO_MANY_API_KEYS = (
        _("There are {limit} keys already."),
        _("Revoke one that is not used any more."),
        409,
    )
    UNKNOWN_API_KEY = (_("There is no such key here."), _("Look at the list of keys."), 404)
    FILE_EXISTS = (
        _("The file {path} exists already."),
        _("Choose another name for --out, or move the old file away."),
        409,
    )

    @property
    def code(self) -> str:
        return self.name.lower()

    @property
    def status(self) -> int:
        return self.value[2]

    @property
    def pattern(self) -> str:
        """The sentence without the facts of a case, for counts by reason."""
        return str(self.value[0]).format_map(Blanks())

    def __call__(self, column: str = "", **facts: Fact) -> Finding:
        """This reason with the facts of one case, ready to be shown or raised."""
        return Finding(self, facts, column)
