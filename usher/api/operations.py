"""The operations of /api/v1/. Each says which scope a key needs; the rules are those of the pages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Status
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from usher.activities import catalogue, making, scores
from usher.activities.models import Activity
from usher.api import answers
from usher.api.keys import actor_of, key_of, needs, organization_of
from usher.api.schemas import (
    ActivityChange,
    ActivityIn,
    ActivityOut,
    ActivityPage,
    Errors,
    LaunchIn,
    LaunchOut,
    MeOut,
    ScoreIn,
    ScoreOut,
    ScorePage,
)
from usher.core.errors import UsherError
from usher.core.reasons import Reason
from usher.methods.lti import handing
from usher.organizations.api_keys import Scope

MOST_A_PAGE = 200
Limit = Annotated[int, Query(ge=1, le=MOST_A_PAGE, description="How many a page.")]
After = Annotated[uuid.UUID | None, Query(description="“next” of the page before.")]
State = Literal["open", "archived", "any"]
NO = frozenset({400, 401, 403, 404, 409, 413, 429})


class Api(NinjaAPI):
    """Operations are called by the names of their functions."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = Api(
    title="Usher",
    version="1",
    description="Activities, scores and launches of one organisation, for its own applications.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
)


@api.exception_handler(UsherError)
def refused(request: HttpRequest, error: UsherError) -> HttpResponse:
    return answers.refused(request, error)


@api.exception_handler(ValidationError)
def not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answers.not_valid(request, error)


@api.exception_handler(HttpError)
def not_read(request: HttpRequest, _error: HttpError) -> HttpResponse:
    """The one thing ninja refuses by itself: a body that is no JSON."""
    return answers.refused(request, UsherError(Reason.BODY_NOT_JSON()))


@api.exception_handler(Http404)
def unknown(request: HttpRequest, _error: Http404) -> HttpResponse:
    return answers.refused(request, UsherError(Reason.API_UNKNOWN_ADDRESS()))


def gives(status: int, schema: Any) -> Mapping[Any, Any]:
    """What an operation answers: its own, or Reasons."""
    return {status: schema, NO: Errors}


# Who asks


@api.get("/me", response=gives(200, MeOut), tags=["Key"], summary="Whose key this is", **needs(None))
def me(request: HttpRequest) -> MeOut:
    """The organisation and the scopes of the key. Good for a first call."""
    return MeOut.of(key_of(request))


# Activities

activities = {**needs(Scope.ACTIVITIES), "tags": ["Activities"]}


@api.get("/activities", response=gives(200, ActivityPage), summary="List activities", **activities)
def list_activities(
    request: HttpRequest, q: str = "", state: State = "open", after: After = None, limit: Limit = 50
) -> ActivityPage:
    """By title. “q” finds words of the title, “state” those that are archived, or any."""
    page = catalogue.page(
        organization_of(request),
        search=q,
        state="" if state == "any" else state,
        after=str(after) if after else "",
        size=limit,
    )
    return ActivityPage(items=[ActivityOut.of(one) for one in page.activities], next=page.next or None)


@api.post("/activities", response=gives(201, ActivityOut), summary="Make an activity", **activities)
def add_activity(request: HttpRequest, body: ActivityIn) -> Status[ActivityOut]:
    """It can be put into a course at once."""
    wish = making.Wish(**_columns(body.model_dump()))
    return Status(201, ActivityOut.of(making.add(organization_of(request), wish, actor_of(request))))


@api.get("/activities/{uuid:activity}", response=gives(200, ActivityOut), summary="Read an activity", **activities)
def get_activity(request: HttpRequest, activity: uuid.UUID) -> ActivityOut:
    """Also one that is archived."""
    return ActivityOut.of(_activity(request, activity))


@api.patch("/activities/{uuid:activity}", response=gives(200, ActivityOut), summary="Change an activity", **activities)
def change_activity(request: HttpRequest, activity: uuid.UUID, body: ActivityChange) -> ActivityOut:
    """Send the fields that change; what is left out stays."""
    found = _activity(request, activity)
    wish = making.with_changes(found, _columns(body.model_dump(exclude_unset=True)))
    return ActivityOut.of(making.change(organization_of(request), found.id, wish, actor_of(request)))


@api.post(
    "/activities/{uuid:activity}/archive", response=gives(200, ActivityOut), summary="Archive an activity", **activities
)
def archive_activity(request: HttpRequest, activity: uuid.UUID) -> ActivityOut:
    """Nobody opens or picks it any more. Its scores stay. Archiving twice is the same as once."""
    return ActivityOut.of(making.archive(organization_of(request), activity, actor_of(request)))


@api.post(
    "/activities/{uuid:activity}/restore", response=gives(200, ActivityOut), summary="Restore an activity", **activities
)
def restore_activity(request: HttpRequest, activity: uuid.UUID) -> ActivityOut:
    """It opens again, in the courses it stands in too."""
    return ActivityOut.of(making.restore(organization_of(request), activity, actor_of(request)))


def _columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """Two names of the API are shorter than those of the house."""
    return {"is_graded" if name == "graded" else name: value for name, value in given.items()}


def _activity(request: HttpRequest, activity_id: uuid.UUID) -> Activity:
    return catalogue.find(organization_of(request), activity_id)


# Scores

scored = {**needs(Scope.SCORES), "tags": ["Scores"]}


@api.get("/activities/{uuid:activity}/scores", response=gives(200, ScorePage), summary="List scores", **scored)
def list_scores(request: HttpRequest, activity: uuid.UUID, after: After = None, limit: Limit = 100) -> ScorePage:
    """Of one activity, the first ones first."""
    page = scores.page(_activity(request, activity), after, limit)
    return ScorePage(items=[ScoreOut.of(one) for one in page.scores], next=page.next or None)


@api.get(
    "/activities/{uuid:activity}/scores/{uuid:account}", response=gives(200, ScoreOut), summary="Read a score", **scored
)
def get_score(request: HttpRequest, activity: uuid.UUID, account: uuid.UUID) -> ScoreOut:
    """Of one person."""
    found = scores.get(_activity(request, activity), account)
    if found is None:
        raise UsherError(Reason.NO_SCORE_YET())
    return ScoreOut.of(found)


@api.put(
    "/activities/{uuid:activity}/scores/{uuid:account}", response=gives(200, ScoreOut), summary="Put a score", **scored
)
def put_score(request: HttpRequest, activity: uuid.UUID, account: uuid.UUID, body: ScoreIn) -> ScoreOut:
    """The score of one person, who is an active member. It goes to the gradebooks of the courses in which that person
    opened the activity. The last one wins; the same one again changes nothing."""
    found = _activity(request, activity)
    actor, maximum = actor_of(request), body.maximum
    return ScoreOut.of(scores.put(found, account, body.given, actor, maximum=maximum, comment=body.comment))


# Launches


@api.post(
    "/launches", response=gives(200, LaunchOut), summary="Redeem a launch code", tags=["Launches"],
    **needs(Scope.LAUNCHES),
)  # fmt: skip
def redeem(request: HttpRequest, body: LaunchIn) -> LaunchOut:
    """Who opened your application: exchange the code that came in its address, within a minute, once."""
    handed = handing.redeem(organization_of(request).id, body.code)
    return LaunchOut(
        account=handed.account,
        username=handed.username,
        role=handed.role,
        standing=handed.standing,
        activity=handed.activity,
        course=handed.course,
        link=handed.link,
    )
