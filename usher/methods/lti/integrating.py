"""The card of LMSs on Settings → Integrations."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from usher.methods.lti import platforms
from usher.methods.lti.overview import View
from usher.organizations.models import Organization
from usher.organizations.plans import Method
from usher.people.integrations import Card, Line, integrates


@integrates
def lms(organization: Organization) -> Card:
    """Its own LMSs, and those of the operator that serve it."""
    return Card(
        key="lti",
        title=_("LMS (LTI 1.3)"),
        about=_("People open Usher inside a course of your LMS and are signed in. Grades go back, rosters come over."),
        is_in_plan=Method.LTI in organization.license.plan.methods,
        lines=[_line(View(one), organization) for one in platforms.serving(organization)],
        add_word=_("Connect an LMS"),
        add_url=reverse("lti:new", args=[organization.slug]),
    )


def _line(view: View, organization: Organization) -> Line:
    if view.platform.organization_id is None:
        return Line(view.label, _("Run by the operator of this server"), view.look, view.word)
    url = reverse("lti:platform", args=[organization.slug, view.platform.id])
    return Line(view.label, view.platform.issuer, view.look, view.word, view.next_step, url)
