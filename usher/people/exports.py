"""That somebody took a file out of the organisation is written down before the first line leaves."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from usher.core.retry import retrying
from usher.events import record
from usher.events.types import Actor, Draft, EventType
from usher.organizations.models import Organization


@retrying
def begin_export(organization: Organization, actor: Actor, filters: Mapping[str, str]) -> None:
    """The events of an organisation, or those that these filters leave."""
    with transaction.atomic():
        draft = Draft(EventType.EVENTS_EXPORTED, organization.id, actor, data={"filters": dict(filters)})
        record.record(draft)
