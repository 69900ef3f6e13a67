"""Work after commit: taken in turns, by one worker each, and what was given up stays in sight."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from world import World, signed_in

from usher.core import chores, jobs, work, worker
from usher.core import clock as clocks
from usher.core import mail as outbox
from usher.core.letters import Letter, letter
from usher.core.models import Chore, Mail
from usher.core.work import BACK_OFF, KEPT, LEASE, claim, drain, run_one
from usher.events.models import Event
from usher.events.types import EventType
from usher.organizations.models import Organization
from usher.people.models import HashBatch

CEDAR, BIRCH = uuid.uuid4(), uuid.uuid4()
written: list[str] = []


@letter("turn")
@letter("approved_in_turn")
def write(mail: Mail) -> Letter | None:
    """Nothing to say, but that it was its turn."""
    written.append(mail.to)
    if mail.data.get("broken"):
        raise ValueError(f"no letter for {mail.to}")
    if mail.data.get("later"):
        raise work.NotNowError(clocks.now() + dt.timedelta(minutes=5))
    if mail.data.get("never"):
        raise work.GiveUpError("The mail server refused the address with 550.")
    return None


@pytest.fixture(autouse=True)
def afresh() -> None:
    written.clear()
    work._served.clear()


def post(to: str, organization: uuid.UUID | None = None, kind: str = "turn", **data: object) -> None:
    outbox.post(kind, to, outbox.Envelope(organization, data=data))


def dead() -> jobs.Dead:
    (one,) = jobs.dead()
    return one


# Taking turns


def test_one_noisy_organisation_holds_up_nobody(db: None) -> None:
    for n in range(50):
        post(f"cedar-{n}", CEDAR)
    post("cedar-approved", CEDAR, "approved_in_turn")
    for n in range(3):
        post(f"birch-{n}", BIRCH)
    post("nobody's")
    drain()
    assert sorted(written[:4]) == ["birch-0", "cedar-0", "cedar-approved", "nobody's"]
    assert {"birch-1", "birch-2"} <= set(written[:8])
    assert [to for to in written if to.startswith("cedar-") and to != "cedar-approved"] == [
        f"cedar-{n}" for n in range(50)
    ], "and in a lane the oldest goes first"


def test_a_lane_that_comes_later_gets_its_turn_too(db: None) -> None:
    for n in range(10):
        post(f"cedar-{n}", CEDAR)
    for _ in range(3):
        run_one([Mail])
    post("birch", BIRCH)
    for _ in range(2):
        run_one([Mail])
    assert "birch" in written


def test_password_hashes_stand_in_the_lane_of_their_organisation(world: World) -> None:
    lanes = set(HashBatch.objects.values_list("lane", flat=True))
    assert lanes
    assert lanes <= set(Organization.objects.values_list("id", flat=True))


class AtOnce(Executor):
    """Does it in the thread that hands it over, so in the test's own transaction; counts what it was given."""

    given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        self.given += 1
        answer: Future[Any] = Future()
        answer.set_result(fn(*args))
        return answer


