"""Whether a way in stands open at all: the first stage of the door's rules, for who has not come to the door yet."""

from __future__ import annotations

from usher.core.findings import Finding
from usher.events.types import SYSTEM
from usher.lifecycle.house import house_of
from usher.lifecycle.joiner import OPERATOR_RANK, By, Joiner, NewAccount, Terms
from usher.lifecycle.rules import LICENSE, noes
from usher.organizations.models import License
from usher.organizations.plans import Method


def why_shut(license: License, method: Method) -> Finding | None:
    """What keeps everybody out, members too: suspended, the licence ended or not begun, a way that the plan lacks. No
    query where the licence has its organisation loaded."""
    house = house_of(license, By(SYSTEM, OPERATOR_RANK), Terms())
    return next(noes(LICENSE, Joiner(method, NewAccount(), house.plan.lowest.slug), house), None)
