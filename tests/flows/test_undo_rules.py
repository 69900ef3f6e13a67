"""Undo from its preview to its end: who goes, who stays and why, and that the books are exact at every point."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import recount
import time_machine
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from world import BY_OPERATOR, World

from usher.core import clock as clocks
from usher.core import work
from usher.core.errors import UsherError
from usher.core.models import Mail
from usher.core.reasons import Reason
from usher.events.types import EventType
from usher.lifecycle import brought, join, leave, move, past, undo
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import By
from usher.lifecycle.lists.parse import read
from usher.lifecycle.past import Book, Standing
from usher.lifecycle.undo import Undoing
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as creations
from usher.methods.bulk_accounts.models import CreatedAccount, CreationRun
from usher.methods.bulk_accounts.order import Order
from usher.methods.csv_import import reissue
from usher.methods.csv_import import run as imports
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.csv_import.options import Options
from usher.methods.invite_code.entry import enter
from usher.methods.invite_code.models import InviteCode
from usher.organizations.models import SeatPool
from usher.people import correct, credentials
from usher.people.access import Visit
from usher.people.addresses import parse_address
from usher.people.claim import claim
from usher.people.links import make_setup_link
from usher.people.models import Account, Group, GroupMembership, MadeName, Membership, OneTimeLink, SearchWord
from usher.people.sign_in import sign_in_account

T = EventType
LIST = """email,password,username,role,groups
zoe@cedar.example,river-lamp-4821,Zoë,,Year 5
,river-lamp-4821,Åsa Öberg,,Year 5|Choir
ben@cedar.example,river-lamp-4821,Ben,teacher,
ben@cedar.example,,Ben again,,
nobody@cedar,,Nobody,,
pia@cedar.example,,Pia,,
,river-lamp-4821,山田,,
"""
CAME = 4


def order(world: World, text: str = LIST, by: By = BY_OPERATOR) -> imports.Order:
    options = Options("student", make_groups=True)
    return imports.Order(world.cedar.organization, read(text.encode(), "list.csv"), options, by)


def send(world: World, text: str = LIST, by: By = BY_OPERATOR) -> tuple[Book, list[dict[str, str]]]:
    """An import from its file to its end."""
    given = order(world, text, by)
    source = imports.start(given)
    rows = csv.DictReader(io.StringIO("".join(imports.write(given, source)), newline=""))
    return book_of(world, source.id), list(rows)


def create(world: World, *people: str, group: str = "", by: By = BY_OPERATOR) -> Book:
    given = Order(world.cedar.organization, names.named("\n".join(people)), Choices("student", group), by)
    made = creations.make(given)
    assert made.run_id
    return book_of(world, made.run_id)


def book_of(world: World, run_id: uuid.UUID) -> Book:
    book = past.find(world.cedar.organization, None, run_id)
    assert book
    return book


def again(world: World, book: Book) -> Book:
    return book_of(world, book.kept.id)


def undone(world: World, book: Book, by: By = BY_OPERATOR, **given: Any) -> Undoing:
    return undo.undo(world.cedar.organization, again(world, book), by, **given)


def previewed(world: World, book: Book, by: By = BY_OPERATOR) -> Undoing:
    return undo.preview(world.cedar.organization, again(world, book), by)


def staying(told: Undoing) -> dict[str, str]:
    return {one.person.username: one.finding.code for one in told.stays}


def standing(world: World, book: Book) -> Standing:
    return past.told(world.cedar.organization, again(world, book).kept).standing


def member(username: str) -> Membership:
    return Membership.objects.select_related("account").get(account__username=username)


def books(world: World) -> dict[str, Any]:
    """Everything that an import changes and an undo is to give back; counters of made names are not among it."""
    here = {"organization_id": world.cedar.id}
    return {
        "seats": sorted(SeatPool.objects.filter(**here).values_list("pool", "used")),
        "places": sorted(Group.objects.filter(**here, used__gt=0).values_list("name", "used")),
        "members": sorted(Membership.objects.filter(**here).values_list("id", flat=True)),
        "accounts": sorted(Account.objects.values_list("id", flat=True)),
        "words": sorted(SearchWord.objects.filter(**here).values_list("membership_id", "word")),
        "links": sorted(GroupMembership.objects.filter(**here).values_list("group_id", "membership_id")),
    }


def check_books(world: World) -> None:
    assert recount.faults(world.cedar.id) == []
    assert recount.broken() == []


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "BATCH", 2)


# Everybody goes


@pytest.mark.usefixtures("small_batches")
def test_an_import_undone_is_as_if_it_had_never_been(world: World) -> None:
    before = books(world)
    book, _ = send(world)
    assert books(world)["seats"] != before["seats"]
    seen = previewed(world, book)
    assert (seen.goes, seen.stay) == (CAME, 0)
    done = undone(world, book)
    assert (done.goes, done.stay, done.is_ended) == (CAME, 0, True)
    assert books(world) == before
    check_books(world)


@pytest.mark.usefixtures("small_batches")
def test_accounts_made_in_advance_undone(world: World) -> None:
    before = books(world)
    book = create(world, "Åsa", "Bo", "山田", group="Year 5")
    assert (book.kept.name, book.kept.came, book.kept.role) == ("3 accounts for Year 5", 3, "student")
    assert previewed(world, book).goes == 3
    assert undone(world, book).goes == 3
    assert books(world) == before
    check_books(world)


def test_a_preview_changes_nothing_and_takes_no_lock(world: World) -> None:
    book, _ = send(world)
    before = books(world), len(world.cedar.events())
    with CaptureQueriesContext(connection) as queries:
        undo.preview(world.cedar.organization, book, BY_OPERATOR)
    assert all(one["sql"].startswith("SELECT") and "FOR UPDATE" not in one["sql"] for one in queries)
    assert (books(world), len(world.cedar.events())) == before


def test_the_events_say_who_went_and_by_whom(world: World) -> None:
    book, _ = send(world, by=world.ada.by)
    ids = {line.membership_id for line in ImportLine.objects.filter(result="created") if line.membership_id}
    accounts = set(Membership.objects.filter(id__in=ids).values_list("account_id", flat=True))
    undone(world, book, world.ada.by)
    gone = world.cedar.events(T.MEMBERSHIP_UNDONE)
    assert {event.account_id for event in gone} == accounts
    assert len(gone) == CAME
    assert {(event.actor_id, event.method, event.personal) for event in gone} == {
        (world.ada.account_id, "csv_import", None)
    }
    (whole,) = world.cedar.events(T.IMPORT_UNDONE)
    assert whole.data == {"import": str(book.kept.id), "file": "people.csv", "removed": CAME, "stayed": 0}
    told = repr([(event.data, event.address_hash) for event in [*gone, whole]])
    assert not [name for name in ("Zoë", "zoe", "Åsa", "asa.oberg", "山田") if name in told]


def test_the_event_of_a_creation_names_it(world: World) -> None:
    book = create(world, "Åsa")
    undone(world, book)
    (whole,) = world.cedar.events(T.ACCOUNTS_UNDONE)
    assert whole.data == {"creation": str(book.kept.id), "removed": 1, "stayed": 0}


def test_links_on_their_way_die_with_the_account(world: World) -> None:
    book, _ = send(world)
    OneTimeLink.objects.create(
        purpose="claim", token_hash="x", account=member("Zoë").account, expires_at=clocks.now() + timedelta(1)
    )
    assert undone(world, book).goes == CAME
    assert not OneTimeLink.objects.exists()


def test_sign_in_names_are_not_given_again(world: World) -> None:
    book, rows = send(world)
    undone(world, book)
    again_rows = send(world)[1]
    by_line = {row["line"]: row["sign_in"] for row in rows}
    made = [row for row in again_rows if row["result"] == "created" and row["email"] == ""]
    assert [row["sign_in"] for row in made] == ["asa.oberg-2@cedar.usher.invalid", "student.1002@cedar.usher.invalid"]
    assert not {row["sign_in"] for row in made} & set(by_line.values())
    assert MadeName.objects.get(stem="asa.oberg").used == 2


def test_seats_alarms_are_armed_again(world: World) -> None:
    world.cedar.seats("student", 5)
    book, _ = send(world)
    pool = world.cedar.seats("student")
    assert (pool.used, pool.told) == (4, 80)
    Mail.objects.all().delete()
    undone(world, book)
    assert world.cedar.seats("student").told == 0
    send(world)
    assert Mail.objects.filter(kind="seats").count() == 1


def test_groups_that_the_file_made_stay(world: World) -> None:
    book, _ = send(world)
    undone(world, book)
    choir = Group.objects.get(name="Choir")
    assert (choir.state, choir.used, choir.members.count()) == ("open", 0, 0)


def test_the_number_of_queries_does_not_grow_with_the_people(world: World) -> None:
    counts = []
    for size in (2, 120):
        text = "username,groups\n" + "".join(f"Pupil {n} of {size},Year 5\n" for n in range(size))
        book, _ = send(world, text)
        with CaptureQueriesContext(connection) as queries:
            assert undone(world, book).goes == size
        counts.append(len(queries))
    assert counts[0] == counts[1] < 70


# Who stays

ACTS: dict[str, tuple[Callable[[World, Membership], object], str]] = {}


def act(reason: str) -> Callable[[Callable[[World, Membership], object]], Callable[[World, Membership], object]]:
    def keep(done: Callable[[World, Membership], object]) -> Callable[[World, Membership], object]:
        ACTS[done.__name__] = done, reason
        return done

    return keep


def ada(world: World) -> Visit:
    return Visit(world.ada.account, world.ada.membership)


@act("stays_signed_in")
def signed_in(_world: World, zoe: Membership) -> None:
    answer = Client().post("/", {"name": zoe.account.sign_in, "password": "river-lamp-4821"})
    assert answer.status_code == 302


@act("stays_claimed")
def claimed(_world: World, zoe: Membership) -> None:
    claim(zoe.account, parse_address("zoe@cedar.example"))


@act("stays_changed")
def proved_by_its_owner_elsewhere(_world: World, zoe: Membership) -> None:
    """The account here is an offer to the owner of the address: his to take, or to end."""
    own = Account.objects.create(
        username="Zoë", email="zoe@cedar.example", sign_in_key="zoe@cedar.example", claimed_at=clocks.now()
    )
    claim(own, parse_address("zoe@cedar.example"))
    zoe.account.refresh_from_db()
    assert not zoe.account.is_claimed


@act("stays_changed")
def moved(world: World, zoe: Membership) -> None:
    move.move(world.cedar.id, zoe.id, "teacher", BY_OPERATOR)


@act("stays_changed")
def moved_and_moved_back(world: World, zoe: Membership) -> None:
    for role in ("teacher", "student"):
        move.move(world.cedar.id, zoe.id, role, BY_OPERATOR)


@act("stays_changed")
def taken_out_of_the_group(world: World, zoe: Membership) -> None:
    assert move.remove_from_group(world.cedar.id, zoe.id, world.year5.id, BY_OPERATOR)


@act("stays_changed")
def made_manager(world: World, zoe: Membership) -> None:
    move.set_group_right(world.cedar.id, zoe.id, world.year5.id, "manager", BY_OPERATOR)


@act("stays_changed")
def corrected(world: World, zoe: Membership) -> None:
    correct.correct(ada(world), zoe.id, username="Zoe", email="zoe@cedar.example")


@act("stays_changed")
def password_reset(world: World, zoe: Membership) -> None:
    (reset,) = credentials.reset_passwords(ada(world), [zoe.id])
    assert reset.password


@act("stays_changed")
def deactivated(world: World, zoe: Membership) -> None:
    leave.deactivate(world.cedar.id, zoe.id, BY_OPERATOR)


@act("stays_changed")
def came_back(world: World, zoe: Membership) -> None:
    leave.deactivate(world.cedar.id, zoe.id, BY_OPERATOR)
    leave.reactivate(world.cedar.id, zoe.id, BY_OPERATOR)


@act("stays_changed")
def used_a_code(world: World, zoe: Membership) -> None:
    facts = {"code": "7K4M29QX", "role": "student", "group": world.cedar.group("Sports")}
    enter(InviteCode.objects.create(organization=world.cedar.organization, **facts), zoe.account_id)


@act("stays_changed")
def got_a_set_up_link(world: World, zoe: Membership) -> None:
    make_setup_link(zoe.account, world.cedar.id, BY_OPERATOR.actor)


@act("stays_elsewhere")
def second_membership(world: World, zoe: Membership) -> None:
    """No door lets an unclaimed account in elsewhere; were it there, its account would still be needed."""
    Membership.objects.create(
        organization=world.birch.organization, account=zoe.account, role="learner", joined_at=clocks.now()
    )


@pytest.mark.parametrize("what", ACTS)
def test_whoever_something_happened_to_stays(world: World, what: str) -> None:
    book, _ = send(world)
    zoe = member("Zoë")
    do, reason = ACTS[what]
    do(world, zoe)
    before = Membership.objects.filter(id=zoe.id).values().get(), zoe.account.password
    seen = previewed(world, book)
    assert (seen.goes, {one.finding.code for one in seen.stays}) == (CAME - 1, {reason})
    done = undone(world, book)
    assert (done.goes, {one.finding.code for one in done.stays}) == (CAME - 1, {reason})
    zoe = Membership.objects.select_related("account").get(id=zoe.id)
    assert (Membership.objects.filter(id=zoe.id).values().get(), zoe.account.password)[0] == before[0]
    assert recount.faults(world.cedar.id) == []
    if what != "second_membership":  # which is what V12 forbids
        assert recount.broken() == []


def test_the_reason_says_what_was_changed(world: World) -> None:
    book, _ = send(world)
    move.move(world.cedar.id, member("Zoë").id, "teacher", BY_OPERATOR)
    (zoe,) = previewed(world, book).stays
    assert str(zoe.finding.sentence).endswith("since: Role changed.")


UNTOUCHED: dict[str, Callable[[World, Book], object]] = {
    "new passwords for the whole import": lambda w, b: list(
        reissue.reissue(w.cedar.organization, Import.objects.get(id=b.kept.id), w.ada.by)
    ),
    "the worker hardens the passwords": lambda w, b: work.drain(),
    "the same file sent again": lambda w, b: send(w),
    "the group is renamed": lambda w, b: Group.objects.filter(id=w.year5.id).update(name="Class 5", name_key="class 5"),
    "somebody else's role changes": lambda w, b: move.move(w.cedar.id, w.pia.membership.id, "teacher", BY_OPERATOR),
}


@pytest.mark.parametrize("what", UNTOUCHED)
def test_what_the_run_itself_does_keeps_nobody(world: World, what: str) -> None:
    book, _ = send(world)
    UNTOUCHED[what](world, book)
    assert undone(world, book).goes == CAME
    check_books(world)


def test_an_organisation_keeps_an_admin_who_can_sign_in(world: World) -> None:
    book, _ = send(world, "email,password,role\nx@cedar.example,river-lamp-4821,admin\ny@cedar.example,,admin\n")
    Account.objects.filter(id=world.ada.account_id).update(password="!")
    assert staying(previewed(world, book)) == {"y": "last_admin"}
    assert staying(undone(world, book)) == {"y": "last_admin"}
    check_books(world)


def test_who_signs_in_between_the_look_and_the_pen_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preview is a look; the undo looks again under the lock."""
    book, _ = send(world)
    assert previewed(world, book).goes == CAME
    signed_in(world, member("Zoë"))
    assert staying(undone(world, book)) == {"Zoë": "stays_signed_in"}


