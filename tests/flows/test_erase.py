"""Deleting an organisation: planned, called off, and erased after its last day, without a trace but its short name."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from recount import broken
from world import BY_OPERATOR, PASSWORD, World, known, somebody

from usher.activities.models import Activity, Score
from usher.core import checks, mail, switches, work
from usher.core import clock as clocks
from usher.core.errors import UsherError
from usher.core.mail import Envelope
from usher.core.reasons import Reason
from usher.core.work import drain, run_one
from usher.core.worker import kinds
from usher.events.models import Event
from usher.events.types import OPERATOR, EventType
from usher.lifecycle import deletion, erase
from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import NewAccount
from usher.lifecycle.lists.parse import read
from usher.lifecycle.models import Erasure
from usher.methods.bulk_accounts import names
from usher.methods.bulk_accounts import run as bulk_accounts
from usher.methods.bulk_accounts.order import Order as BulkOrder
from usher.methods.csv_import import run as csv_import
from usher.methods.csv_import.options import Options
from usher.methods.email_invitation.entries import Entry
from usher.methods.email_invitation.models import Suppression
from usher.methods.email_invitation.order import Order as InviteOrder
from usher.methods.email_invitation.send import send
from usher.methods.invite_code import entry
from usher.methods.invite_code.models import CodeGroup, InviteCode
from usher.methods.lti import models as lti
from usher.methods.lti.jobs import RosterJob, ScoreJob
from usher.methods.sso.models import Attempt, Connection, Question, Rule, Trip
from usher.organizations.create import create
from usher.organizations.models import ApiKey, Domain, Logo, OldSlug, Organization
from usher.organizations.suspend import suspend
from usher.people import claim, links, passwords
from usher.people.addresses import parse_address
from usher.people.models import Account, HashBatch, Identity, Membership, OneTimeLink, Registration

PIECES = 3  # rows of a transaction in these tests, so that there are many
LIST = "email,username,groups\nann@cedar.example,Ann Ash,Year 5\n,Ben Birch,Year 6\nnobody,\n"


def cedar(world: World) -> Organization:
    return Organization.objects.get(id=world.cedar.id)


# A house with something in every table


def settled(world: World) -> World:
    """Cedar, with all that an organisation can have; beside it Birch with as much."""
    for house, admin, role in ((world.cedar, world.ada, "student"), (world.birch, world.bob, "learner")):
        _people(world, house.organization, admin, role)
        _codes(house.organization, role)
        _rest(house.organization, world.eve.account)
        _single_sign_on(house.organization)
        _lms(house.organization, admin.account)
    world.cedar.add(known(world.eve, "teacher"))  # a person of her own, in both houses
    world.birch.add(known(world.eve, "creator"))
    owner = claim.claim(world.cedar.account(world.cedar.add(somebody("Fay", email="fay@x.example"))), _address())
    assert owner.claimed_at
    drain([HashBatch])  # ranges of accounts, which are worked off whoever is in them
    return world


def _address() -> Any:
    return parse_address("fay@x.example")


def _people(world: World, organization: Organization, admin: Any, role: str) -> None:
    order = csv_import.Order(organization, read(LIST.encode(), "x.csv"), Options(role, make_groups=True), admin.by)
    for _piece in csv_import.write(order, csv_import.start(order)):
        pass
    made = names.named("Cleo Cedar\nDora Dell\nEd Elm\nFlo Fir")
    bulk_accounts.make(BulkOrder(organization, made, Choices(role, "Year 5"), admin.by))
    Client().post(f"/o/{organization.slug}/sign-in", {"name": admin.account.sign_in, "password": PASSWORD})
    Authenticator.objects.create(user=admin.account, type="totp", data={"secret": "x"})
    links.make_setup_link(admin.account, organization.id, OPERATOR)


def _codes(organization: Organization, role: str) -> None:
    group = organization.groups.get(name="Year 6")
    code = InviteCode.objects.create(
        organization=organization, code=f"7K4M29Q{organization.slug[0].upper()}", role=role, needs_approval=True
    )
    CodeGroup.objects.create(code=code, group=group)
    assert entry.enter(code, NewAccount("Gil", password=passwords.digest(PASSWORD))).membership_id
    InviteCode.objects.create(organization=organization, group=group, code=code.code.replace("7", "8"), role=role)
    now = clocks.now()
    Registration.objects.create(
        username="Zoe", email="zoe@x.example", address_key="zoe@x.example", password="x", code_id=code.id,
        token_hash=organization.slug, browser_hash="x", expires_at=now + dt.timedelta(days=1),
    )  # fmt: skip


def _rest(organization: Organization, eve: Account) -> None:
    Logo.objects.create(organization=organization, content_type="image/png", content=b"x", digest="x")
    OldSlug.objects.create(slug=f"old-{organization.slug}", organization=organization, at=clocks.now())
    mail.post("asks", "", Envelope(organization.id))
    guests = [Entry(1, "guest@x.example", "guest@x.example", "")]
    report = send(InviteOrder(organization, guests, BY_OPERATOR, groups=groups_of(organization), reserve=True))
    assert report.rows[0].invitation_id
    Suppression.objects.create(organization=organization, address_hash="x")
    ends = clocks.now() + dt.timedelta(days=7)
    OneTimeLink.objects.create(
        purpose="setup", token_hash=f"{organization.slug}-1", organization=organization, account=eve, expires_at=ends
    )


def _lms(organization: Organization, account: Account) -> None:
    """An LMS with all that hangs on it: somebody in a course, a launch, a score on its way, a roster."""
    now, hashed = clocks.now(), f"{organization.id.hex}lms"
    soon = {"expires_at": now + dt.timedelta(minutes=9)}
    ApiKey.objects.create(organization=organization, name="App", prefix="x", key_hash=hashed)
    activity = Activity.objects.create(organization=organization, title="Lab", title_key="lab", scenario="lab")
    score = Score.objects.create(
        organization_id=organization.id, activity=activity, account=account, given=1, maximum=2
    )
    platform = lti.Platform.objects.create(organization=organization, issuer="https://lms.example")
    deployment = lti.Deployment.objects.create(platform=platform, organization=organization, deployment_id="1")
    course = lti.Course.objects.create(organization=organization, deployment=deployment, context_id="1")
    link = lti.ResourceLink.objects.create(
        organization=organization, deployment=deployment, course=course, link_id="1", activity=activity
    )
    user = lti.PlatformUser.objects.create(
        organization=organization, platform=platform, subject="5", account=account, standing="learner"
    )
    lti.CoursePlace.objects.create(course=course, user=user, standing="learner")
    lti.LinkUse.objects.create(link=link, user=user)
    lti.Attempt.objects.create(platform=platform, result="refused")
    lti.Trip.objects.create(state_hash=hashed, browser_hash="x", platform=platform, target_link_uri="x", **soon)
    lti.Question.objects.create(token_hash=hashed, deployment=deployment, caller={}, **soon)
    lti.RegistrationLink.objects.create(
        organization=organization, account=account, token_hash=hashed, platform=platform, **soon
    )
    launch = lti.Launch.objects.create(
        token_hash=hashed, organization=organization, deployment=deployment, user=user, course=course, link=link,
        activity=activity, standing="learner", **soon,
    )  # fmt: skip
    lti.LaunchCode.objects.create(code_hash=hashed, launch=launch, **soon)
    delivery = lti.Delivery.objects.create(organization=organization, score=score, link=link, user=user)
    ScoreJob.objects.create(delivery=delivery)
    lti.RosterRun.objects.create(organization=organization, course=course, state="applied")
    RosterJob.objects.create(course=course)


def _single_sign_on(organization: Organization) -> None:
    """A connection with all that hangs on it, a domain, and somebody of elsewhere for whom it answers."""
    now, hashed = clocks.now(), f"{organization.id.hex}{organization.id.hex}"
    connection = Connection.objects.create(organization=organization, kind="microsoft")
    Rule.objects.create(connection=connection, position=0, claim="email", value="*", role="student")
    Attempt.objects.create(connection=connection, purpose="sign_in", result="joined")
    facts = {"browser_hash": hashed, "connection": connection, "expires_at": now + dt.timedelta(minutes=9)}
    Trip.objects.create(state_hash=hashed, kind="microsoft", purpose="sign_in", door=organization, **facts)
    Question.objects.create(token_hash=hashed, person={}, **facts)
    Domain.objects.create(organization=organization, name=f"{organization.slug}.example", token="x")
    key = f"vouched@{organization.slug}.example"
    account = Account.objects.create(
        username="Vic", email=key, sign_in_key=key, claimed_at=now, vouched_by_organization=organization.id
    )
    Identity.objects.create(
        account=account, organization=organization, connection_id=connection.id, issuer="https://x.example", subject="x"
    )


def groups_of(organization: Organization) -> tuple[str, ...]:
    return tuple(organization.groups.values_list("name", flat=True)[:1])


def everything() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every table that there is."""
    for model in apps.get_models(include_auto_created=True):
        for row in model._base_manager.values():
            yield model._meta.label, row


