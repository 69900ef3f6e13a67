"""What ``usher check`` says about connections and what they open."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.test import Client
from standins import StandIns
from trips import microsoft, providers, rule, travel  # noqa: F401
from world import World

from usher.core import checks
from usher.core.rows import new_id
from usher.people.models import Identity

pytestmark = pytest.mark.django_db


def cases() -> Sequence[str]:
    told = checks.run(checks.everything())
    return [case for verdict in (*told.invariants, *told.warnings) for case in verdict.cases]


def about(word: str) -> list[str]:
    return [case for case in cases() if word in case]


def test_what_works_is_not_mentioned(world: World, providers: StandIns, client: Client) -> None:  # noqa: F811
    one = microsoft(world, providers)
    rule(one, "app_role", "Teacher", "teacher")
    travel(client, providers, one, "paul")
    assert not about("identity")
    assert not about("rule")
    assert not about("sign-ins by")


def test_an_identity_without_its_connection_is_found(
    world: World,
    providers: StandIns,  # noqa: F811
    client: Client,
) -> None:
    travel(client, providers, microsoft(world, providers), "paul")
    Identity.objects.update(organization=world.birch.organization)
    assert len(about("has no connection in its organisation")) == 1
    Identity.objects.update(organization=world.cedar.organization, connection_id=new_id())
    assert len(about("has no connection in its organisation")) == 1


def test_a_rule_that_makes_an_admin_is_found(world: World, providers: StandIns) -> None:  # noqa: F811
    one = microsoft(world, providers)
    made = rule(one, "app_role", "Boss", "admin")
    assert about(str(made.id))


def test_a_connection_that_signs_nobody_in_is_warned_of(world: World, providers: StandIns) -> None:  # noqa: F811
    one = microsoft(world, providers)
    for login in ("guest", "guest", "guest"):
        assert not about("sign-ins by Microsoft of cedar failed")
        travel(Client(), providers, one, login)
    assert about("sign-ins by Microsoft of cedar failed (guest_account)")
    travel(Client(), providers, one, "paul")
    assert not about("sign-ins by Microsoft of cedar failed")