# The file again


def test_the_same_file_is_a_new_import_afterwards(world: World) -> None:
    book, rows = send(world)
    move.move(world.cedar.id, member("Zoë").id, "teacher", BY_OPERATOR)
    undone(world, book)
    new, new_rows = send(world)
    assert new.kept.id != book.kept.id
    told = {row["line"]: (row["result"], row["sign_in"], row["password"]) for row in new_rows}
    assert [told[row["line"]][0] for row in rows] == [
        "unchanged", "created", "created", "refused", "refused", "unchanged", "created"
    ]  # fmt: skip
    old = {row["line"]: (row["sign_in"], row["password"]) for row in rows if row["result"] == "created"}
    for line, (result, sign_in, password) in told.items():
        if result == "created":
            assert Account.objects.get(sign_in_key=sign_in).check_password(password)
            assert old[line] != (sign_in, password) or line == "4"  # Ben has an address and a password of the file
    assert undone(world, new).goes == 3
    check_books(world)


def test_an_undone_import_gives_no_new_passwords(world: World) -> None:
    book, _ = send(world)
    move.move(world.cedar.id, member("Zoë").id, "teacher", BY_OPERATOR)
    undone(world, book)
    with pytest.raises(UsherError) as no:
        list(reissue.reissue(world.cedar.organization, Import.objects.get(id=book.kept.id), world.ada.by))
    assert no.value.findings[0].reason is Reason.RUN_UNDONE