def ids_of(organization: Organization) -> set[str]:
    """Its own id, those of whatever refers to it by a field, and of the accounts that it made."""
    ids = {organization.id.hex}
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if field.related_model is Organization or field.name == "organization_id":
                found = model._base_manager.filter(**{field.attname: organization.id})
                ids |= {pk.hex for pk in found.values_list("pk", flat=True) if isinstance(pk, uuid.UUID)}
    return ids


def rows_with(ids: set[str]) -> list[str]:
    """The tables in which one of the ids still stands, in whatever spelling."""
    return sorted({label for label, row in everything() if any(one in _flat(row) for one in ids)})


def _flat(row: dict[str, Any]) -> str:
    return " ".join(str(value) for value in row.values()).replace("-", "")


def sessions() -> list[str]:
    return list(Session.objects.values_list("session_key", flat=True))


def of_others(ids: set[str]) -> dict[str, list[str]]:
    """All rows that have nothing to do with these ids."""
    rest: dict[str, list[str]] = {}
    for label, row in everything():
        if not any(one in _flat(row) for one in ids):
            rest.setdefault(label, []).append(str(sorted(row.items(), key=lambda item: item[0])))
    return {label: sorted(rows) for label, rows in rest.items()}


@pytest.fixture
def full(clock: time_machine.Traveller, world: World) -> World:
    return settled(world)


