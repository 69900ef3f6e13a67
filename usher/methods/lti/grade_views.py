"""The grades of an activity on their way to LMSs: per student and course, with the reason and the way to mend it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from usher.activities import catalogue
from usher.activities.models import Activity
from usher.core.cells import guard
from usher.core.filters import links, one_id
from usher.lifecycle import userlist
from usher.methods.lti import deliveries
from usher.methods.lti.deliveries import Groups, State, Told
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame

# Shape and word of each state
LOOKS: Final = {State.SENT: "in", State.WAITING: "ask", State.REFUSED: "no"}
COLUMNS: Final = ("sign_in", "person", "course", "lms", "score", "maximum", "state", "at", "reason", "detail")


@lock(Lock.MANAGER)
@require_safe
def grades(request: HttpRequest, visit: Visit, activity_id: uuid.UUID) -> HttpResponse:
    """A page of them, filtered by how they stand."""
    activity = _own(visit, activity_id)
    here = links(request.path, request.GET, ("state",))
    state = here.given.get("state", "")
    page = deliveries.page(
        visit.organization, activity, _groups(visit), state=state, after=one_id(request.GET, "after")
    )  # fmt: skip
    words = _words()
    context = {
        **frame(visit, "activities"),
        "activity": activity,
        "page": page,
        "rows": [(row, LOOKS[State(row.state)], words[State(row.state)]) for row in page.rows],
        "state": state,
        "tallies": [
            (page.counts[one], LOOKS[one], words[one], here.with_("state", one), one == state) for one in LOOKS
        ],
        "all_url": here.with_("state", ""),
        "refused": page.counts[State.REFUSED],
        "file_url": replace(here, path=f"{request.path}/file").with_("state", state),
        "next_url": here.with_("after", str(page.next)) if page.next else "",
    }
    return render(request, "lti/grades.html", context)


@lock(Lock.MANAGER)
@require_POST
def again(request: HttpRequest, visit: Visit, activity_id: uuid.UUID) -> HttpResponse:
    """One of them, or all that were refused."""
    activity, only = _own(visit, activity_id), one_id(request.POST, "grade")
    if only is None and "grade" in request.POST:
        raise Http404
    count = deliveries.again(visit.organization, activity, _groups(visit), only=only)
    if only and not count:
        raise Http404
    said = ngettext("{count} grade is sent again.", "{count} grades are sent again.", count)
    messages.success(request, said.format(count=count))
    return redirect("lti:grades", visit.organization.slug, activity.id)


@lock(Lock.MANAGER)
@require_safe
def file(request: HttpRequest, visit: Visit, activity_id: uuid.UUID) -> StreamingHttpResponse:
    """All that the filter leaves, as CSV."""
    activity = _own(visit, activity_id)
    found = deliveries.every(visit.organization, activity, _groups(visit), state=request.GET.get("state", ""))
    pieces = userlist.whole(_pieces(found, timezone.get_current_timezone()), len(COLUMNS))
    name = f"{visit.organization.slug}-grades.csv"
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=told)


def _pieces(pieces: Iterable[Sequence[Told]], zone: dt.tzinfo) -> Iterator[str]:
    """In the time of the page that asked: by now its request is over."""
    yield ",".join(COLUMNS) + "\r\n"
    for some in pieces:
        text = io.StringIO()
        csv.writer(text).writerows([guard(cell) for cell in _cells(row, zone)] for row in some)
        yield text.getvalue()


def _cells(row: Told, zone: dt.tzinfo) -> Sequence[str]:
    at = row.at.astimezone(zone).isoformat(timespec="seconds")
    why = " ".join(filter(None, (row.reason and f"{row.reason}:", row.sentence, row.next_step)))
    score, maximum = f"{row.given:g}", f"{row.maximum:g}"
    return (row.sign_in, row.person, row.course, row.platform, score, maximum, row.state, at, why, row.detail)


def _own(visit: Visit, activity_id: uuid.UUID) -> Activity:
    found = catalogue.get(visit.organization, activity_id)
    if found is None:
        raise Http404
    return found


def _groups(visit: Visit) -> Groups:
    return None if visit.is_admin else visit.managed


def _words() -> dict[State, str]:
    return {State.SENT: _("Sent"), State.WAITING: _("Waiting"), State.REFUSED: _("Refused")}