def test_a_line_unchanged_by_another_file_stays_in_order(world: World) -> None:
    """Somebody whom two files name came by the first; the second says “unchanged”, also when he is gone."""
    book, _ = send(world)
    other, _ = send(world, "email\nzoe@cedar.example\nnew@cedar.example\n")
    assert undone(world, book).goes == CAME
    check_books(world)
    assert undone(world, other).goes == 1
    check_books(world)


@pytest.fixture
def two_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})


@pytest.mark.usefixtures("two_rows_at_a_time")
def test_an_import_that_was_killed_can_be_undone(world: World) -> None:
    before = books(world)
    given = order(world)
    pieces = imports.write(given, source := imports.start(given))
    next(pieces), next(pieces)
    del pieces
    book = book_of(world, source.id)
    assert standing(world, book) is Standing.OPEN
    assert undone(world, book).goes == 2
    assert books(world) == before
    check_books(world)
    assert send(world)[0].kept.id != source.id


@pytest.mark.usefixtures("two_rows_at_a_time")
def test_nobody_comes_in_by_an_import_that_is_being_undone(world: World) -> None:
    given = order(world)
    pieces = imports.write(given, source := imports.start(given))
    next(pieces), next(pieces)
    undone(world, book_of(world, source.id))
    before = books(world)
    with pytest.raises(UsherError) as no:
        next(pieces)
    assert no.value.findings[0].reason is Reason.RUN_UNDONE
    assert books(world) == before
    check_books(world)


