"""What Usher writes to those who run an organisation; ``letters_to_person`` has the rest of this floor.

What the door posted is one row to nobody yet, however many people it is about (``alarms.py``). When it is due, it
becomes one mail to each who should know, in the transaction in which it ends: nobody sees another's address, and
nobody is told twice. Each mail is written when it is sent, of what is true then; when nothing is, none is sent.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from usher.core import mail
from usher.core.letters import Letter, letter
from usher.core.mail import Envelope
from usher.core.models import Mail
from usher.core.rows import first_id
from usher.lifecycle import letters_to_person
from usher.lifecycle.letters_shared import NAMED, addresses_of, admins_of, letter_of, page_of
from usher.organizations import domains
from usher.organizations.alarms import fullness
from usher.organizations.api_keys import SCOPES
from usher.organizations.models import ApiKey, Domain, License, Organization, SeatPool
from usher.people.models import Account, Group, GroupMembership, Membership

__all__ = ["letters_to_person"]  # registers its kinds when it is imported

QUIET = dt.timedelta(minutes=30)  # between two mails about people who ask

ACTIVE, WAITING = Membership.State.ACTIVE, Membership.State.WAITING
News = Mapping[str, Any]


# Seats


@letter("seats")
def seats(row: Mail) -> Letter | None:
    """To the admins: 80, 95 or 100 percent of the seats of one kind are taken."""
    organization = _organization(row)
    pool = SeatPool.objects.filter(organization=organization, pool=row.data["pool"]).first() if organization else None
    if organization is None or pool is None:
        return None
    if row.to:
        return _about_seats(organization, pool) if _is_filling(pool) else None
    _to_each(row, admins_of(organization), lambda: {"pool": pool.pool} if _is_filling(pool) else None)
    return None


def _is_filling(pool: SeatPool) -> bool:
    pool.refresh_from_db()
    return fullness(pool.used, pool.limit) > 0


def _about_seats(organization: Organization, pool: SeatPool) -> Letter:
    kind = str(organization.license.plan.pool_labels.get(pool.pool, pool.pool))
    words: dict[str, Any] = {"kind": kind, "used": pool.used, "limit": pool.limit, "left": pool.limit - pool.used}
    with override(organization.language):
        subject = ngettext("{kind}: {left} seat is left", "{kind}: {left} seats are left", max(0, words["left"]))
        if words["left"] <= 0:
            subject = _("{kind}: all seats are taken")
        subject = subject.format(**words)
    facts = {**words, "level": fullness(pool.used, pool.limit), "link": page_of(organization, "licence")}
    return letter_of(organization, subject, "seats", facts)


# People who ask


@letter("asks")
def asks(row: Mail) -> Letter | None:
    """To the admins: so many wait for them. After one mail half an hour is quiet, whoever asks meanwhile."""
    organization = _organization(row)
    if organization is None:
        return None
    if not row.to:
        _to_each(row, admins_of(organization), lambda: _who_asked(row, organization))
        return None
    count = _asking(organization).count()
    if not count:
        return None
    with override(organization.language):
        subject = ngettext("{n} person asks to come in", "{n} people ask to come in", count).format(n=count)
    return letter_of(organization, subject, "asks", {"count": count, "link": page_of(organization, "asks")})


def _asking(organization: Organization) -> QuerySet[Membership]:
    here = Membership.objects.filter(organization=organization).exclude(state=ACTIVE)
    return here.filter(state=WAITING)


def _who_asked(row: Mail, organization: Organization) -> News | None:
    """Whether somebody asked who was not told of; then the next look is after the quiet time.

    Under the licence lock people ask one after the other, so that the latest moment parts those told of from the rest.
    """
    latest = _asking(organization).aggregate(at=Max("joined_at"))["at"]
    told = row.data.get("told")
    if latest is None or (told and latest <= dt.datetime.fromisoformat(told)):
        return None
    envelope = Envelope(organization.id, data={"told": latest.isoformat()})
    mail.post_once("asks", "", envelope, key=_key(row), delay=QUIET)
    return {}


# News of a group


@letter("group_news")
def group_news(row: Mail) -> Letter | None:
    """To the managers of a group who want to know: who came into it, and how many ask."""
    organization = _organization(row)
    group = Group.objects.filter(organization=organization, id=row.ref).first() if organization and row.ref else None
    if organization is None or group is None or group.state == Group.State.ARCHIVED:
        return None
    if not row.to:
        _to_each(row, _managers(group), lambda: _who_came(row, group))
        return None
    return _about_group(row, organization, group)


def _who_came(row: Mail, group: Group) -> News | None:
    newest = _since(row, group).order_by("-id").values_list("id", flat=True).first()
    return {**row.data, "until": newest.hex} if newest else None


def _since(row: Mail, group: Group) -> QuerySet[GroupMembership]:
    """Places that were taken since the mail was asked for: their ids tell the time."""
    places = GroupMembership.objects.filter(group=group)
    return places.filter(id__gte=first_id(dt.datetime.fromisoformat(row.data["since"])))


def _about_group(row: Mail, organization: Organization, group: Group) -> Letter | None:
    places = _since(row, group).filter(id__lte=uuid.UUID(row.data["until"])).order_by("id")
    came = places.filter(membership__state=ACTIVE)
    count, asking = came.count(), places.filter(membership__state=WAITING).count()
    if not count and not asking:
        return None
    with override(organization.language):
        subject = ngettext("{n} person came into {group}", "{n} people came into {group}", count)
        if not count:
            subject = ngettext("{n} person asks to come into {group}", "{n} people ask to come into {group}", asking)
        subject = subject.format(n=count or asking, group=group.name)
    facts = {
        "group": group.name,
        "count": count,
        "names": list(came.values_list("membership__account__username", flat=True)[:NAMED]),
        "more": max(0, count - NAMED),
        "asking": asking,
        "link": page_of(organization, f"groups/{group.id}"),
        "asks_link": page_of(organization, "asks"),
    }
    return letter_of(organization, subject, "group_news", facts)


# Domains


@letter("domain_failing")
def domain_failing(row: Mail) -> Letter | None:
    """To the admins: the proof of a domain is gone, and until when it may come back."""
    return _about_domain(row, domains.State.FAILING)


@letter("domain_lost")
def domain_lost(row: Mail) -> Letter | None:
    """To the admins: the proof did not come back, so the domain opens nothing any more."""
    return _about_domain(row, domains.State.LOST)


def _about_domain(row: Mail, state: domains.State) -> Letter | None:
    organization = _organization(row)
    domain = Domain.objects.filter(organization=organization, id__in=[row.ref]).first() if organization else None
    if organization is None or domain is None or domains.state_of(domain) is not state:
        return None
    if not row.to:
        _to_each(row, admins_of(organization), dict)
        return None
    with override(organization.language):
        subject = _("The proof for a domain is gone")
        if state is domains.State.LOST:
            subject = _("A domain is not proved any more")
    ends = domains.lost_at(domain)
    facts = {
        "domain_address": domain.name,
        "host_address": domains.record_of(domain).host,
        "ends": ends.astimezone(zoneinfo.ZoneInfo(organization.time_zone)) if ends else None,
        "link": page_of(organization, "settings/domains"),
    }
    return letter_of(organization, subject, row.kind, facts)


# Rules about signing in


@letter("sign_in_rules")
def sign_in_rules(row: Mail) -> Letter | None:
    """To the admins: somebody changed who may sign in with a password, or who needs a second factor."""
    organization = _organization(row)
    if organization is None:
        return None
    if not row.to:
        _to_each(row, admins_of(organization), lambda: row.data)
        return None
    actor = Account.objects.filter(id=row.data["by"]).first() if row.data["by"] else None
    marked = Membership.objects.filter(organization=organization, keeps_password=True, state=ACTIVE)
    facts = {
        "by": actor.username if actor else "",
        "passwords_for": organization.passwords_for,
        "second_factor_for": organization.second_factor_for,
        "marked": marked.count(),
        "link": page_of(organization, "settings/sign-in/"),
    }
    with override(organization.language):
        subject = _("The rules about signing in were changed: {organization}").format(organization=organization.name)
    return letter_of(organization, subject, "sign_in_rules", facts)


# Keys of the API


@letter("api_key")
def api_key(row: Mail) -> Letter | None:
    """To the admins: somebody made a key by which an application opens their data."""
    organization = _organization(row)
    key = ApiKey.objects.filter(organization=organization, id__in=[row.ref]).first() if organization else None
    if organization is None or key is None:
        return None
    if not row.to:
        _to_each(row, admins_of(organization), dict)
        return None
    actor = Account.objects.filter(id__in=[key.made_by_account_id]).first() if key.made_by_account_id else None
    facts = {
        "key": key.name,
        "prefix": key.prefix,
        "by": actor.username if actor else "",
        "link": page_of(organization, "settings/api-keys"),
    }
    with override(organization.language):
        may = ", ".join(str(words) for scope, words in SCOPES.items() if scope.value in key.scopes)
        subject = _("A new API key: {organization}").format(organization=organization.name)
    return letter_of(organization, subject, "api_key", facts | {"may": may})


# What they share


def _organization(row: Mail) -> Organization | None:
    """Whose news it is; None where nobody could follow a link."""
    found = Organization.objects.select_related("license").filter(id__in=[row.organization_id]).first()
    return None if found is None or found.is_suspended else found


def _managers(group: Group) -> list[str]:
    links = GroupMembership.objects.filter(group=group, right=GroupMembership.Right.MANAGER, notify=True)
    return addresses_of(Membership.objects.filter(group_links__in=links))


def _to_each(row: Mail, addresses: Sequence[str], news: Callable[[], News | None]) -> None:
    """One mail to each in place of this one. ``news`` is asked under the lock under which people come in.

    What was posted about the same since is told of by these, and goes too.
    """
    with transaction.atomic():
        License.objects.select_for_update().get(organization=row.organization_id)
        Mail.objects.filter(key=_key(row)).delete()
        facts = news() if addresses else None
        if facts is not None:
            for address in addresses:
                mail.post(row.kind, address, Envelope(row.organization_id, row.ref, facts))
        row.done()


def _key(row: Mail) -> str:
    """As the door wrote it; the row forgets it when it is taken up."""
    if row.kind == "seats":
        return f"seats:{row.organization_id}:{row.data['pool']}"
    return f"{row.kind}:{row.ref or row.organization_id}"
