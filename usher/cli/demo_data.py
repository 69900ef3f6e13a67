"""Three organisations to look at: made once, by the very code that brings real people in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from usher.events.types import Actor
from usher.lifecycle import desk
from usher.lifecycle.founding import BY_OPERATOR, Plot, found
from usher.lifecycle.joiner import By, NewAccount
from usher.lifecycle.leave import deactivate
from usher.lifecycle.lists.parse import read
from usher.lifecycle.move import set_group_right
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as bulk_accounts
from usher.methods.bulk_accounts.order import Order as BulkOrder
from usher.methods.csv_import import run as csv_import
from usher.methods.csv_import.options import Options
from usher.methods.email_invitation.entries import from_text
from usher.methods.email_invitation.order import Order as Invite
from usher.methods.email_invitation.send import send
from usher.methods.invite_code import codes
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import InviteCode
from usher.methods.invite_code.text import shown
from usher.methods.invite_code.wish import Wish
from usher.organizations.models import Organization
from usher.organizations.suspend import set_trusted
from usher.people import passwords
from usher.people.addresses import parse_address
from usher.people.links import make_setup_link, use_setup_link
from usher.people.models import Account, Group, GroupMembership, Membership
from usher.people.operators import claimed_account, make_operator

OPERATOR = "root@usher.example"

MAPLE, OAK, STAFF = "Year 5 Maple", "Year 6 Oak", "Staff"

# The last two rows are refused, so that there is something to ask "why" about.
CEDAR = f"""email,username,password,role,groups
bjorn@cedar.example,Björn Lindqvist,,teacher,{STAFF}|{MAPLE}
amelie@cedar.example,Amélie Dubois,,teacher,{STAFF}|{OAK}
zoe@cedar.example,Zoë Müller,meadow-otter-5316,,{MAPLE}
,Åsa Öberg,river-lamp-4821,,{MAPLE}
,李小龙,,,{MAPLE}
,王芳,,,{MAPLE}
,佐藤 さくら,,,{MAPLE}
,김민준,,,{MAPLE}
,Nguyễn Thị Hồng,,,{MAPLE}
,محمد الأمين,,,{MAPLE}
,ليلى حداد,,,{MAPLE}
,נועה כהן,,,{MAPLE}
,Ольга Соколова,,,{MAPLE}
,Дмитро Шевченко,,,{MAPLE}
,Γιώργος Παπαδόπουλος,,,{MAPLE}
,आरव शर्मा,,,{MAPLE}
,அனிதா குமார்,,,{MAPLE}
,สมชาย ใจดี,,,{MAPLE}
,Chukwuemeka Ọkọ́nkwọ́,,,{MAPLE}
,Siobhán O’Neill,,,{MAPLE}
liam@cedar.example,Liam Walsh,,,{OAK}
sofia@cedar.example,Sofía García López,,,{OAK}
mateo@cedar.example,Mateo Fernández,,,{OAK}
chloe@cedar.example,Chloë Janssens,,,{OAK}
soren@cedar.example,Søren Kjærgård,,,{OAK}
lukasz@cedar.example,Łukasz Wójcik,,,{OAK}
eliska@cedar.example,Eliška Dvořáková,,,{OAK}
ines@cedar.example,Inês Gonçalves,,,{OAK}
zoe@cedar.example,Zoë Mueller,,,{MAPLE}
tom@cedar,Tom Baker,,,{OAK}
"""

OAK_BY_HAND = """Þórunn Jónsdóttir
Ayşe Yılmaz
Mehmet Şahin
Ioana Ștefănescu
Gergő Nagy
Ngozi Adébáyọ̀
Wanjiru Kamau
Sipho Dlamini
Tāne Waititi
Leilani Kealoha
Thandiwe Mokoena
Oliver Brown
"""

BIRCH = """email,username,password,role,groups
carla@birch.example,Carla Rossi,,creator,Onboarding
dev@birch.example,Dev Patel,lantern-comet-7350,,Onboarding
emma@birch.example,Emma Fischer,,,Onboarding
farah@birch.example,Farah Rahimi,,,Onboarding
goran@birch.example,Goran Horvat,,,Onboarding
hana@birch.example,Hana Nováková,,,Safety at work
ivan@birch.example,Ivan Petrov,,,Safety at work
jun@birch.example,田中 純,,,Safety at work
"""

PRESS = """email,username,password
noor@maplepress.example,Noor de Vries,velvet-comet-8243
omar@maplepress.example,Omar Haddad,
priya@maplepress.example,Priya Nair,
quentin@maplepress.example,Quentin Lefèvre,
rosa@maplepress.example,Rosa Delgado,
"""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One of the sign-ins that are printed. Well known: this data is for one machine and for no real person."""

    place: str
    role: str
    name: str
    sign_in: str
    password: str


SIGN_INS = (
    SignIn("", "Operator", "root", OPERATOR, "sunrise-kettle-9152"),
    SignIn("cedar", "Admin", "Ada Marsh", "ada@cedar.example", "lantern-meadow-2604"),
    SignIn("cedar", "Teacher, manager", "Amélie Dubois", "amelie@cedar.example", "marble-orchard-3718"),
    SignIn("cedar", "Teacher", "Björn Lindqvist", "bjorn@cedar.example", "harvest-violin-6429"),
    SignIn("cedar", "Student", "Zoë Müller", "zoe@cedar.example", "meadow-otter-5316"),
    SignIn("cedar", "Student, no e-mail", "Åsa Öberg", "asa.oberg@cedar.usher.invalid", "river-lamp-4821"),
    SignIn("birch", "Admin", "Bob Birch", "bob@birch.example", "copper-sailboat-4075"),
    SignIn("birch", "Learner", "Dev Patel", "dev@birch.example", "lantern-comet-7350"),
    SignIn("maple-press", "Admin", "Mei Tanaka", "mei@maplepress.example", "postcard-garden-5937"),
    SignIn("maple-press", "Member", "Noor de Vries", "noor@maplepress.example", "velvet-comet-8243"),
)


