"""usher check finds each thing that can be broken, and nothing where nothing is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from command import Usher
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext
from inviting import by_mail, invite
from world import PASSWORD, House, Person, World, class_list, somebody

from usher.core import clock, mail, switches
from usher.core.mail import Envelope
from usher.core.models import Mail
from usher.events import record
from usher.events.models import Event
from usher.events.types import OPERATOR, Draft, EventType
from usher.lifecycle import past, undo
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import OPERATOR_RANK, By, NewAccount
from usher.lifecycle.leave import deactivate
from usher.lifecycle.lists.parse import read
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as creations
from usher.methods.bulk_accounts.models import CreatedAccount, CreationRun
from usher.methods.bulk_accounts.order import Order
from usher.methods.csv_import import run as csv_import
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.csv_import.options import Options
from usher.methods.email_invitation.accept import accept
from usher.methods.email_invitation.models import Invitation, InvitationGroup
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import CodeGroup, CodeUse, InviteCode
from usher.organizations.models import License, OldSlug, Organization, SeatPool, SeatReservation
from usher.organizations.plans import Method
from usher.people import passwords
from usher.people.links import SETUP_DAYS, make_setup_link, use_setup_link
from usher.people.models import Account, Group, GroupMembership, Membership, OneTimeLink, SearchWord

T = EventType
FILE = "email,username\nzoe@cedar.example,Zoë\nbo@cedar.example,Bo\nbroken,Nobody\n"
BY = By(OPERATOR, OPERATOR_RANK)


def send(world: World, text: str = FILE, by: By = BY) -> Import:
    order = csv_import.Order(world.cedar.organization, read(text.encode()), Options("student"), by)
    source = csv_import.start(order)
    assert "".join(csv_import.write(order, source))
    return source


@pytest.fixture
def full(world: World) -> World:
    """The World with an import in it, a claimed person and somebody deactivated."""
    send(world)
    assert world.eve
    deactivate(world.cedar.id, world.pia.membership.id, BY)
    return world


def joined(world: World) -> Event:
    return Event.objects.get(type=EventType.MEMBERSHIP_CREATED, account_id=world.tom.account_id)


def copy(row: Event) -> None:
    row.pk = Event(at=clock.now()).pk
    row.save(force_insert=True)


def line(world: World, number: int) -> ImportLine:
    return ImportLine.objects.get(line=number)


def mark_as_proved(account: Account) -> EmailAddress:
    return EmailAddress.objects.create(user=account, email=account.email, verified=True)


def renamed(house: House) -> QuerySet[Organization]:
    return Organization.objects.filter(id=house.id)


def told_of(person: Person, kind: EventType) -> QuerySet[Event]:
    return Event.objects.filter(type=kind, account_id=person.account_id)


def tell_twice(kind: EventType, account_id: uuid.UUID) -> None:
    record.record_many([Draft(kind, None, OPERATOR, account_id=account_id)] * 2)


def set_up(world: World, *, links_too: bool) -> None:
    """Somebody set the password by a link; with or without the link in the table."""
    outcome = world.cedar.add(somebody("New", "teacher", email="new@cedar.example", method=Method.CONSOLE))
    address = make_setup_link(world.cedar.account(outcome), world.cedar.id, OPERATOR)
    use_setup_link(address.rpartition("/")[2], passwords.digest(PASSWORD))
    if not links_too:
        OneTimeLink.objects.filter(account=outcome.account_id).delete()


@pytest.fixture
def rich(full: World) -> World:
    """The same with a code by which one came in and one asked, and with runs of which some are undone."""
    cedar = full.cedar.organization
    first = InviteCode.objects.create(organization=cedar, code="7K4M29QX", role="student", group=full.year5)
    second = InviteCode.objects.create(organization=cedar, code="ANTHERC0", role="student", max_uses=5)
    enter(second, NewAccount("Dee", password=passwords.digest(PASSWORD)))
    InviteCode.objects.filter(id=second.id).update(needs_approval=True)
    enter(second, NewAccount("Fay", password=passwords.digest(PASSWORD)))
    assert first.used == 0
    for people in ("Gus\nHal", "Ida"):
        creations.make(Order(cedar, names.named(people), Choices("student"), BY))
    other = send(full, "username\nJim\n")
    for run_id in (other.id, CreationRun.objects.latest("id").id):
        book = past.find(cedar, None, run_id)
        assert book
        undo.undo(cedar, book, BY)
    return full


def made() -> QuerySet[CreatedAccount]:
    return CreatedAccount.objects.filter(source__undone_at=None)


def unmade() -> QuerySet[CreatedAccount]:
    return CreatedAccount.objects.exclude(source__undone_at=None)


def lines_undone() -> QuerySet[ImportLine]:
    return ImportLine.objects.filter(result="undone")


def undone(method: str) -> QuerySet[Event]:
    return Event.objects.filter(type=T.MEMBERSHIP_UNDONE, method=method)


Break = Callable[[World], object]

BREAKS: list[tuple[str, str, Break]] = [
    ("V1", "seats are counted", lambda w: SeatPool.objects.filter(pool="student").update(used=F("used") + 1)),
    ("V1", "seats are counted", lambda w: Membership.objects.filter(id=w.tom.membership.id).update(state="inactive")),
    ("V1", "unknown to its plan", lambda w: Membership.objects.filter(id=w.tom.membership.id).update(role="king")),
    ("V1", "no such pool", lambda w: SeatPool.objects.filter(organization=w.birch.id).delete()),
    ("V1", "places are counted", lambda w: Group.objects.filter(id=w.year5.id).update(used=7)),
    ("V1", "places are counted", lambda w: GroupMembership.objects.filter(membership=w.tom.membership.id).delete()),
    (
        "V3",
        "not of one organisation",
        lambda w: GroupMembership.objects.filter(group=w.year5.id).update(organization_id=w.birch.id),
    ),
    (
        "V3",
        "not of one organisation",
        lambda w: GroupMembership.objects.create(
            organization_id=w.cedar.id, group=w.year5, membership=w.bob.membership
        ),
    ),
    (
        "V3",
        "lead to nobody",
        lambda w: SearchWord.objects.filter(membership=w.bob.membership.id).update(organization_id=w.cedar.id),
    ),
    ("V4", "4 rows and 3 outcomes", lambda w: Import.objects.update(rows=4)),
    ("V4", "3 rows and 2 outcomes", lambda w: line(w, 4).delete()),
    ("V4", "1 rows and 3 outcomes", lambda w: Import.objects.update(rows=1, finished_at=None)),
    ("V4", "Line 2", lambda w: ImportLine.objects.filter(line=2).update(membership_id=w.bob.membership.id)),
    ("V4", "Line 2", lambda w: ImportLine.objects.filter(line=2).update(membership_id=None)),
    ("V4", "Line 4", lambda w: ImportLine.objects.filter(line=4).update(membership_id=w.tom.membership.id)),
    ("V4", "Line 3", lambda w: ImportLine.objects.filter(line=3).update(result="refused")),
    (
        "V4",
        "2 lines of imports and 1 events",
        lambda w: ImportLine.objects.filter(line=3).update(membership_id=line(w, 2).membership_id),
    ),
    ("V4", "1 lines of imports and 0 events", lambda w: Event.objects.filter(method="csv_import").delete()),
    ("V4", "no line of any import", lambda w: ImportLine.objects.filter(line=2).update(membership_id=None)),
    ("V4", "no line of any import", lambda w: ImportLine.objects.filter(line=2).delete()),
    ("V7", "cedar: no admin", lambda w: Account.objects.filter(id=w.ada.account_id).update(password="!")),
    ("V7", "cedar: no admin", lambda w: Membership.objects.filter(id=w.ada.membership.id).update(role="teacher")),
    ("V7", "cedar: no admin", lambda w: Membership.objects.filter(id=w.ada.membership.id).update(state="waiting")),
    (
        "V7",
        "cedar: no admin",
        lambda w: Account.objects.filter(id=w.ada.account_id).update(password_expires_at=clock.now()),
    ),
    ("V7", "licence is missing", lambda w: License.objects.filter(organization=w.birch.id).delete()),
    ("V8", "has 0 events", lambda w: joined(w).delete()),
    ("V8", "has 2 events", lambda w: copy(joined(w))),
    ("V8", "has 0 events", lambda w: Event.objects.filter(id=joined(w).id).update(organization_id=w.birch.id)),
    (
        "V8",
        "events of joining and no membership",
        lambda w: Event.objects.filter(id=joined(w).id).update(account_id=w.eve.account_id),
    ),
    (
        "V12",
        "member of another organisation",
        lambda w: Account.objects.filter(id=w.tom.account_id).update(home=w.birch.organization),
    ),
    ("V12", "link of another organisation", lambda w: make_setup_link(w.tom.account, w.birch.id, OPERATOR)),
    ("V12", "operator", lambda w: Account.objects.filter(id=w.tom.account_id).update(is_operator=True)),
    ("V12", "marked as proved", lambda w: mark_as_proved(w.tom.account)),
    ("V3", "short name cedar", lambda w: OldSlug.objects.create(slug="cedar", at=clock.now())),
    (
        "V3",
        "short name birch",
        lambda w: OldSlug.objects.create(slug="birch", organization=w.cedar.organization, at=clock.now()),
    ),
    ("V3", "2 organisations make sign-in names", lambda w: renamed(w.birch).update(made_under="cedar")),
    ("V6", "used 1 set-up links and has 0", lambda w: set_up(w, links_too=False)),
    ("V6", "was registered 2 times", lambda w: tell_twice(T.ACCOUNT_REGISTERED, w.eve.account_id)),
    ("V8", "is inactive, and no event", lambda w: told_of(w.pia, T.MEMBERSHIP_DEACTIVATED).delete()),
    ("V8", "is active, and no event", lambda w: told_of(w.tom, T.MEMBERSHIP_CREATED).update(type=T.MEMBERSHIP_ASKED)),
    (
        "V8",
        "is waiting, and no event",
        lambda w: Membership.objects.filter(id=w.tom.membership.id).update(state="waiting"),
    ),
]

# In a house where codes were used, accounts were made in advance, and both an import and a creation are undone.
FURTHER: list[tuple[str, str, Break]] = [
    ("V2", "has 2 uses counted, and 1 people", lambda w: InviteCode.objects.update(used=F("used") + 1)),
    ("V2", "has 1 uses counted, and 0 people", lambda w: CodeUse.objects.filter(asked=False).delete()),
    ("V2", "has 1 uses counted, and 2 people", lambda w: CodeUse.objects.filter(asked=True).update(asked=False)),
    ("V2", "is for 0 uses and let 1", lambda w: InviteCode.objects.filter(used=1).update(max_uses=0)),
    ("V2", "gives the role “admin”", lambda w: InviteCode.objects.update(role="admin")),
    ("V3", "joins a code and a member", lambda w: CodeUse.objects.update(organization_id=w.birch.id)),
    ("V3", "joins a code and a member", lambda w: CodeUse.objects.update(membership=w.bob.membership.id)),
    ("V3", "group of another organisation", lambda w: InviteCode.objects.update(group=w.birch.group("Birds"))),
    (
        "V3",
        "group of another organisation",
        lambda w: CodeGroup.objects.create(code=InviteCode.objects.earliest("id"), group=w.birch.group("Birds")),
    ),
    ("V4", "made an account that is not there", lambda w: made().update(membership_id=w.bob.membership.id)),
    ("V4", "made an account that is not there", lambda w: made().update(membership_id=None)),
    ("V4", "asked for 1 accounts and has 2", lambda w: CreationRun.objects.filter(undone_at=None).update(count=1)),
    ("V4", "asked for 2 accounts and has 0", lambda w: made().delete()),
    ("V4", "1 accounts made in advance are undone, and 0 events", lambda w: undone("bulk_accounts").delete()),
    ("V4", "0 accounts made in advance are undone, and 1 events", lambda w: unmade().delete()),
    ("V4", "1 lines of imports are undone, and 0 events", lambda w: undone("csv_import").delete()),
    ("V4", "0 lines of imports are undone, and 1 events", lambda w: lines_undone().update(result="refused")),
    ("V4", "Line 2", lambda w: lines_undone().update(membership_id=w.tom.membership.id)),
    ("V4", "is half undone", lambda w: Import.objects.exclude(undone_at=None).update(undo_began_at=None)),
    ("V4", "is half undone", lambda w: Import.objects.exclude(undone_at=None).update(identity="f" * 64)),
    ("V4", "is half undone", lambda w: ImportLine.objects.filter(line=4).update(result="undone")),
    ("V8", "has 1 events of joining and no membership", lambda w: undone("csv_import").delete()),
]

# Of invitations: one keeps a seat and waits, one was accepted.
INVITED: list[tuple[str, str, Break]] = [
    ("V1", "that does not wait for it", lambda w: waiting().update(state="revoked", ended_at=clock.now())),
    ("V1", "that does not wait for it", lambda w: waiting().update(reserves=False)),
    ("V1", "that does not wait for it", lambda w: SeatReservation.objects.update(address_key="other@mail.example")),
    ("V2", "was used after its end", lambda w: came().update(ended_at=F("expires_at"))),
    ("V3", "brought somebody into another organisation", lambda w: came().update(membership_id=w.bob.membership_id)),
    ("V3", "group of another organisation", lambda w: InvitationGroup.objects.update(group=w.birch.group("Choir"))),
    ("V5", "waits for a mail that is not there", lambda w: Mail.objects.filter(kind="invitation").delete()),
]


def waiting() -> QuerySet[Invitation]:
    return Invitation.objects.filter(state="open")


def came() -> QuerySet[Invitation]:
    return Invitation.objects.filter(state="accepted")


@pytest.fixture
def invited(full: World) -> World:
    """The same with two invitations."""
    accepted = invite(full.cedar, full.ada, "eve@elsewhere.example", groups=("Year 5",))
    assert accept(by_mail(accepted), full.eve.account).membership_id
    invite(full.cedar, full.ada, reserve=True)
    return full


NAMES = [f"{code}-{said}-{number}" for number, (code, said, _) in enumerate(BREAKS)]
FURTHER_NAMES = [f"{code}-{said}-{number}" for number, (code, said, _) in enumerate(FURTHER)]


CODES = {"V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V12", "V13", "V14"}


def test_a_whole_house_has_nothing_to_say(usher: Usher, rich: World) -> None:
    set_up(rich, links_too=True)
    told = usher("check", "--json")
    assert told.code == 0, told.out
    assert told.document["ok"] is True
    assert {one["code"] for one in told.document["invariants"]} == CODES
    assert all(one["broken"] == 0 and one["cases"] == [] for one in told.document["invariants"])
    assert "broken" not in usher("check").out


@pytest.mark.parametrize(("code", "said", "break_it"), BREAKS, ids=NAMES)
def test_each_break_is_found(usher: Usher, full: World, code: str, said: str, break_it: Break) -> None:
    is_found(usher, full, code, said, break_it)


@pytest.mark.parametrize(("code", "said", "break_it"), FURTHER, ids=FURTHER_NAMES)
def test_each_further_break_is_found(usher: Usher, rich: World, code: str, said: str, break_it: Break) -> None:
    is_found(usher, rich, code, said, break_it)


@pytest.mark.parametrize(("code", "said", "break_it"), INVITED)
def test_each_break_of_an_invitation_is_found(
    usher: Usher, invited: World, code: str, said: str, break_it: Break
) -> None:
    is_found(usher, invited, code, said, break_it)


def test_invitations_that_did_not_arrive_are_a_warning(usher: Usher, invited: World) -> None:
    assert usher("check").code == 0
    waiting().update(mailing="bounced")
    told = usher("check")
    assert (told.code, "1 invitations could not be delivered" in told.err) == (0, True)


def is_found(usher: Usher, world: World, code: str, said: str, break_it: Break) -> None:
    with transaction.atomic():
        assert break_it(world) != 0, "the test broke nothing"
        told = usher("check", "--json")
        in_words = usher("check")
        transaction.set_rollback(True)
    assert (told.code, in_words.code) == (1, 1)
    assert told.document["ok"] is False
    cases = [case for one in told.document["invariants"] if one["code"] == code for case in one["cases"]]
    assert any(said in case for case in cases), json.dumps(told.document, indent=1)
    assert f"broken  {code:3}" in in_words.out


def test_a_reference_to_nothing_is_found(usher: Usher, full: World) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM people_membership WHERE role = 'admin'")
        else:
            cursor.execute(
                "ALTER TABLE events_event ADD CONSTRAINT unchecked FOREIGN KEY (organization_id) "
                "REFERENCES organizations_organization (id) NOT VALID"
            )
        told = usher("check", "--json")
        transaction.set_rollback(True)
    assert told.code == 1
    cases = [case for one in told.document["invariants"] if "whole" in one["holds"] for case in one["cases"]]
    assert cases


def test_many_broken_rows_are_counted_and_a_few_are_shown(usher: Usher, world: World) -> None:
    world.cedar.add_many([replace(one, method=Method.CONSOLE) for one in class_list(30)])
    Event.objects.all().delete()
    told = usher("check", "--json").document
    one = next(one for one in told["invariants"] if one["broken"])
    assert one["broken"] == 35
    assert len(one["cases"]) == 20
    assert "and 15 more" in usher("check").out


def test_a_living_setup_link_counts_as_an_admin(usher: Usher, world: World) -> None:
    Account.objects.filter(id=world.ada.account_id).update(password="!")
    with transaction.atomic():
        make_setup_link(world.ada.account, world.cedar.id, OPERATOR)
    assert usher("check").code == 0
    with time_machine.travel(clock.now() + timedelta(days=SETUP_DAYS, minutes=1)):
        assert usher("check").code == 1
    OneTimeLink.objects.update(consumed_at=clock.now())
    assert usher("check").code == 1


def test_warnings_break_nothing(usher: Usher, full: World) -> None:
    SeatPool.objects.filter(organization=full.cedar.id, pool="teacher").update(limit=1)
    told = usher("check", "--json")
    assert told.code == 0
    said = [case for one in told.document["warnings"] for case in one["cases"]]
    assert "cedar: 2 teacher seats are used, the licence has 1." in said
    assert any("USHER_SMTP_URL" in case for case in said)


def test_a_code_lowered_below_its_uses_is_a_warning(usher: Usher, rich: World) -> None:
    code = InviteCode.objects.get(used=1)
    InviteCode.objects.filter(id=code.id).update(max_uses=0)
    with transaction.atomic():
        record.record(Draft(T.CODE_CHANGED, rich.cedar.id, OPERATOR, data={"code": str(code.id), "max_uses": 0}))
    told = usher("check", "--json")
    assert told.code == 0, told.out
    assert any("before it was lowered to 0 uses" in case for one in told.document["warnings"] for case in one["cases"])


def test_mails_that_do_not_go_out_are_a_warning(usher: Usher, world: World) -> None:
    mail.post("seats", "", Envelope(world.cedar.id))
    mail.post("seats", "", Envelope(world.cedar.id))
    assert not [case for case in warned(usher) if "mails" in case]
    first = Mail.objects.earliest("id")
    Mail.objects.filter(id=first.id).update(attempts=4, failure="The mail server answered 451.")
    Mail.objects.exclude(id=first.id).update(run_at=clock.now() - timedelta(hours=2))
    said = [case for case in warned(usher) if "mails" in case]
    assert said[0].startswith("1 mails were tried 3 times or more")
    assert said[0].endswith("The mail server answered 451.")
    assert said[1].startswith("1 mails have been due for more than an hour.")
    switches.turn(switches.OUTBOX_PAUSED, on=True)
    assert len([case for case in warned(usher) if "mails" in case]) == 1


def warned(usher: Usher) -> list[str]:
    told = usher("check", "--json")
    assert told.code == 0
    return [case for one in told.document["warnings"] for case in one["cases"]]


def test_a_file_sent_again_after_somebody_left_breaks_nothing(usher: Usher, full: World) -> None:
    bo = Membership.objects.get(account__email="bo@cedar.example")
    deactivate(full.cedar.id, bo.id, BY)
    send(full)
    assert ImportLine.objects.get(line=3).result == "refused"
    told = usher("check")
    assert told.code == 0, told.out


def test_an_import_under_way_breaks_nothing(usher: Usher, world: World) -> None:
    order = csv_import.Order(world.cedar.organization, read(FILE.encode()), Options("student"), BY)
    csv_import.start(order)
    assert usher("check").code == 0


def test_check_writes_nothing_and_asks_no_more_of_a_bigger_house(usher: Usher, full: World) -> None:
    counts = []
    for start in (1, 301):
        with CaptureQueriesContext(connection) as queries:
            assert usher("check").code == 0
        counts.append(len(queries))
        assert not [one for one in queries if one["sql"].lstrip().split()[0] in ("INSERT", "UPDATE", "DELETE")]
        full.cedar.add_many([replace(one, method=Method.CONSOLE) for one in class_list(300, start=start)])
    assert counts[0] == counts[1]
