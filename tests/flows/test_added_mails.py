"""“You were added”: who is told of an import by mail, once, and what keeps such a mail from going out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

import pytest
from django.db import transaction
from inviting import invite
from mailing import link_in, mails, one_mail
from world import BY_OPERATOR, World, signed_in

from usher.core import clock
from usher.core.errors import UsherError
from usher.core.limits import INVITE_BY, INVITE_TO, INVITE_UNKNOWN
from usher.core.models import Mail
from usher.core.reasons import Finding, Reason
from usher.events.types import OPERATOR
from usher.lifecycle import join, leave
from usher.lifecycle.joiner import By, Outcome
from usher.lifecycle.lists.parse import read
from usher.methods.csv_import import run
from usher.methods.csv_import.models import Import
from usher.methods.csv_import.options import Options
from usher.methods.csv_import.told import Teller
from usher.methods.email_invitation.refusal import Scope, refuse
from usher.organizations import suspend
from usher.organizations.models import Organization
from usher.people.addresses import parse_address
from usher.people.claim import claim, prove_new
from usher.people.models import Account, Membership

ANNA = "anna@cedar.example"
LIST = """email,password,username,role,groups
Anna@cedar.example,river-lamp-4821,Anna,,Year 5
,,Åsa Öberg,,
ben@cedar.example,,Ben,teacher,
ben@cedar.example,,Ben again,,
pia@cedar.example,,Pia,,
nobody@cedar,,Nobody,,
"""
TOLD = ["Anna@cedar.example", "ben@cedar.example"]


def order(world: World, text: str = LIST, by: By | None = None, *, tell: bool = True) -> run.Order:
    organization = Organization.objects.select_related("license").get(id=world.cedar.id)
    options = Options("student", tell=tell)
    return run.Order(organization, read(text.encode(), "list.csv"), options, by or world.ada.by)


def brought(given: run.Order) -> list[str]:
    """The results of an import from its file to its end."""
    rows = csv.DictReader(io.StringIO("".join(run.write(given, run.start(given))), newline=""))
    return [row["result"] for row in rows]


def people(count: int, start: int = 1) -> str:
    lines = "".join(f"p{n}@cedar.example,P{n}\n" for n in range(start, start + count))
    return f"email,username\n{lines}"


def waiting() -> list[str]:
    return sorted(Mail.objects.filter(kind="added").values_list("to", flat=True))


def member(email: str) -> Membership:
    return Membership.objects.select_related("account").get(account__email__iexact=email)


def is_trusted(world: World) -> None:
    Organization.objects.filter(id=world.cedar.id).update(trusted_at=clock.now())


def no(error: pytest.ExceptionInfo[UsherError]) -> Finding:
    (finding,) = error.value.findings
    return finding


# Who


def test_nobody_is_mailed_unless_it_is_ticked(world: World) -> None:
    given = order(world, tell=False)
    brought(given)
    assert (mails(), given.told, INVITE_TO.free(ANNA)) == ([], 0, INVITE_TO.capacity)


def test_everybody_created_with_an_address_gets_one(world: World) -> None:
    """Neither the made name, nor the second row of an address, nor the member, nor the refused row."""
    given = order(world)
    assert brought(given) == ["created", "created", "created", "refused", "unchanged", "refused"]
    assert sorted(one.to[0] for one in mails()) == TOLD
    assert given.told == 2


def test_a_preview_mails_nobody_and_counts_nothing(world: World) -> None:
    list(run.preview(order(world)))
    assert (waiting(), INVITE_UNKNOWN.free(str(world.cedar.id))) == ([], 50)


def test_the_mail_says_who_where_and_as_whom_and_no_password(world: World) -> None:
    brought(order(world, LIST.replace("ben@", "ben@@")))
    mail = one_mail()
    body = str(mail.body)
    assert mail.subject == "You were added: Cedar School"
    assert "Cedar School has made an account for you, as Student." in body
    assert "Your groups: Year 5" in body
    assert "Your sign-in name: Anna@cedar.example" in body
    assert link_in(mail, "/sign-in") == "/o/cedar/sign-in"
    assert "river-lamp" not in body + str(mail.alternatives[0][0])  # type: ignore[attr-defined]


def test_the_link_in_it_leads_to_a_password_of_ones_own(world: World) -> None:
    brought(order(world, f"email,username\n{ANNA},Anna\n"))
    forgot = link_in(one_mail(), "/forgot")
    client = signed_in(world.eve)
    client.logout()
    assert client.post(forgot, {"email": ANNA}).status_code in (200, 302)
    assert re.search("made this account for you", str(one_mail().body))


def test_it_is_in_the_language_of_the_organization(world: World) -> None:
    Organization.objects.filter(id=world.cedar.id).update(language="ar")
    brought(order(world, f"email,username\n{ANNA},Anna\n"))
    html = str(one_mail().alternatives[0][0])  # type: ignore[attr-defined]
    assert '<html lang="ar"' in html


# Once


def break_off(pieces: Iterator[str], after: int) -> None:
    for _ in range(after):
        next(pieces)
    pieces.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_broken_off_anywhere_and_sent_again_it_tells_nobody_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})
    given = order(world)
    break_off(run.write(given, run.start(given)), after)
    brought(order(world))
    assert waiting() == TOLD


def test_sent_again_after_its_end_it_tells_nobody(world: World) -> None:
    for _ in range(2):
        brought(order(world))
    assert waiting() == TOLD


def test_two_runs_side_by_side_tell_everybody_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double click: both began before either had written."""
    monkeypatch.setattr(join, "BATCH", {"sqlite": 1, "postgresql": 1})
    both = [order(world), order(world)]
    runs = [run.write(given, run.start(given)) for given in both]
    for pair in zip(*runs, strict=True):
        assert pair
    assert waiting() == TOLD
    assert sum(given.told for given in both) == 2


