"""An import from its bytes to its list: preview equals write, broken off and sent again, finished and sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from world import BY_OPERATOR, World, somebody

from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.events.types import EventType
from usher.lifecycle import join, leave
from usher.lifecycle.lists.parse import read
from usher.methods.csv_import import reissue, run
from usher.methods.csv_import.models import Import, ImportLine
from usher.methods.csv_import.options import Options
from usher.people import links, passwords
from usher.people.models import Account, Group, Membership

LIST = """email,password,username,role,groups
anna@cedar.example,river-lamp-4821,Anna,,Year 5
,,Åsa Öberg,,
ben@cedar.example,,Ben,teacher,
ben@cedar.example,,Ben again,,
nobody@cedar,,Nobody,,
"""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a transaction, so that a short list has several."""
    monkeypatch.setattr(join, "BATCH", {"sqlite": 2, "postgresql": 2})


def order(world: World, text: str = LIST, **options: object) -> run.Order:
    chosen = Options(**({"role": "student"} | options))  # type: ignore[arg-type]
    return run.Order(world.cedar.organization, read(text.encode(), "list.csv"), chosen, BY_OPERATOR)


def written(world: World, text: str = LIST, **options: object) -> list[dict[str, str]]:
    given = order(world, text, **options)
    return table("".join(run.write(given, run.start(given))))


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def results(rows: list[dict[str, str]]) -> list[tuple[int, str, str]]:
    return [(int(row["line"]), row["result"], row["reason"].partition(":")[0]) for row in rows]


FIRST_TIME = [
    (2, "created", ""),
    (3, "created", ""),
    (4, "created", ""),
    (5, "refused", "duplicate_in_file"),
    (6, "refused", "address_incomplete"),
]


@pytest.mark.usefixtures("small_batches")
def test_the_preview_says_what_the_import_then_does(world: World) -> None:
    before = Membership.objects.count()
    looked = [outcome for batch in run.preview(order(world)) for outcome in batch]
    assert Membership.objects.count() == before
    assert not Import.objects.exists()
    rows = written(world)
    assert results(rows) == FIRST_TIME == [(o.joiner.line, o.result.value, o.reason) for o in looked]
    assert [row["sign_in"] for row in rows] == [outcome.sign_in for outcome in looked]


def test_everybody_can_sign_in_the_moment_the_import_ends(world: World) -> None:
    for row in written(world)[:3]:
        account = Account.objects.get(sign_in_key=row["sign_in"].lower())
        assert account.check_password(row["password"])
        assert account.password.startswith(passwords.KEYED)
        assert row["sign_in_at"].endswith("/o/cedar/sign-in")
    assert written(world, LIST + ",,Last,,\n")[-1]["password"]


def test_the_same_file_again_changes_nothing(world: World) -> None:
    written(world)
    before = list(Account.objects.order_by("id").values_list("id", "password"))
    again = written(world)
    assert [result for _, result, _ in results(again)] == ["unchanged"] * 3 + ["refused"] * 2
    assert not any(row["password"] for row in again)
    assert list(Account.objects.order_by("id").values_list("id", "password")) == before
    assert Import.objects.count() == 1


def break_off(pieces: Iterator[str], after: int) -> None:
    for _ in range(after):
        next(pieces)
    pieces.close()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("after", [1, 2, 3])
def test_broken_off_anywhere_the_same_file_completes_it_with_the_same_passwords(world: World, after: int) -> None:
    given = order(world)
    source = run.start(given)
    break_off(run.write(given, source), after)
    assert Import.objects.get().finished_at is None
    done = dict(Account.objects.filter(home=world.cedar.organization).values_list("sign_in_key", "password"))
    rows = written(world)
    assert results(rows) == FIRST_TIME
    for row in rows[:3]:
        assert Account.objects.get(sign_in_key=row["sign_in"].lower()).check_password(row["password"])
    for key, password in done.items():
        assert Account.objects.get(sign_in_key=key).password == password
    assert [line.result for line in ImportLine.objects.order_by("line")] == [row["result"] for row in rows]


@pytest.mark.usefixtures("small_batches")
def test_a_password_changed_in_between_is_left_blank(world: World) -> None:
    given = order(world)
    break_off(run.write(given, run.start(given)), 2)
    anna = Account.objects.get(email="anna@cedar.example")
    links.set_own_password(anna, passwords.digest("her own secret 77"))
    rows = written(world)
    assert (rows[0]["result"], rows[0]["password"]) == ("created", "")
    assert rows[1]["password"]


def test_after_the_end_a_line_without_its_member_is_judged_afresh(world: World) -> None:
    written(world)
    anna = Membership.objects.get(account__email="anna@cedar.example")
    leave.deactivate(world.cedar.id, anna.id, BY_OPERATOR)
    assert results(written(world))[0] == (2, "refused", "member_inactive")


