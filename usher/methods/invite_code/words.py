"""A code as a ticket: its state in a word, what it does now in a sentence, its link and its square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import segno
from django.conf import settings
from django.utils.formats import number_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usher.core import clock
from usher.methods.invite_code import days
from usher.methods.invite_code.models import InviteCode, Standing
from usher.methods.invite_code.text import shown
from usher.organizations.models import Organization
from usher.organizations.plans import Plan

CSS = {
    Standing.OPEN: "",
    Standing.PAUSED: "paused",
    Standing.NOT_STARTED: "paused",
    Standing.ENDED: "ended",
    Standing.SPENT: "spent",
}
UNMADE = "•••• ••••"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A code as pages draw it. ``way`` says how to open it again; empty while it is open."""

    code: InviteCode
    title: str
    state: str
    css: str
    shown: str
    link: str
    sentence: SafeString
    way: str

    @property
    def is_open(self) -> bool:
        return not self.css

    @property
    def is_paused(self) -> bool:
        return self.code.paused_at is not None

    @property
    def square(self) -> SafeString:
        return square(self.link)


def ticket(code: InviteCode, organization: Organization, groups: Sequence[str] | None = None) -> Ticket:
    """The ticket of a code. ``groups`` are the names of its further groups where the row is not (yet) the truth."""
    standing = code.standing(clock.now())
    names = [group.name for group in code.groups.all()] if groups is None else groups
    return Ticket(
        code=code,
        title=title(code, organization.license.plan, names),
        state=_state(standing),
        css=CSS[standing],
        shown=shown(code.code) or UNMADE,
        link=link_to(code.code),
        sentence=sentence(code, organization, names),
        way=_way(standing),
    )


def join_at() -> str:
    """Where a code is typed, as one says it: without the beginning that browsers add."""
    return f"{settings.USHER_BASE_URL}/join".partition("://")[2]


def link_to(code: str) -> str:
    return f"{settings.USHER_BASE_URL}/join/{code}"


@lru_cache(maxsize=256)
def square(text: str) -> SafeString:
    """The link as a QR code; nothing in it but what the page says anyway."""
    svg = segno.make(text, error="m", micro=False).svg_inline(omitsize=True, border=0, svgclass=None, lineclass=None)
    return mark_safe(svg)  # noqa: S308 - drawn by segno from our own address


def title(code: InviteCode, plan: Plan, further: Sequence[str]) -> str:
    """What a code is called: nobody has to think of names for codes."""
    role = plan.role(code.role)
    if code.group:
        return _("Code of {group}").format(group=code.group.name)
    if role and role is not plan.lowest:
        return _("Code for {roles}").format(roles=role.plural)
    if further:
        return _("Code into {groups}").format(groups=", ".join(further))
    return _("Code for the whole organisation")


def _state(standing: Standing) -> str:
    return {
        Standing.OPEN: _("Open"),
        Standing.PAUSED: _("Paused"),
        Standing.NOT_STARTED: _("Not open yet"),
        Standing.ENDED: _("Ended"),
        Standing.SPENT: _("Used up"),
    }[standing]


def _way(standing: Standing) -> str:
    return {
        Standing.OPEN: "",
        Standing.PAUSED: _("Resume it, and it goes on as it was."),
        Standing.NOT_STARTED: _("Choose an earlier first day to open it now."),
        Standing.ENDED: _("Choose a later last day to open it again."),
        Standing.SPENT: _("Raise the number under “At most” to open it again."),
    }[standing]


def sentence(code: InviteCode, organization: Organization, groups: Sequence[str]) -> SafeString:
    """What the code does, as an admin could read it aloud."""
    parts = [
        _who(code, organization, groups),
        _proof(code),
        _approval(code),
        _uses(code),
        _end(code),
    ]
    return format_html_join(" ", "{}", [(part,) for part in parts if part])


def _bold(text: object) -> SafeString:
    return format_html("<b>{}</b>", text)


def _filled(text: str, **words: object) -> SafeString:
    """A translated text with its blanks filled; what a person typed stays text."""
    return format_html(conditional_escape(text), **words) if words else conditional_escape(text)


def _names(names: Sequence[str]) -> SafeString:
    return format_html_join(", ", "<b><bdi>{}</bdi></b>", [(name,) for name in names])


def _who(code: InviteCode, organization: Organization, further: Sequence[str]) -> SafeString:
    plan, zone = organization.license.plan, days.zone_of(organization)
    role = plan.role(code.role) or plan.lowest
    names = [code.group.name, *further] if code.group else list(further)
    parts = [_filled(_("Whoever uses it joins as {role}"), role=_bold(role.label))]
    if names:
        parts.append(_filled(_("in {groups}"), groups=_names(names)))
    elif plan.groups:
        parts.append(_filled(_("in no group")))
    if code.starts_at and code.starts_at > clock.now():
        parts.append(_filled(_("from {start}"), start=_bold(days.start_text(code.starts_at, zone))))
    if code.ends_at:
        parts.append(_filled(_("until {end}"), end=_bold(days.end_text(code.ends_at, zone))))
    return format_html("{}.", format_html_join(", ", "{}", [(part,) for part in parts]))


def _proof(code: InviteCode) -> SafeString:
    if code.proof == InviteCode.Proof.AT_ONCE:
        return _filled(_("They are in at once; Usher makes the sign-in name."))
    if code.domains:
        domains = format_html_join(", ", '<b dir="ltr">{}</b>', [(domain,) for domain in code.domains])
        return _filled(_("They prove an address at {domains} first."), domains=domains)
    return _filled(_("They prove an address first."))


def _approval(code: InviteCode) -> SafeString:
    return _filled(_("Then they wait until you let them in.")) if code.needs_approval else SafeString()


def _uses(code: InviteCode) -> SafeString:
    if code.max_uses is not None:
        words = ngettext("{used} of {limit} use.", "{used} of {limit} uses.", code.max_uses)
        return _filled(words, used=_number(code.used), limit=_number(code.max_uses))
    if not code.used:
        return _filled(_("As many as there are seats."))
    words = ngettext("{used} use so far, no limit.", "{used} uses so far, no limit.", code.used)
    return _filled(words, used=_number(code.used))


def _end(code: InviteCode) -> SafeString:
    if code.at_end != InviteCode.AtEnd.ASK or not (code.ends_at or code.max_uses):
        return SafeString()
    return _filled(_("After that people may ask, and you decide."))


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)