def test_the_tick_makes_no_other_import_and_is_for_those_who_come_in_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})
    given = order(world, tell=False)
    break_off(run.write(given, run.start(given)), 2)
    brought(order(world))
    assert Import.objects.count() == 1
    assert waiting() == ["ben@cedar.example"]


# How many


def test_an_unknown_organization_may_tell_fifty_a_day(world: World) -> None:
    for step in (run.preview, run.start):
        with pytest.raises(UsherError) as error:
            step(order(world, people(51)))
        assert no(error) == Reason.TOO_MANY_TO_TELL(count=51, left=50)
    assert not Import.objects.exists()
    assert brought(order(world, people(50))) == ["created"] * 50
    assert len(waiting()) == 50
    with pytest.raises(UsherError) as error:
        run.start(order(world, people(1, start=90)))
    assert no(error) == Reason.TOO_MANY_TO_TELL(count=1, left=0)
    assert brought(order(world, people(1, start=90), tell=False)) == ["created"]
    assert len(waiting()) == 50


def test_rows_without_an_address_and_those_told_before_are_not_in_the_way(world: World) -> None:
    text = people(40) + "".join(f",Pupil {n}\n" for n in range(40))
    for result in ("created", "unchanged"):
        assert brought(order(world, text)) == [result] * 80
    assert len(waiting()) == 40


@pytest.mark.parametrize("who", ["known", "operator"])
def test_a_known_organization_and_the_operator_may_tell_more(world: World, who: str) -> None:
    if who == "known":
        is_trusted(world)
    brought(order(world, people(51), BY_OPERATOR if who == "operator" else None))
    assert len(waiting()) == 51