def test_what_waits_for_others_is_done_side_by_side(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the kind says, the lanes in turns as ever."""
    monkeypatch.setattr(Mail, "abreast", 3)
    monkeypatch.setattr(work, "close_old_connections", lambda: None)  # it would end the test's transaction
    crew = AtOnce()
    for n in range(4):
        post(f"cedar{n}@school.example", CEDAR)
    post("birch@school.example", BIRCH)
    assert work.run_abreast([HashBatch, Mail], crew)
    assert (len(written), crew.given) == (3, 2)
    assert "birch@school.example" in written
    assert work.run_abreast([Mail], crew)
    assert not work.run_abreast([Mail], crew)
    assert (len(written), crew.given) == (5, 3)


def test_a_worker_with_nothing_to_do_asks_one_question_and_takes_no_lock(db: None) -> None:
    post("later")
    Mail.objects.update(run_at=clocks.now() + LEASE)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert not run_one([Mail])
    (query,) = asked.captured_queries
    assert query["sql"].startswith("SELECT 1 ")


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' * (connection.vendor == 'sqlite')}{sql}")
        return "\n".join(str(row) for row in cursor.fetchall())


def test_the_next_piece_is_found_by_an_index_however_many_are_due(db: None) -> None:
    now = clocks.now()
    lanes = [uuid.uuid4() for _ in range(20)]
    Mail.objects.bulk_create(Mail(kind="turn", to="x", lane=lanes[n % 20], run_at=now - LEASE) for n in range(4000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_mail")
    with CaptureQueriesContext(connection) as asked:
        assert claim(Mail)
    looks = [one["sql"] for one in asked.captured_queries if "ORDER BY" in one["sql"]]
    assert looks
    for look in looks:
        plan = plan_of(look)
        assert "mail_by_lane" in plan
        assert "sort" not in plan.lower()
        assert "TEMP B-TREE" not in plan


# The lease


def test_a_killed_workers_piece_is_taken_within_a_minute(db: None, clock: time_machine.Traveller) -> None:
    post("zoe")
    assert claim(Mail)
    clock.shift(LEASE)
    assert claim(Mail) is None
    clock.shift(dt.timedelta(seconds=1))
    again = claim(Mail)
    assert again
    assert again.attempts == 2
    assert dt.timedelta(seconds=1 + worker.IDLE) + LEASE < dt.timedelta(seconds=60)


@pytest.mark.parametrize("how", ["done", "failed", "give_up", "put_back"])
def test_who_overslept_changes_nothing(db: None, clock: time_machine.Traveller, how: str) -> None:
    post("zoe")
    slow = claim(Mail)
    clock.shift(LEASE + dt.timedelta(seconds=1))
    quick = claim(Mail)
    assert slow
    assert quick
    before = Mail.objects.values().get()
    getattr(slow, how)(*(["why"] if how in ("failed", "give_up") else []))
    with pytest.raises(work.LeaseLostError):
        slow.beat()
    assert Mail.objects.values().get() == before
    quick.beat()


def test_a_piece_that_kills_its_workers_is_given_up(db: None, clock: time_machine.Traveller) -> None:
    post("zoe")
    for _ in range(Mail.most_tries):
        assert claim(Mail)
        clock.shift(LEASE + dt.timedelta(seconds=1))
    drain()
    assert written == []
    assert dead().reason == "Each time it was tried its worker was gone before the end."


# What was given up


def test_what_has_to_wait_for_somebody_waits_and_spends_no_try(db: None, clock: time_machine.Traveller) -> None:
    post("one@school.example", later=True)
    for minutes in (0, 4, 2):
        clock.shift(dt.timedelta(minutes=minutes))
        drain()
    mail = Mail.objects.get()
    assert (len(written), mail.attempts, mail.failure) == (2, 0, "")


def test_what_was_given_up_stays_in_sight_and_is_claimed_no_more(db: None, clock: time_machine.Traveller) -> None:
    post("zoe@mail.example", never=True)
    drain()
    clock.shift(dt.timedelta(days=20))
    drain()
    assert written == ["zoe@mail.example"]
    one = dead()
    assert (one.kind, one.what, one.tries) == ("mail", "turn", 1)
    assert one.reason == "The mail server refused the address with 550."
    assert (tally.due, tally.dead) == (0, 1) if (tally := jobs.tallies()[0]) else False


def test_why_names_nobody(db: None, clock: time_machine.Traveller) -> None:
    post("zoe@mail.example", broken=True)
    for _ in range(Mail.most_tries):
        drain()
        clock.shift(dt.timedelta(seconds=BACK_OFF[-1]))
    assert dead().reason == "Usher could not do it: ValueError. The log says more."


def test_it_is_thrown_away_after_a_month(db: None, clock: time_machine.Traveller) -> None:
    post("zoe", never=True)
    drain()
    clock.shift(KEPT - dt.timedelta(minutes=1))
    chores.run_all()
    assert Mail.objects.exists()
    clock.shift(dt.timedelta(minutes=2))
    assert claim(Mail) is None
    chores.run_all()
    assert not Mail.objects.exists()


def test_a_mail_that_is_dead_holds_back_no_other(db: None, clock: time_machine.Traveller) -> None:
    for _ in range(2):
        outbox.post_once("turn", "zoe", outbox.Envelope(data={"never": True}), key="asks:1")
        assert Mail.objects.filter(key="asks:1").count() == 1
        drain()
    assert len(jobs.dead()) == 2


def test_tried_again_it_has_all_its_tries_before_it(db: None, clock: time_machine.Traveller) -> None:
    post("zoe", never=True)
    post("yve", never=True)
    drain()
    ids = [one.id for one in jobs.dead()]
    assert jobs.retry(ids[:1]) == 1
    assert Mail.objects.get(dead_at=None).attempts == 0
    drain()
    assert len(written) == 3
    assert jobs.retry(None) == 2
    drain()
    assert jobs.drop(ids[:1]) == 1
    assert jobs.drop([uuid.uuid4()]) == 0
    assert Mail.objects.count() == 1


# Numbers and pages


def test_every_piece_is_counted_once(db: None, clock: time_machine.Traveller) -> None:
    for to in ("due", "due too", "later", "in hand"):
        post(to)
    post("dead", never=True)
    Mail.objects.exclude(to="dead").update(run_at=clocks.now() + LEASE)
    drain()
    Mail.objects.filter(to__startswith="due").update(run_at=clocks.now())
    Mail.objects.filter(to="in hand").update(run_at=clocks.now() - LEASE)
    assert claim(Mail)
    assert jobs.tallies()[0] == jobs.Tally("mail", due=2, waiting=1, in_hand=1, dead=1)


@contextmanager
def given_up(*addresses: str) -> Iterator[None]:
    for to in addresses:
        post(to, never=True)
    drain()
    yield


def test_the_operator_sees_it_and_has_it_done_again(world: World) -> None:
    olga = signed_in(world.olga)
    drain()
    assert "given up" not in olga.get("/operator/settings").content.decode()
    with given_up("zoe@mail.example", "yve@mail.example"):
        page = olga.get("/operator/settings").content.decode()
    assert "2 jobs were given up" in page
    assert "The mail server refused the address with 550." in page
    assert "mail.example" not in page
    one = jobs.dead()[0]
    assert olga.post("/operator/settings/jobs", {"id": str(one.id)}).status_code == 302
    assert [left.id for left in jobs.dead()] != [one.id]
    assert len(jobs.dead()) == 1
    assert olga.post("/operator/settings/jobs", {"id": "nonsense"}).status_code == 302
    assert olga.post("/operator/settings/jobs", {"all": "1"}).status_code == 302
    assert jobs.dead() == []
    told = Event.objects.filter(type=EventType.SERVER_CHANGED).order_by("id")
    assert [event.data for event in told] == [{"jobs_retried": 1}, {"jobs_retried": 1}]
    assert "1 job will be tried again." in olga.get("/operator/settings").content.decode()


def test_nobody_else_does(world: World) -> None:
    with given_up("zoe@mail.example"):
        assert signed_in(world.ada).post("/operator/settings/jobs", {"all": "1"}).status_code == 404
        assert Client().post("/operator/settings/jobs", {"all": "1"}).status_code in (302, 404)
    assert len(jobs.dead()) == 1


# At intervals


def test_a_chore_is_done_once_an_hour_by_whichever_worker(
    db: None, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[int] = []
    monkeypatch.setattr(chores, "_registered", {"sweep": lambda: did.append(1)})
    for _worker in range(3):
        Chore.ensure()
    drain([Chore])
    assert (len(did), Chore.objects.count()) == (1, 1)
    clock.shift(chores.EVERY - dt.timedelta(seconds=1))
    drain([Chore])
    assert len(did) == 1
    clock.shift(dt.timedelta(seconds=1))
    drain([Chore])
    assert len(did) == 2


def test_a_chore_that_fails_holds_up_no_other_and_is_tried_again(
    db: None, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[int] = []
    monkeypatch.setattr(chores, "_registered", {"break": lambda: 1 // 0, "sweep": lambda: did.append(1)})
    Chore.ensure()
    drain([Chore])
    assert len(did) == 1
    broken = Chore.objects.get(name="break")
    assert (broken.attempts, broken.failure) == (1, "Usher could not do it: ZeroDivisionError. The log says more.")
    monkeypatch.setattr(chores, "_registered", {"sweep": lambda: did.append(1)})
    clock.shift(dt.timedelta(seconds=BACK_OFF[0]))
    drain([Chore])
    assert "no such chore" in jobs.dead()[0].reason


def test_everything_that_is_thrown_away_is_a_chore() -> None:
    assert {"core.end_expired_sessions", "people.forget_registrations"} < set(chores.names())