def due(world: World, clock: time_machine.Traveller, days: int = deletion.DELAY_DAYS) -> None:
    """The end is planned, and the day is over."""
    deletion.plan(cedar(world), OPERATOR, days=days)
    clock.shift(dt.timedelta(days=days + 1))


def erase_all() -> int:
    """How many pieces it took."""
    return drain([Erasure])


# Nothing is forgotten


def test_whatever_refers_to_an_organisation_is_erased_with_it() -> None:
    assert set(erase.references()) == set(erase.REFERENCES), "decide in lifecycle/erase.py what becomes of it"


def test_the_search_for_references_finds_them() -> None:
    assert {"people.Account.home", "invite_code.CodeUse.organization_id"} <= set(erase.references())


def test_the_house_of_these_tests_has_something_in_every_table_of_an_organisation(full: World) -> None:
    fields = [reference.rpartition(".")[::2] for reference in erase.REFERENCES if "Erasure" not in reference]
    empty = [label for label, name in fields if not apps.get_model(label)._base_manager.filter(**{name: full.cedar.id})]
    assert empty == []


def test_nothing_is_left_but_a_short_name_and_one_event(full: World, clock: time_machine.Traveller) -> None:
    ids = ids_of(cedar(full))
    assert len(rows_with(ids)) > 20
    due(full, clock)
    erase_all()
    assert rows_with(ids) == []
    assert set(OldSlug.objects.filter(organization=None).values_list("slug", flat=True)) == {"cedar", "old-cedar"}
    erased = Event.objects.get(type=EventType.ORGANIZATION_ERASED)
    assert (erased.organization_id, erased.data, erased.actor_kind) == (None, {"slug": "cedar"}, "system")
    assert not Erasure.objects.exists()