def test_seats_that_run_out_refuse_the_rest_with_the_reason(world: World) -> None:
    world.cedar.seats("student", limit=2)
    rows = written(world, "username\nA1\nB2\nC3\n")
    assert [reason for _, _, reason in results(rows)] == ["", "seats_taken", "seats_taken"]
    assert world.cedar.seats("student").used == 2


def test_missing_groups_are_made_when_ticked_and_once(world: World) -> None:
    text = "username,groups\nA1,Choir|Band\nB2,choir\n"
    assert [reason for _, _, reason in results(written(world, text))] == ["unknown_group"] * 2
    rows = written(world, text, make_groups=True)
    assert [result for _, result, _ in results(rows)] == ["created"] * 2
    choir = Group.objects.get(organization_id=world.cedar.id, name_key="choir")
    assert (choir.name, choir.used) == ("Choir", 2)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"role": "king"}, Reason.UNKNOWN_ROLE), ({"group": "Year 99"}, Reason.UNKNOWN_GROUP)],
)
def test_what_would_refuse_every_row_stops_before_the_first(
    world: World, options: dict[str, str], reason: Reason
) -> None:
    with pytest.raises(UsherError) as no:
        written(world, **options)
    assert no.value.findings[0].reason is reason
    assert not Import.objects.exists()


def test_an_ended_licence_refuses_every_row_and_says_so(world: World) -> None:
    license = world.cedar.organization.license
    license.ends_on = "2020-01-31"
    license.save()
    rows = written(world)
    assert {reason for _, _, reason in results(rows)} == {"license_ended"}
    assert "2020" in rows[0]["reason"]


def test_an_import_begins_and_ends_with_an_event_and_each_row_has_its_own(world: World) -> None:
    before = len(world.cedar.events())
    written(world)
    kinds = [EventType(event.type) for event in world.cedar.events()[before:]]
    assert kinds[0] is EventType.IMPORT_STARTED
    assert kinds[-1] is EventType.IMPORT_FINISHED
    assert kinds[1:-1].count(EventType.MEMBERSHIP_CREATED) == 3
    assert kinds[1:-1].count(EventType.MEMBERSHIP_REFUSED) == 2


def test_a_formula_is_refused_and_what_we_write_of_it_is_guarded(world: World) -> None:
    rows = written(world, 'username\n"=cmd()"\n')
    assert results(rows) == [(2, "refused", "name_looks_like_formula")]
    assert rows[0]["username"] == "'=cmd()"


# New passwords for an import


def reissued(world: World) -> list[dict[str, str]]:
    return table("".join(reissue.reissue(world.cedar.organization, Import.objects.get(), BY_OPERATOR)))


def test_new_passwords_are_for_those_who_never_signed_in_and_changed_nothing(world: World) -> None:
    first = {row["sign_in"]: row["password"] for row in written(world)}
    Membership.objects.filter(account__email="ben@cedar.example").update(last_seen_at=world.ada.account.created_at)
    fresh = {row["sign_in"]: row["password"] for row in reissued(world)}
    made = next(name for name in fresh if name.endswith(".invalid"))
    assert set(fresh) == {"anna@cedar.example", made}
    for sign_in, password in fresh.items():
        account = Account.objects.get(sign_in_key=sign_in)
        assert password != first[sign_in]
        assert account.check_password(password)
        assert not account.check_password(first[sign_in])
    again = {row["sign_in"]: row["password"] for row in reissued(world)}
    assert set(again) == set(fresh)
    assert not set(again.values()) & set(fresh.values())


def test_an_import_that_is_not_finished_gets_no_new_passwords(world: World) -> None:
    given = order(world)
    break_off(run.write(given, run.start(given)), 2)
    with pytest.raises(UsherError) as no:
        reissued(world)
    assert no.value.findings[0].reason is Reason.IMPORT_OPEN


def test_an_address_proved_elsewhere_is_not_touched(world: World) -> None:
    world.eve  # noqa: B018 - she exists from here on
    before = Account.objects.filter(email="eve@elsewhere.example").values().get()
    rows = written(world, "email,password,username\nEVE@elsewhere.example,taken-over-1234,Not Eve\n")
    assert results(rows) == [(2, "refused", "has_account")]
    assert Account.objects.filter(email="eve@elsewhere.example").values().get() == before


def test_two_organisations_do_not_see_each_others_unclaimed_accounts(world: World) -> None:
    world.birch.add(somebody("Anna", "learner", email="anna@cedar.example"))
    assert results(written(world))[0] == (2, "created", "")
    assert Account.objects.filter(sign_in_key="anna@cedar.example").count() == 2
