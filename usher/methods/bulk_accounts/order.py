"""What the person at the desk asks for."""

from __future__ import annotations

from dataclasses import dataclass

from usher.lifecycle.desk import Choices
from usher.lifecycle.joiner import By
from usher.methods.bulk_accounts.names import Person
from usher.organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Order:
    """So many accounts for one organisation, all with one role and at most one group."""

    organization: Organization
    people: tuple[Person, ...]
    choices: Choices
    by: By
