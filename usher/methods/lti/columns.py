"""The column of a link in the gradebook of its LMS: known from a launch, found, or made (AGS 2.0, section 3.2)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db.models import Q

from usher.core import clock
from usher.core.reasons import Reason
from usher.core.work import NotNowError
from usher.methods.lti import services
from usher.methods.lti.models import Platform, ResourceLink
from usher.methods.lti.refusals import RefusedThereError, refusal_of
from usher.protocols.lti13 import ags
from usher.protocols.lti13.claims import SCOPE_LINEITEM
from usher.protocols.lti13.services import failure, next_page

MAKING: Final = dt.timedelta(seconds=90)  # more than the requests below can take
WAIT: Final = dt.timedelta(seconds=2)  # for somebody who makes it
MOST_PAGES: Final = 20


def column_of(link: ResourceLink, platform: Platform) -> str:
    """Its address. Raises NotNowError while somebody else makes it, RefusedThereError, ServiceError, FetchError."""
    if link.lineitem_url:
        return link.lineitem_url
    if not can_make(link):
        raise RefusedThereError(Reason.GRADE_NO_COLUMN)
    _begin(link)
    here = ResourceLink.objects.filter(id=link.id)
    try:
        if not link.lineitem_url:
            link.lineitem_url = _found(link, platform) or _made(link, platform)
            here.update(lineitem_url=link.lineitem_url)
    finally:
        here.update(making_until=None)
    return link.lineitem_url


def can_make(link: ResourceLink) -> bool:
    return bool(_list_url(link)) and SCOPE_LINEITEM in link.scopes


def forget(link: ResourceLink, column: str) -> None:
    """It is not there any more. Another one that was learned since stays."""
    ResourceLink.objects.filter(id=link.id, lineitem_url=column).update(lineitem_url="")
    link.refresh_from_db(fields=["lineitem_url"])


def _list_url(link: ResourceLink) -> str:
    return link.lineitems_url or (link.course.lineitems_url if link.course else "")


def _begin(link: ResourceLink) -> None:
    """Of many workers with scores of one class one makes the column. Raises NotNowError for the others."""
    now = clock.now()
    free = ResourceLink.objects.filter(Q(making_until=None) | Q(making_until__lt=now), id=link.id)
    if not free.update(making_until=now + MAKING):
        raise NotNowError(now + WAIT)
    link.refresh_from_db(fields=["lineitem_url"])


def _found(link: ResourceLink, platform: Platform) -> str:
    """The one of this link and of no other, whatever else the LMS puts into the list (security.md H13)."""
    start = _list_url(link)
    url: str | None = _with(start, resource_link_id=link.link_id)
    for _page in range(MOST_PAGES):
        if url is None or not services.is_beside(url, start):
            break
        answer = services.call(platform, link.scopes, "GET", url, accept=ags.ACCEPT_LINE_ITEMS)
        if answer.status >= 300:
            raise refusal_of(failure(answer.status, answer.headers, answer.body, "list of grade columns"))
        for item in ags.read_line_items(answer.body):
            if _is_of(item, link) and services.is_beside(item.id, start):
                return item.id
        url = next_page(answer.headers.get("Link"))
    return ""


def _is_of(item: ags.LineItem, link: ResourceLink) -> bool:
    """Not every LMS keeps the link of a column that a tool made; the tag is ours."""
    return item.resource_link_id == link.link_id or (not item.resource_link_id and item.tag == link.id.hex)


def _made(link: ResourceLink, platform: Platform) -> str:
    assert link.activity is not None  # noqa: S101 - a score is of the activity of its link
    wanted = ags.line_item(
        label=link.activity.title, maximum=link.activity.score_maximum, resource_id=str(link.activity.id),
        resource_link_id=link.link_id, tag=link.id.hex,
    )  # fmt: skip
    start = _list_url(link)
    answer = services.call(
        platform, link.scopes, "POST", start, body=json.dumps(wanted).encode(),
        accept=ags.ACCEPT_LINE_ITEM, content_type=ags.CONTENT_LINE_ITEM,
    )  # fmt: skip
    if answer.status >= 300:
        raise refusal_of(failure(answer.status, answer.headers, answer.body, "list of grade columns"))
    made = ags.read_line_item(answer.body).id
    if not services.is_beside(made, start):
        raise RefusedThereError(Reason.GRADE_NO_COLUMN, "The LMS made it at an address that is not its own.")
    return made


def _with(url: str, **more: str) -> str:
    """An address with more in its query; what is there stays."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(more))))))
