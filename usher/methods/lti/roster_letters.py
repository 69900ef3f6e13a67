"""What admins are written about a roster: people would leave a group, more than may go unasked."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.lifecycle.letters_shared import letter_of, page_of
from usher.methods.lti.models import RosterRun
from usher.methods.lti.platforms import label_of

LETTER: Final = "roster_held"


@letter(LETTER)
def held(row: Mail) -> Letter | None:
    """To one admin; None once somebody has decided, or the LMS has changed its mind."""
    runs = RosterRun.objects.select_related("course__deployment__platform", "organization")
    run = runs.filter(id__in=[row.ref], state=RosterRun.State.HELD).first()
    if run is None or run.organization.is_suspended:
        return None
    course, platform = run.course, run.course.deployment.platform
    with override(run.organization.language):
        subject = _("{course}: shall they leave the group?").format(course=course)
    facts = {
        "course": str(course),
        "platform": label_of(platform),
        "people": len(run.removals),
        "before": run.counts["before"],
        "link": page_of(run.organization, f"settings/integrations/lti/{platform.id}/courses/{course.id}"),
    }
    return letter_of(run.organization, subject, "roster_held", facts)