def test_the_neighbours_keep_everything(full: World, clock: time_machine.Traveller) -> None:
    ids = ids_of(cedar(full))
    due(full, clock)
    before = of_others(ids)
    erase_all()
    after = of_others(ids)
    after["events.Event"] = [row for row in after["events.Event"] if "organization:erased" not in row]
    after["people.Account"] = [row for row in after["people.Account"] if "vouched@cedar" not in row]  # his own
    after["organizations.OldSlug"] = [row for row in after["organizations.OldSlug"] if "cedar" not in row]
    for rows in (before, after):
        rows.pop("sessions.Session")  # sealed, so that nobody sees whose they are
    assert after == before
    assert UserSession.objects.filter(user=full.bob.account_id, session_key__in=sessions()).exists()


def test_people_with_an_account_of_their_own_keep_it(full: World, clock: time_machine.Traveller) -> None:
    browser = Client()
    browser.force_login(full.eve.account)
    due(full, clock)
    erase_all()
    assert {"eve@elsewhere.example", "fay@x.example"} <= set(Account.objects.values_list("sign_in_key", flat=True))
    assert Membership.objects.get(account=full.eve.account_id).organization.slug == "birch"
    browser.force_login(full.eve.account)
    assert browser.get("/o/birch/").status_code == 200
    assert browser.get("/o/cedar/").status_code == 404


def test_who_had_an_account_there_alone_is_signed_out_and_unknown(full: World, clock: time_machine.Traveller) -> None:
    browser = Client()
    browser.post("/o/cedar/sign-in", {"name": "pia@cedar.example", "password": PASSWORD})
    assert browser.get("/password").status_code == 200
    keys = set(UserSession.objects.filter(user=full.pia.account_id).values_list("session_key", flat=True))
    assert keys
    due(full, clock)
    erase_all()
    assert not Session.objects.filter(session_key__in=keys).exists()
    assert browser.get("/password").status_code == 302
    again = Client().post("/", {"name": "pia@cedar.example", "password": PASSWORD})
    assert again.status_code == 403


def test_nobody_gets_its_short_names(full: World, clock: time_machine.Traveller) -> None:
    due(full, clock)
    erase_all()
    for slug in ("cedar", "old-cedar"):
        with pytest.raises(UsherError) as no:
            create(slug, "Another Cedar", "school", actor=OPERATOR)
        assert no.value.findings[0].reason is Reason.SLUG_TAKEN


# In pieces


def test_it_goes_in_pieces_and_the_check_is_clean_after_each(
    full: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "BATCH", PIECES)
    due(full, clock)
    pieces = 0
    while run_one([Erasure]):
        pieces += 1
        assert broken() == [], f"after {pieces} pieces"
    assert pieces > 20
    assert not Organization.objects.filter(slug="cedar").exists()


class KilledError(Exception):
    """Stands for the end of the process: nothing of the transaction is kept."""