def test_what_runs_out_under_way_stops_mails_and_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count is of the transaction that posts: those who came in without a mail are not counted."""
    monkeypatch.setattr(join, "BATCH", {"sqlite": 10, "postgresql": 10})
    given = order(world, people(20))
    pieces = run.write(given, run.start(given))
    next(pieces), next(pieces)
    INVITE_UNKNOWN.add(str(world.cedar.id), 35)
    assert "created" in "".join(pieces)
    assert Membership.objects.filter(organization_id=world.cedar.id, account__email__startswith="p").count() == 21
    assert (len(waiting()), given.told) == (10, 10)
    assert INVITE_BY.free(str(world.ada.account_id)) == INVITE_BY.capacity - 10


def test_a_mailbox_that_had_enough_today_gets_no_more(world: World) -> None:
    INVITE_TO.add(ANNA, INVITE_TO.capacity)
    assert brought(order(world))[0] == "created"
    assert waiting() == ["ben@cedar.example"]


def test_a_transaction_that_fails_has_told_and_counted_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_facts: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("usher.lifecycle.join.arrived.tell", fail)
    given = order(world)
    with pytest.raises(RuntimeError):
        "".join(run.write(given, run.start(given)))
    assert (waiting(), INVITE_TO.free(ANNA)) == ([], INVITE_TO.capacity)


def test_a_transaction_that_is_tried_again_counts_what_it_did_at_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = Teller.tell

    def twice(teller: Teller, outcomes: Sequence[Outcome]) -> None:
        with transaction.atomic():
            tell(teller, outcomes)
            transaction.set_rollback(True)
        INVITE_TO.add(ANNA, INVITE_TO.capacity)  # somebody else was faster
        tell(teller, outcomes)

    monkeypatch.setattr(Teller, "tell", twice)
    given = order(world)
    brought(given)
    assert (waiting(), given.told) == (["ben@cedar.example"], 1)


# What keeps it from going out


@pytest.mark.parametrize("scope", [Scope.ORGANIZATION, Scope.ALL])
def test_who_wants_no_mails_is_added_without_one(world: World, scope: Scope) -> None:
    house, admin = (world.cedar, world.ada) if scope is Scope.ORGANIZATION else (world.birch, world.bob)
    refuse(invite(house, admin, ANNA), scope)
    mails()
    assert brought(order(world))[0] == "created"
    assert waiting() == ["ben@cedar.example"]


def test_who_says_so_while_it_waits_gets_none(world: World) -> None:
    brought(order(world))
    refuse(invite(world.birch, world.bob, ANNA), Scope.ALL)
    assert [one.to for one in mails()] == [["ben@cedar.example"]]


def test_of_a_suspended_organization_nothing_goes_out(world: World) -> None:
    brought(order(world))
    suspend.suspend(Organization.objects.get(id=world.cedar.id), "unpaid", OPERATOR)
    assert mails() == []


def test_who_proved_the_address_meanwhile_needs_no_word(world: World) -> None:
    brought(order(world))
    claim(member(ANNA).account, parse_address(ANNA))
    prove_new("Ben", parse_address("ben@cedar.example"), "!", None)  # by another account than the one made for it
    assert mails() == []


def test_who_is_not_active_any_more_is_not_told(world: World) -> None:
    brought(order(world))
    leave.deactivate(world.cedar.id, member(ANNA).id, BY_OPERATOR)
    assert [one.to[0] for one in mails()] == ["ben@cedar.example"]


def test_who_was_taken_back_is_not_told(world: World) -> None:
    brought(order(world))
    Membership.objects.filter(account__email="ben@cedar.example").update(state=Membership.State.INACTIVE)
    anna = member(ANNA)
    anna.delete()
    Account.objects.filter(id=anna.account_id).delete()
    assert mails() == []


def test_a_corrected_address_gets_nothing_meant_for_the_old_one(world: World) -> None:
    brought(order(world, f"email,username\n{ANNA},Anna\n"))
    Account.objects.filter(email=ANNA).update(email="anne@cedar.example", sign_in_key="anne@cedar.example")
    assert mails() == []
