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
        _("Add a surname or a number, or tick “allow the same name”."),
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
        _("Free a seat, then send the file again."),
        409,
    )
    HAS_ACCOUNT = (
        _("This address has an account of its own."),
        _("Invite them instead."),
        409,
    )
    MEMBER_INACTIVE = (
        _("This person was deactivated here."),
        _("Reactivate the person under Users."),
        409,
    )
    ACCOUNT_BELONGS_ELSEWHERE = (
        _("This account belongs to another organisation and its address is not proved."),
        _("Prove an e-mail address first, then join."),
        403,
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
    LINK_DEAD = (
        _("This link has been used or has ended."),
        _("Ask for a new link."),
        410,
    )
    PASSWORD_SAME = (_("This is the password you have now."), _("Choose another one."), 400)
    PASSWORD_WRONG = (_("The old password is not right."), _("Type the password you have now."), 403)
    PASSWORDS_DIFFER = (_("The two passwords are not the same."), _("Type the password twice."), 400)
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
    UNKNOWN_PLAN = (_("There is no plan “{plan}”."), _("Use one of: {plans}."), 400)
    UNKNOWN_POOL = (
        _("The plan has no seats of the kind “{pool}”."),
        _("Use one of: {pools}."),
        400,
    )
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