# Broken off, and again


class PowerCutError(Exception):
    """The process is gone."""


@pytest.mark.usefixtures("small_batches")
def test_an_undo_that_was_killed_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = books(world)
    book, _ = send(world)
    taken = brought.take_back
    calls = []

    def cut(*given: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise PowerCutError
        taken(*given)

    monkeypatch.setattr(brought, "take_back", cut)
    with pytest.raises(PowerCutError):
        undone(world, book)
    assert standing(world, book) is Standing.UNDOING
    assert (again(world, book).kept.gone, len(world.cedar.events(T.IMPORT_UNDONE))) == (2, 0)
    check_books(world)
    monkeypatch.undo()
    done = undone(world, book)
    assert (done.goes, done.is_ended) == (CAME - 2, True)
    assert books(world) == before
    (whole,) = world.cedar.events(T.IMPORT_UNDONE)
    assert (whole.data["removed"], standing(world, book)) == (CAME, Standing.UNDONE)
    assert len(world.cedar.events(T.MEMBERSHIP_UNDONE)) == CAME
    check_books(world)


@pytest.mark.usefixtures("small_batches")
def test_one_request_does_so_much_and_the_next_goes_on(world: World) -> None:
    book, _ = send(world)
    first = undone(world, book, seconds=0)
    assert (first.goes, first.is_ended) == (2, False)
    assert standing(world, book) is Standing.UNDOING
    assert undone(world, book).is_ended
    assert len(world.cedar.events(T.MEMBERSHIP_UNDONE)) == CAME


def test_done_twice_it_does_nothing_twice(world: World) -> None:
    book, _ = send(world)
    undone(world, book)
    told = len(world.cedar.events())
    assert undone(world, book).goes == 0
    assert len(world.cedar.events()) == told


def test_who_is_no_admin_any_more_does_not_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "BATCH", 1)
    book, _ = send(world)
    by = world.ada.by
    Membership.objects.filter(id=world.ada.membership.id).update(role="teacher")
    with pytest.raises(UsherError) as no:
        undone(world, book, by)
    assert no.value.findings[0].reason is Reason.ROLE_ABOVE_YOURS
    assert again(world, book).kept.gone <= 1


