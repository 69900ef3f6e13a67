"""What a place in an LMS is to open: the picker that the LMS asks for (Deep Linking), and a link that names nothing.

Deep Linking 2.0: the answer goes to the address of the request alone, signed, once (security.md H12).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import get_random_string

from usher.activities import catalogue
from usher.activities.models import Activity
from usher.core import clock
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.core.retry import retrying
from usher.methods.lti import keys, launches, showing
from usher.methods.lti.callers import ACTIVITY
from usher.methods.lti.models import Launch, Platform, ResourceLink
from usher.methods.lti.platforms import is_origin, launch_url, origin_of, origins_of
from usher.protocols.lti13 import claims as names
from usher.protocols.lti13 import deep_linking
from usher.protocols.lti13.deep_linking import ContentItem
from usher.protocols.lti13.keys import sign
from usher.protocols.lti13.launch import DeepLinkingSettings
from usher.protocols.lti13.roles import Standing

AT_MOST: Final = 100  # activities in a list, and in one answer
LONGEST_SEARCH: Final = 100
CHOSEN: Final = "activity"  # the name of the boxes in the form


@dataclass(frozen=True, slots=True)
class Offer:
    """An activity in the list, and whether it was picked before the last search."""

    activity: Activity
    is_picked: bool = False


def is_teaching(launch: Launch) -> bool:
    """Whether somebody with an account teaches the course that he came from."""
    return launch.user is not None and launch.standing == Standing.INSTRUCTOR


# The picker


def pick(request: HttpRequest, launch: Launch, token: str) -> HttpResponse:
    """A list to pick from, then the form that takes the answer to the LMS.

    Raises UsherError: lti_takes_no_links, lti_login_broken, launch_over, unknown_activity, activity_not_yours.
    """
    settings = settings_of(launch)
    if request.method != "POST":
        return _show_list(request, launch, settings)
    chosen = [] if "nothing" in request.POST else _chosen(launch, request.POST.getlist(CHOSEN))
    if "nothing" not in request.POST and not (chosen and _is_taken(settings, chosen)):
        return _show_list(request, launch, settings, _too_many_or_none(chosen))
    answer = _answer(launch, settings, chosen)
    context = {"url": settings.return_url, "answer": answer, "count": len(chosen)}
    places = (origin_of(settings.return_url), *origins_of(launch.deployment.platform))
    return showing.show_launch(request, launch, "chosen", context, " ".join(dict.fromkeys(places)))


def settings_of(launch: Launch) -> DeepLinkingSettings:
    """What the LMS asked for. Raises UsherError: lti_takes_no_links, lti_login_broken."""
    if launch.deep_linking is None:
        raise UsherError(Reason.LAUNCH_OVER())
    kept = dict(launch.deep_linking)
    lists = {name: tuple(kept[name]) for name in ("accept_types", "accept_targets")}
    settings = DeepLinkingSettings(**{**kept, **lists})
    if names.LTI_RESOURCE_LINK not in settings.accept_types:
        raise UsherError(Reason.LTI_TAKES_NO_LINKS())
    if not is_origin(origin_of(settings.return_url)):
        raise UsherError(Reason.LTI_LOGIN_BROKEN())
    return settings


def _is_taken(settings: DeepLinkingSettings, chosen: Sequence[Activity]) -> bool:
    return settings.accept_multiple or len(chosen) == 1


def _too_many_or_none(chosen: Sequence[Activity]) -> UsherError:
    return UsherError(Reason.LTI_ONE_AT_A_TIME() if chosen else Reason.LTI_NOTHING_CHOSEN())


def _show_list(
    request: HttpRequest, launch: Launch, settings: DeepLinkingSettings, error: UsherError | None = None
) -> HttpResponse:  # fmt: skip
    context = {"accepts_many": settings.accept_multiple, "gives_nothing": True}
    context["adds_columns"] = is_teaching(launch) and settings.accept_lineitem is not False
    return _list(request, launch, "pick", context, error)


def _list(
    request: HttpRequest, launch: Launch, name: str, context: dict[str, Any], error: UsherError | None
) -> HttpResponse:  # fmt: skip
    search = " ".join(request.GET.get("q", "").split())[:LONGEST_SEARCH]
    offers = _offers(launch, search, request.GET.getlist(CHOSEN))
    context |= {"offers": offers, "query": search, "finding": error.findings[0] if error else None}
    context |= {"is_full": len(offers) >= AT_MOST}
    status = error.status if error else 200
    response = showing.show_launch(request, launch, name, context, status=status)
    return showing.with_pictures(response, [offer.activity.picture_url for offer in offers])


def _offers(launch: Launch, search: str, picked: Sequence[str]) -> list[Offer]:
    """What was picked before stays, on top."""
    held = _known(launch, picked)
    found = [one for one in _open_to(launch, search) if one not in held]
    return [*(Offer(one, is_picked=True) for one in held), *(Offer(one) for one in found)]


def _open_to(launch: Launch, search: str) -> list[Activity]:
    """What this person may open; the LMS's own test person sees what every learner does."""
    member = launches.member_of(launch)
    if member:
        return catalogue.open_to(member, search, AT_MOST)
    found = catalogue.page(launch.organization, search=search, size=AT_MOST).activities
    return [one for one in found if one.audience == Activity.Audience.EVERYONE and one.group_id is None]