def killed_in(number: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The worker dies in its so-many-th transaction, after the work in it. Returns how many there were."""
    real, done = erase.held, 0

    @contextmanager
    def held(organization_id: uuid.UUID) -> Iterator[None]:
        nonlocal done
        with real(organization_id):
            yield
            done += 1
            if done == number:
                raise KilledError

    monkeypatch.setattr(erase, "held", held)
    return lambda: done


@pytest.mark.parametrize("number", [1, 2, 3, 6, 10, 15, 21, 31, 46])
def test_killed_half_way_it_goes_on(
    full: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    ids = ids_of(cedar(full))
    monkeypatch.setattr(erase, "BATCH", PIECES)
    due(full, clock)
    counted = killed_in(number, monkeypatch)
    erase_all()
    assert counted() >= number
    item = Erasure.objects.get()
    assert "KilledError" in item.failure
    clock.shift(dt.timedelta(minutes=1))
    erase_all()
    assert rows_with(ids) == []
    assert broken() == []


def test_mail_goes_between_the_pieces(
    full: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "BATCH", PIECES)
    due(full, clock)
    order = [kind.__name__ for kind in kinds()]
    assert order.index("Mail") < order.index("Erasure")
    assert run_one([Erasure])
    assert Erasure.objects.get().lease_token is None, "another worker may go on with it at once"


# The day


@pytest.mark.parametrize(
    ("zone", "still", "gone"),
    [
        ("UTC", "2026-04-01T23:59:00+00:00", "2026-04-02T00:00:00+00:00"),
        ("Pacific/Auckland", "2026-04-01T10:59:00+00:00", "2026-04-01T11:00:00+00:00"),
        ("America/Los_Angeles", "2026-04-02T06:59:00+00:00", "2026-04-02T07:00:00+00:00"),
    ],
)
def test_it_stays_through_its_last_day_where_it_is(
    world: World, clock: time_machine.Traveller, zone: str, still: str, gone: str
) -> None:
    """The clock stands at 2 March 2026, 08:00 UTC, which is 2 March in all three places."""
    Organization.objects.filter(id=world.cedar.id).update(time_zone=zone)
    assert deletion.plan(cedar(world), OPERATOR) == dt.date(2026, 4, 1)
    clock.move_to(dt.datetime.fromisoformat(still), tick=False)
    erase_all()
    assert Organization.objects.filter(slug="cedar").exists()
    clock.move_to(dt.datetime.fromisoformat(gone), tick=False)
    erase_all()
    assert not Organization.objects.filter(slug="cedar").exists()


def test_a_second_plan_changes_nothing(world: World, clock: time_machine.Traveller) -> None:
    first = deletion.plan(cedar(world), OPERATOR)
    assert deletion.plan(cedar(world), OPERATOR, days=3) == first
    assert len(world.cedar.events(EventType.ORGANIZATION_DELETION_PLANNED)) == 1
    assert Erasure.objects.count() == 1


# Called off


def test_it_can_be_kept_until_the_last_moment(world: World, clock: time_machine.Traveller) -> None:
    due(world, clock)
    assert cedar(world).is_suspended
    assert deletion.keep(cedar(world), OPERATOR)
    erase_all()
    assert not cedar(world).is_suspended
    assert [event.type for event in world.cedar.events()][-2:] == [
        "organization:deletion_planned", "organization:deletion_cancelled",
    ]  # fmt: skip
    assert broken() == []
    assert not deletion.keep(cedar(world), OPERATOR)


def test_what_was_suspended_before_stays_so(world: World, clock: time_machine.Traveller) -> None:
    suspend(cedar(world), "Unpaid", OPERATOR)
    due(world, clock)
    assert deletion.keep(cedar(world), OPERATOR)
    assert cedar(world).is_suspended


def test_kept_while_the_worker_has_it_in_hand_nothing_is_lost(world: World, clock: time_machine.Traveller) -> None:
    due(world, clock)
    item = work.claim(Erasure)
    assert isinstance(item, Erasure)
    assert deletion.keep(cedar(world), OPERATOR)
    with pytest.raises(work.LeaseLostError):
        item.perform()
    assert Membership.objects.filter(organization=world.cedar.id).count() == 3


def test_once_begun_nothing_stops_it(
    full: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "BATCH", PIECES)
    due(full, clock)
    run_one([Erasure])
    with pytest.raises(UsherError) as no:
        deletion.keep(cedar(full), OPERATOR)
    assert no.value.findings[0].reason is Reason.DELETION_BEGUN
    erase_all()
    assert not Organization.objects.filter(slug="cedar").exists()


def test_after_a_restore_it_waits_until_the_operator_says_so(world: World, clock: time_machine.Traveller) -> None:
    due(world, clock)
    switches.turn(switches.OUTBOX_PAUSED, on=True)
    assert Erasure not in kinds()
    switches.turn(switches.OUTBOX_PAUSED, on=False)
    assert Erasure in kinds()


def test_the_check_tells_that_one_is_being_erased(
    full: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "BATCH", PIECES)
    due(full, clock)
    run_one([Erasure])
    warned = [case for verdict in checks.run(checks.everything()).warnings for case in verdict.cases]
    assert f"Organisation {full.cedar.id} is being erased, piece by piece; look again when it is done." in warned