# When, and by whom


def test_for_thirty_days_the_last_one_included(world: World, clock: time_machine.Traveller) -> None:
    book, _ = send(world)
    other = create(world, "Åsa")
    assert past.told(world.cedar.organization, book.kept).until.isoformat() == "2026-04-01"
    clock.move_to("2026-04-01T23:59:00+00:00")
    assert past.told(world.cedar.organization, book.kept).may_undo
    assert undone(world, book).goes == CAME
    clock.move_to("2026-04-02T00:00:00+00:00")
    assert not past.told(world.cedar.organization, other.kept).may_undo
    with pytest.raises(UsherError) as no:
        undone(world, other)
    assert no.value.findings[0].reason is Reason.UNDO_ENDED
    assert member("Åsa").state == "active"


def test_the_day_is_that_of_the_organisation(world: World, clock: time_machine.Traveller) -> None:
    world.cedar.organization.time_zone = "Pacific/Auckland"
    world.cedar.organization.save()
    clock.move_to("2026-03-02T20:00:00+00:00")  # the 3rd in Auckland
    book, _ = send(world)
    assert past.told(world.cedar.organization, book.kept).until.isoformat() == "2026-04-02"
    clock.move_to("2026-04-02T11:30:00+00:00")  # the 3rd there
    with pytest.raises(UsherError):
        undone(world, book)


