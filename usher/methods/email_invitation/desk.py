"""The desk: every invitation of an organisation, a page at a time, the latest first."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from usher.core import clock
from usher.lifecycle.joiner import By
from usher.lifecycle.visitor import by_account
from usher.methods.email_invitation.found import may_still
from usher.methods.email_invitation.models import Invitation, InvitationGroup, Standing
from usher.methods.email_invitation.words import gone_words, mail_words
from usher.organizations.models import Organization
from usher.people.models import Account

PAGE = 50
COUNTED = 1000  # a count beyond it is shown as "more than"


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the desk is wanted: one standing, the beginning of an address, one inviter (an account)."""

    standing: Standing | None = None
    query: str = ""
    actor: uuid.UUID | None = None

    @property
    def is_set(self) -> bool:
        return bool(self.standing or self.query or self.actor)


@dataclass(frozen=True, slots=True)
class Row:
    """One invitation as the desk shows it.

    ``why`` says what became of its mail, or that its link lets nobody in; ``inviter`` is empty for the operator;
    ``way`` is the code of the method by which an accepted one came in.
    """

    invitation: Invitation
    standing: Standing
    role: str
    groups: tuple[str, ...]
    inviter: str
    why: str
    way: str


@dataclass(frozen=True, slots=True)
class Page:
    """``back`` and ``next`` are the ids to page on from, None at the ends."""

    rows: Sequence[Row]
    back: uuid.UUID | None = None
    next: uuid.UUID | None = None


def seen_by(organization: Organization, by: By) -> QuerySet[Invitation]:
    """What somebody may see: an admin all of them, a manager those that lead into his own groups alone."""
    rows = Invitation.objects.filter(organization=organization)
    if by.groups is None:
        return rows
    into = InvitationGroup.objects.filter(invitation=OuterRef("pk"))
    return rows.filter(Exists(into.filter(group__in=by.groups)), ~Exists(into.exclude(group__in=by.groups)))


def of_standing(rows: QuerySet[Invitation], standing: Standing) -> QuerySet[Invitation]:
    """Those of them that are this at this moment."""
    now, living = clock.now(), rows.filter(state=Invitation.State.OPEN, expires_at__gt=clock.now())
    if standing is Standing.EXPIRED:
        return rows.filter(state=Invitation.State.OPEN, expires_at__lte=now)
    if standing is Standing.NOT_MAILED:
        return living.filter(mailing=Invitation.Mailing.NONE)
    if standing.value in Invitation.Mailing.values:
        return living.filter(mailing=standing.value)
    return rows.filter(state=standing.value)


def counts(organization: Organization, by: By) -> Mapping[Standing, int]:
    """How many there are of each standing, up to one more than COUNTED."""
    rows = seen_by(organization, by)
    return {one: of_standing(rows, one).order_by()[: COUNTED + 1].count() for one in Standing}


def waiting(organization: Organization, by: By) -> int:
    """How many can still be accepted, up to one more than COUNTED."""
    living = seen_by(organization, by).filter(state=Invitation.State.OPEN, expires_at__gt=clock.now())
    return living.order_by()[: COUNTED + 1].count()


def ids_seen(organization: Organization, by: By, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Those of the ids that stand for an invitation which this somebody may see."""
    return list(seen_by(organization, by).filter(id__in=ids).values_list("id", flat=True))


def matching(organization: Organization, by: By, chosen: Filter) -> QuerySet[Invitation]:
    rows = seen_by(organization, by)
    if chosen.standing:
        rows = of_standing(rows, chosen.standing)
    if chosen.query:
        rows = rows.filter(address_key__startswith=chosen.query.strip().lower())
    return rows.filter(actor_id=chosen.actor) if chosen.actor else rows


def page(
    organization: Organization,
    by: By,
    chosen: Filter = Filter(),
    *,
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    size: int = PAGE,
) -> Page:
    """A page of the desk; ``after`` goes on to earlier invitations, ``before`` back to later ones."""
    rows = matching(organization, by, chosen)
    if before:
        found = list(rows.filter(id__gt=before).order_by("id")[: size + 1])
        shown = found[:size][::-1]
        back, on = (shown[0].id if len(found) > size else None), (shown[-1].id if shown else None)
    else:
        found = list((rows.filter(id__lt=after) if after else rows).order_by("-id")[: size + 1])
        shown = found[:size]
        back, on = (shown[0].id if after and shown else None), (shown[-1].id if len(found) > size else None)
    return Page(tuple(rows_of(organization, shown)), back, on)


def everything(organization: Organization, by: By, chosen: Filter = Filter()) -> Iterator[Row]:
    """All of them, read while they are walked through; for the file."""
    rows = matching(organization, by, chosen).order_by("-id")
    last: uuid.UUID | None = None
    while some := list((rows.filter(id__lt=last) if last else rows)[:500]):
        yield from rows_of(organization, some)
        last = some[-1].id


def rows_of(organization: Organization, some: Sequence[Invitation]) -> Iterator[Row]:
    """Three more queries for any number of them, and a few for each who invited those that wait."""
    actors = {one.actor_id for one in some if one.actor_id}
    names = dict(Account.objects.filter(id__in=actors).values_list("id", "username"))
    links = InvitationGroup.objects.filter(invitation__in=some).order_by("group__name_key")
    groups: dict[uuid.UUID, dict[uuid.UUID, str]] = defaultdict(dict)
    for invitation_id, group_id, name in links.values_list("invitation_id", "group_id", "group__name"):
        groups[invitation_id][group_id] = name
    may = {actor: by_account(organization, actor) for actor in {one.actor_id for one in some if one.is_live}}
    plan, now = organization.license.plan, clock.now()
    for one in some:
        role = plan.role(one.role)
        is_dead = one.is_live and not may_still(may[one.actor_id], role, groups[one.id])
        yield Row(
            invitation=one,
            standing=one.standing(now),
            role=str(role.label) if role else one.role,
            groups=tuple(groups[one.id].values()),
            inviter=names.get(one.actor_id, "") if one.actor_id else "",
            why=gone_words() if is_dead else mail_words(one),
            way=one.method,
        )


def one(organization: Organization, by: By, invitation_id: uuid.UUID) -> Row | None:
    """One invitation that this somebody may see."""
    found = seen_by(organization, by).filter(id=invitation_id).first()
    return next(rows_of(organization, [found])) if found else None
