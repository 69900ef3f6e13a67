"""The World itself: who is where, so that every other test may lean on it."""

from __future__ import annotations

from world import World

from usher.people.access import Visit


def test_everybody_is_where_the_tests_expect_them(world: World) -> None:
    roles = {name: person.membership.role for name, person in world.people.items() if person.membership_id}
    assert roles == {"ada": "admin", "tom": "teacher", "pia": "student", "bob": "admin", "mia": "admin"}
    assert Visit(world.tom.account, world.tom.membership).managed == {world.year5.id}
    assert world.olga.account.is_operator
    assert not world.eve.account.memberships.exists()
    assert world.cedar.seats("teacher").used == 2
    assert world.cedar.seats("student").used == 1