@pytest.mark.usefixtures("small_batches")
def test_what_was_begun_in_time_may_be_brought_to_its_end(world: World, clock: time_machine.Traveller) -> None:
    book, _ = send(world)
    undone(world, book, seconds=0)
    clock.shift(timedelta(days=40))
    assert undone(world, book).is_ended
    check_books(world)


def test_where_nobody_can_be_removed_nothing_begins(world: World) -> None:
    book = create(world, "Åsa")
    leave.deactivate(world.cedar.id, member("Åsa").id, BY_OPERATOR)
    with pytest.raises(UsherError) as no:
        undone(world, book)
    assert no.value.findings[0].reason is Reason.NOBODY_TO_UNDO
    assert standing(world, book) is Standing.DONE


def test_a_manager_undoes_what_he_made_himself(world: World) -> None:
    mine = create(world, "Åsa", "Bo", group="Year 5", by=world.tom.by)
    others = create(world, "Cy", group="Year 5", by=world.ada.by)
    tom = world.tom.account_id
    page = past.page(world.cedar.organization, tom)
    assert [run.kept.id for run in page.runs] == [mine.kept.id]
    assert past.find(world.cedar.organization, tom, others.kept.id) is None
    assert undone(world, mine, world.tom.by).goes == 2


def test_a_manager_of_the_group_no_more_undoes_nobody(world: World) -> None:
    mine = create(world, "Åsa", group="Year 5", by=world.tom.by)
    GroupMembership.objects.filter(membership=world.tom.membership_id).update(right="member")
    assert staying(previewed(world, mine, world.tom.by)) == {"Åsa": "not_in_your_groups"}


# The list


def test_the_list_has_all_runs_newest_first_page_by_page(world: World) -> None:
    first, _ = send(world)
    second = create(world, "Bo", by=world.ada.by)
    third, _ = send(world, "email\nnew@cedar.example\n", by=world.ada.by)
    page = past.page(world.cedar.organization, None, size=2)
    assert [run.kept.id for run in page.runs] == [third.kept.id, second.kept.id]
    assert [run.by for run in page.runs] == ["Ada Ash", "Ada Ash"]
    rest = past.page(world.cedar.organization, None, before=page.older, size=2)
    assert [(run.kept.id, run.by, run.kept.came) for run in rest.runs] == [(first.kept.id, "", CAME)]
    assert rest.older is None
    assert past.page(world.birch.organization, None).runs == []


def test_the_list_asks_no_more_of_more_runs(world: World) -> None:
    counts: list[int] = []
    for _ in range(2):
        create(world, "Åsa")
        send(world, f"username\nPupil {len(counts)}\n")
        with CaptureQueriesContext(connection) as queries:
            past.page(world.cedar.organization, None)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_creation_is_written_down_only_where_somebody_was_made(world: World) -> None:
    given = Order(world.cedar.organization, names.named("Åsa\nBo"), Choices("student"), BY_OPERATOR)
    creations.preview(given)
    assert not CreationRun.objects.exists()
    world.cedar.seats("student", 2)
    made = creations.make(given)
    run = CreationRun.objects.get()
    assert (made.run_id, run.count, run.lines.count()) == (run.id, 2, 1)
    assert creations.make(given).run_id is None
    assert (CreationRun.objects.count(), CreatedAccount.objects.count()) == (1, 1)


def test_who_comes_too_late_is_told_so(world: World) -> None:
    """Somebody whose sign-in or proof was checked before the undo, and is written down after it."""
    book, _ = send(world)
    account, request = member("Zoë").account, RequestFactory().post("/")
    request.session = SessionStore()
    undone(world, book)
    with pytest.raises(UsherError) as no:
        sign_in_account(request, account)
    assert no.value.findings[0].reason is Reason.SIGN_IN_FAILED
    with pytest.raises(UsherError) as no:
        claim(account, parse_address("zoe@cedar.example"))
    assert no.value.findings[0].reason is Reason.LINK_DEAD