def _known(launch: Launch, ids: Sequence[str]) -> list[Activity]:
    """Those of the ids that this person may open, each once, in their order."""
    wanted = list(dict.fromkeys(ids))[:AT_MOST]
    found = {str(one.id): one for one in _by_ids(launch, wanted)} if wanted else {}
    return [found[one] for one in wanted if one in found]


def _by_ids(launch: Launch, wanted: Sequence[str]) -> list[Activity]:
    member, everyone = launches.member_of(launch), _open_to(launch, "")
    listed = [one for one in everyone if str(one.id) in wanted]
    beyond = set(wanted) - {str(one.id) for one in listed}
    found = [catalogue.get(launch.organization, uuid.UUID(one)) for one in beyond if _is_id(one)]
    return listed + [one for one in found if one and member and catalogue.may_open(one, member)]


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _chosen(launch: Launch, ids: Sequence[str]) -> list[Activity]:
    """All of them, or none: a list that has lost one of its activities is answered by nobody.

    Raises UsherError: unknown_activity.
    """
    found = _known(launch, ids)
    if len(found) != len(set(ids)):
        raise UsherError(Reason.UNKNOWN_ACTIVITY())
    return found


# The answer


@retrying
def _answer(launch: Launch, settings: DeepLinkingSettings, chosen: Sequence[Activity]) -> str:
    """The signed answer; with it the launch is over. Raises UsherError: launch_over, for the second of two."""
    private = keys.private_key()
    with transaction.atomic():
        _use(launch)
    return sign(_claims(launch, settings, chosen), private)


def _use(launch: Launch) -> None:
    now = clock.now()
    mine = Launch.objects.filter(id=launch.id, expires_at__gt=now)
    if not mine.update(deep_linking=None, expires_at=now):
        raise UsherError(Reason.LAUNCH_OVER())


def _claims(launch: Launch, settings: DeepLinkingSettings, chosen: Sequence[Activity]) -> dict[str, Any]:
    platform = launch.deployment.platform
    return deep_linking.response(
        settings,
        client_id=platform.client_id,
        issuer=platform.issuer,
        deployment_id=launch.deployment.deployment_id,
        items=[item_of(one, platform, has_column=is_teaching(launch)) for one in chosen],
        nonce=get_random_string(32),
        now=clock.now().timestamp(),
    )


def item_of(activity: Activity, platform: Platform, *, has_column: bool) -> ContentItem:
    """The link to an activity: it names it twice, since some LMSs drop the one or the other."""
    named = str(activity.id)
    is_safe = activity.picture_url.startswith("https://")
    return ContentItem(
        title=activity.title,
        text=activity.description,
        url=f"{launch_url(platform)}?{ACTIVITY}={named}",
        custom={ACTIVITY: named},
        icon_url=activity.picture_url if is_safe else "",
        score_maximum=activity.score_maximum if has_column and activity.is_graded else None,
        label=activity.title,
        resource_id=named,
    )


# A link that names nothing


def choose(request: HttpRequest, launch: Launch, token: str) -> HttpResponse:
    """Whoever teaches the course says what the link opens; everybody else is told to wait for that.

    Raises UsherError: unknown_activity, activity_not_yours.
    """
    link = launch.link
    if link and link.activity:
        return _open(launch, token, link.activity)
    if link is None or launch.course is None or not is_teaching(launch):
        found = {"waits": link is not None, "teaches": is_teaching(launch)}
        return showing.show_launch(request, launch, "waiting", found)
    context: dict[str, Any] = {"accepts_many": False, "gives_nothing": False, "link": link}
    if request.method != "POST":
        return _list(request, launch, "pick", context, None)
    chosen = _chosen(launch, request.POST.getlist(CHOSEN))
    if len(chosen) != 1:
        return _list(request, launch, "pick", context, _too_many_or_none(chosen))
    return _open(launch, token, _settle(link, chosen[0]))


@retrying
def _settle(link: ResourceLink, chosen: Activity) -> Activity:
    """Once: where somebody else was quicker, what he has chosen."""
    ResourceLink.objects.filter(id=link.id, activity=None).update(activity=chosen)
    return ResourceLink.objects.select_related("activity").get(id=link.id).activity or chosen


def _open(launch: Launch, token: str, activity: Activity) -> HttpResponse:
    launches.check_activity(activity, launches.member_of(launch), is_staff=False)
    Launch.objects.filter(id=launch.id, activity=None).update(activity=activity)
    return redirect("lti:at", token)