def fill() -> None:
    """Make what is not there yet: each organisation whole or not at all, so that a killed start does no harm."""
    _make_once(lambda: claimed_account(parse_address(OPERATOR)) is not None, _operator)
    for slug, make in (("cedar", _cedar), ("birch", _birch), ("maple-press", _maple_press)):
        _make_once(Organization.objects.filter(slug=slug).exists, make)


def present() -> list[SignIn]:
    """Those of the sign-ins that are there: a slug may have been somebody else's before the demo came."""
    keys = set(
        Account.objects.filter(sign_in_key__in=[one.sign_in for one in SIGN_INS]).values_list("sign_in_key", flat=True)
    )
    return [one for one in SIGN_INS if one.sign_in in keys]


def invite_codes() -> list[tuple[str, str, str]]:
    """The codes of the demonstration as printed: organisation, what it is for, the code itself."""
    found = InviteCode.objects.select_related("organization", "group").filter(organization__slug="cedar")
    return [
        (code.organization.slug, code.group.name if code.group else code.organization.name, shown(code.code))
        for code in found.order_by("id")
    ]


def _make_once(is_there: Callable[[], bool], make: Callable[[], None]) -> None:
    if is_there():
        return
    with transaction.atomic():
        if not is_there():
            make()


def _operator() -> None:
    account, link = make_operator(OPERATOR)
    _set_password(account, link)


def _cedar() -> None:
    plot = Plot("cedar", "Cedar School", "school", "ada@cedar.example", {"student": 500}, "Ada Marsh")
    cedar, ada = _organization(plot)
    _import(cedar, CEDAR, Options("student", make_groups=True, file_name="pupils.csv"), ada)
    members = _members(cedar)
    for teacher in (members["bjorn@cedar.example"], members["amelie@cedar.example"]):
        _set_password(teacher.account, make_setup_link(teacher.account, cedar.id, ada.actor))
    oak = Group.objects.get(organization=cedar, name=OAK)
    amelie = members["amelie@cedar.example"]
    set_group_right(cedar.id, amelie.id, oak.id, GroupMembership.Right.MANAGER.value, ada)
    manager = By(Actor("account", amelie.account_id), cedar.license.plan.lowest.rank, frozenset({oak.id}))
    bulk_accounts.make(BulkOrder(cedar, names.named(OAK_BY_HAND), desk.Choices("student", OAK), manager))
    deactivate(cedar.id, members["ines@cedar.example"].id, ada)
    _codes(cedar, ada, oak, manager)
    _invitations(cedar, ada)


def _invitations(cedar: Organization, ada: By) -> None:
    """Two that wait, with a note, as organisations may write one that the operator knows; the mails are at /_mail/."""
    set_trusted(cedar, BY_OPERATOR.actor, trusted=True)
    cedar.refresh_from_db()
    note = "We are glad to have you. Your timetable is in the staff room."
    guests = from_text("Mira Kovač <mira@mail.example>; Sam Okoye <sam@mail.example>")
    send(Invite(cedar, guests, ada, role="teacher", note=note, reserve=True))


def _codes(cedar: Organization, ada: By, oak: Group, manager: By) -> None:
    """One for the school, one for the children of a class, and a child who came by it and asks to come in."""
    codes.create(cedar, Wish(), ada)
    at_once = Wish(proof=InviteCode.Proof.AT_ONCE.value)
    asking = codes.create(cedar, replace(at_once, needs_approval=True), manager, oak.id)
    olivia = NewAccount("Olivia Brandt", password=passwords.digest("a-lamp-by-the-river-27"), chosen=True)
    enter(asking, olivia)
    codes.change(cedar, asking.id, at_once, manager)


def _birch() -> None:
    birch, bob = _organization(Plot("birch", "Birch", "elearning", "bob@birch.example", {}, "Bob Birch"))
    _import(birch, BIRCH, Options("learner", make_groups=True, file_name="learners.csv"), bob)


def _maple_press() -> None:
    plot = Plot("maple-press", "Maple Press", "marketing", "mei@maplepress.example", {}, "Mei Tanaka")
    press, mei = _organization(plot)
    _import(press, PRESS, Options("member", file_name="desk.csv"), mei)


def _organization(plot: Plot) -> tuple[Organization, By]:
    """The organisation, and its admin as the one who brings the others."""
    founded = found(plot)
    _set_password(founded.admin, founded.link)
    rank = founded.organization.license.plan.admin.rank
    return founded.organization, By(Actor("account", founded.admin.id), rank, BY_OPERATOR.groups)


def _import(organization: Organization, text: str, options: Options, by: By) -> None:
    order = csv_import.Order(organization, read(text.encode(), options.file_name), options, by)
    for _piece in csv_import.write(order, csv_import.start(order)):
        pass


def _members(organization: Organization) -> Mapping[str, Membership]:
    members = Membership.objects.select_related("account").filter(organization=organization)
    return {member.account.sign_in_key: member for member in members}


def _set_password(account: Account, link: str) -> None:
    """As the person would: by the set-up link. What staff made would have to be changed at the first sign-in."""
    chosen = next(one.password for one in SIGN_INS if one.sign_in == account.sign_in_key)
    use_setup_link(link.rpartition("/")[2], passwords.make(chosen))
