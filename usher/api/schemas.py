"""What the API takes and gives, field by field: this is what the OpenAPI document is made of."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from usher.activities.making import LONGEST_DESCRIPTION, MOST_POINTS
from usher.activities.models import Activity, Score
from usher.organizations.models import ApiKey

# As JSON has them, without a guess: "1" is no number, 1 is no word.
Text = Annotated[str, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Tick = Annotated[bool, Field(strict=True)]


class Given(Schema):
    """A body: a field that we do not know is refused, so that no typing error goes unnoticed."""

    model_config = ConfigDict(extra="forbid")


# Errors


class Error(Schema):
    """One reason: a stable code, what is wrong, and what to do."""

    code: str = Field(description="Stable; docs/reasons.md lists all of them.")
    sentence: str
    next_step: str
    column: str = Field("", description="The field it is about; left out where it is about none.")


class Errors(Schema):
    """Every refusal has this form."""

    errors: list[Error]


# Who asks


class OrganizationOut(Schema):
    id: uuid.UUID
    slug: str
    name: str


class MeOut(Schema):
    """Whose key it is, and what it may do."""

    organization: OrganizationOut
    key: str = Field(description="The name that the key was given.")
    scopes: list[Literal["activities", "scores", "launches"]]
    expires_at: dt.datetime | None

    @staticmethod
    def of(key: ApiKey) -> MeOut:
        house = OrganizationOut(id=key.organization_id, slug=key.organization.slug, name=key.organization.name)
        return MeOut(organization=house, key=key.name, scopes=key.scopes, expires_at=key.expires_at)


# Activities


class ActivityIn(Given):
    """A new activity. Exactly one of target_url and scenario."""

    title: Text = Field(description="1 to 150 characters.")
    description: Text = Field("", description=f"Up to {LONGEST_DESCRIPTION:,} characters.")
    picture_url: Text = Field("", description="https address of a picture.")
    target_url: Text = Field("", description="https address that opens the activity in your application.")
    scenario: Text = Field("", description="Name of a built-in scenario, such as chemistry_room.")
    graded: Tick = Field(False, description="Whether it has a column in the gradebook of a course.")
    score_maximum: Number = Field(100.0, description=f"More than 0, at most {MOST_POINTS:,}.")
    audience: Text = Field("everyone", description="everyone or staff.")
    group: uuid.UUID | None = Field(None, description="Only for the members and managers of this group.")


class ActivityChange(ActivityIn):
    """What is left out stays as it is."""

    title: Text = Field("", description="1 to 150 characters.")


class ActivityOut(Schema):
    id: uuid.UUID
    title: str
    description: str
    picture_url: str
    target_url: str
    scenario: str
    graded: bool
    score_maximum: float
    audience: Literal["everyone", "staff"]
    group: uuid.UUID | None
    state: Literal["open", "archived"]
    created_at: dt.datetime
    changed_at: dt.datetime

    @staticmethod
    def of(activity: Activity) -> ActivityOut:
        return ActivityOut.model_validate(
            {
                "id": activity.id,
                "title": activity.title,
                "description": activity.description,
                "picture_url": activity.picture_url,
                "target_url": activity.target_url,
                "scenario": activity.scenario,
                "graded": activity.is_graded,
                "score_maximum": activity.score_maximum,
                "audience": activity.audience,
                "group": activity.group_id,
                "state": activity.state,
                "created_at": activity.created_at,
                "changed_at": activity.changed_at,
            }
        )


class ActivityPage(Schema):
    """Activities by title."""

    items: list[ActivityOut]
    next: str | None = Field(description="Give it as “after” for the page that follows; null at the end.")


# Scores


class ScoreIn(Given):
    """A score. The last one wins."""

    given: Number = Field(description="From 0 to the maximum.")
    maximum: Number | None = Field(
        None, description="What given counts up to. Left out: the activity's own. Both are brought to that."
    )
    comment: Text = Field("", description="Up to 1,000 characters, shown beside the grade where the LMS does so.")


class ScoreOut(Schema):
    activity: uuid.UUID
    account: uuid.UUID
    given: float
    maximum: float
    comment: str
    version: int = Field(description="Counts the changes of this score.")
    scored_at: dt.datetime

    @staticmethod
    def of(score: Score) -> ScoreOut:
        return ScoreOut(
            activity=score.activity_id,
            account=score.account_id,
            given=score.given,
            maximum=score.maximum,
            comment=score.comment,
            version=score.version,
            scored_at=score.scored_at,
        )


class ScorePage(Schema):
    """Scores in the order they were first put."""

    items: list[ScoreOut]
    next: str | None = Field(description="Give it as “after” for the page that follows; null at the end.")


# Launches


class LaunchIn(Given):
    """What the address of your application was opened with."""

    code: Text = Field(description="The value of usher_launch. It works once, for one minute.")


class LaunchOut(Schema):
    """Who opened your application, and from where."""

    account: uuid.UUID = Field(description="Put scores for this id. It stays the same for this person.")
    username: str
    role: str = Field(description="In the organisation, for example student or teacher.")
    standing: str = Field(description="In the course: instructor, assistant or learner.")
    activity: uuid.UUID | None
    course: str
    link: str
