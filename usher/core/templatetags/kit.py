"""The parts every page is made of: icons, seats, states, fields, notes. They know no word of our domain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Textarea
from django.forms.widgets import FileInput, Input, PasswordInput, Select
from django.template.defaultfilters import date as format_date
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from usher.core import clock

register = template.Library()

BREAK: Final = SafeString("<wbr>")
DRAWN: Final = 50  # more seats than this are drawn by tens, hundreds, thousands
NOTES: Final = {
    "ok": ("ok", "circle-check"),
    "success": ("ok", "circle-check"),
    "warn": ("warn", "info-circle"),
    "warning": ("warn", "info-circle"),
    "bad": ("bad", "alert-triangle"),
    "error": ("bad", "alert-triangle"),
}
WAYS: Final = {
    "invite_code": "ticket",
    "code": "ticket",
    "email_invitation": "mail",
    "email": "mail",
    "csv_import": "file-spreadsheet",
    "csv": "file-spreadsheet",
    "bulk_accounts": "user-plus",
    "made": "user-plus",
    "console": "user-plus",
    "microsoft": "cloud-lock",
    "google": "cloud-lock",
    "oidc": "cloud-lock",
    "lti": "school",
    "lms": "school",
    "operator": "terminal-2",
    "api": "webhook",
}


@dataclass(frozen=True, slots=True)
class Pool:
    """Seats as they are drawn: three counts, and how many people one drawn seat stands for."""

    taken: int
    reserved: int
    free: int
    each: int


# Pictures and words ---------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A Tabler outline icon, hidden from screen readers: the word stands beside it."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        f"icon {css}".strip(),
        static("dist/icons.svg"),
        name,
    )


@register.simple_tag
def avatar(name: str, css: str = "") -> SafeString:
    return format_html('<span class="{}" aria-hidden="true">{}</span>', f"av {css}".strip(), initials(name))


@register.simple_tag
def state(kind: str, word: str) -> SafeString:
    """Shape, colour and word: in, never, ask, off, no."""
    return format_html('<span class="state {}"><i></i>{}</span>', kind, word)


@register.simple_tag
def how(way: str, word: str) -> SafeString:
    """The way in: an icon and its word."""
    return format_html('<span class="how">{}{}</span>', icon(WAYS.get(way, "door-enter")), word)


@register.simple_tag
def when(moment: datetime | None, *, clock_time: bool = False) -> SafeString:
    """A short date a person can plan with; the whole moment as its title."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', "–")
    local = timezone.localtime(moment)
    return format_html(
        '<time class="num" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        format_date(local, "j M Y H:i"),
        short_date(local, timezone.localtime(clock.now()), clock_time=clock_time),
    )


@register.filter
def breakable(text: str) -> SafeString:
    """A sign-in name or address that may go on in a new line, but only after a dot, a hyphen or the @."""
    return format_html_join("", "{}{}", [(part, BREAK) for part in re.findall(r"[^.@-]*[.@-]?", text) if part])


@register.simple_tag
def request_id() -> str:
    """The number of this request in the log, for error pages; empty where there is none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def short_date(moment: datetime, now: datetime, *, clock_time: bool = False) -> str:
    hour = format_date(moment, "H:i")
    days = (moment.date() - now.date()) // timedelta(days=1)
    if days == 0:
        return _("today %(hour)s") % {"hour": hour}
    named = {-1: _("yesterday"), 1: _("tomorrow")}.get(days)
    day = named or format_date(moment, "j M" if moment.year == now.year else "j M Y")
    return f"{day} {hour}" if clock_time else day


def initials(name: str) -> str:
    """Two letters where a script has capitals, one sign where it has none, a dot for nobody."""
    words = [word for word in unicodedata.normalize("NFC", name).split() if word[0].isalnum()]
    if not words:
        return "·"
    if not unicodedata.category(words[0][0]).startswith(("Lu", "Ll")):
        return words[0][0]
    return "".join(word[0].upper() for word in dict.fromkeys([words[0], words[-1]]))


# Seats ----------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/seats.html")
def seats(label: str, taken: int, limit: int | None, *, reserved: int = 0, advice: str = "") -> dict[str, object]:
    """One pool of seats: numbers always, drawn seats beside them, what to do when few are left."""
    return {
        "label": label,
        "taken": taken,
        "limit": limit,
        "reserved": reserved,
        "advice": advice,
        "full": limit is not None and taken + reserved >= limit,
        "pool": drawn(taken, reserved, limit) if limit else None,
    }


def drawn(taken: int, reserved: int, limit: int) -> Pool:
    """At most 50 seats. The first person shows, and the last free place too, however large the house."""
    each = 1
    while limit > DRAWN * each:
        each *= 10
    total = -(-max(limit, 1) // each)
    in_use = _share(min(taken + reserved, limit), limit, total)
    held = min(in_use, -(-reserved // each)) if taken else in_use
    return Pool(in_use - held, held, total - in_use, each)


def _share(count: int, limit: int, total: int) -> int:
    if count in (0, limit):
        return total if count else 0
    return min(max(round(count * total / limit), 1), total - 1) if total > 1 else 0


@register.filter
def times(count: int) -> range:
    return range(count)


# Filters and steps ----------------------------------------------------------------------------------------


@register.inclusion_tag("components/tally.html")
def tally(
    count: int, kind: str, word: str, hint: str = "", *, url: str = "", pressed: bool = False
) -> dict[str, object]:
    """A count that filters: a link, or with url="#refused" a button over rows with data-kind="refused"."""
    rows = url[1:] if url.startswith("#") else ""
    return {
        "count": count,
        "kind": kind,
        "word": word,
        "hint": hint,
        "url": url,
        "rows": rows,
        "pressed": pressed,
    }


@register.inclusion_tag("components/chip.html")
def chip(word: str, count: int | None = None, *, url: str = "", pressed: bool = False) -> dict[str, object]:
    rows = url[1:] if url.startswith("#") else ""
    return {"word": word, "count": count, "url": url, "rows": rows, "pressed": pressed}


@register.inclusion_tag("components/steps.html")
def steps(current: int, *words: str) -> dict[str, object]:
    """Where you are in a row of steps, counted from 1."""
    return {"current": current, "words": words}


@register.inclusion_tag("components/crumbs.html")
def crumbs(*words_and_urls: str) -> dict[str, object]:
    """{% crumbs word url word url %}; a last word without a url is plain text."""
    pairs = [*words_and_urls, *[""] * (len(words_and_urls) % 2)]
    return {"crumbs": list(zip(pairs[::2], pairs[1::2], strict=True))}


# Blocks with a body ---------------------------------------------------------------------------------------


@register.simple_block_tag
def note(content: str, kind: str = "info", title: str = "", css: str = "") -> SafeString:
    """{% note "ok|info|warn|bad" "Title" %}body{% endnote %}; it stays until its cause is gone."""
    look, picture = NOTES.get(kind, ("info", "info-circle"))
    context = {"content": SafeString(content.strip()), "look": look, "picture": picture, "title": title, "css": css}
    return render_to_string("components/note.html", context)


@register.simple_block_tag
def dialog(content: str, name: str, title: str) -> SafeString:
    """{% dialog "delete" "Delete 12 people" %}body{% enddialog %}, opened by data-opens="delete"."""
    return render_to_string("components/dialog.html", {"content": content, "name": name, "title": title})


@register.simple_block_tag
def menu(content: str, word: str, css: str = "", picture: str = "") -> SafeString:
    """{% menu "Role" %}links or buttons{% endmenu %}; with a picture the word is read but not shown."""
    context = {"content": content, "word": word, "css": css, "picture": picture}
    return render_to_string("components/menu.html", context)


# Forms ----------------------------------------------------------------------------------------------------


@register.simple_tag
def field(bound: BoundField, *, hints: Mapping[str, str] | None = None, css: str = "", hint: str = "") -> SafeString:
    """A form field with its label, hint and error sentences, tied together for screen readers."""
    if bound.is_hidden:
        return SafeString(str(bound))
    look = _look(bound)
    context = {
        "bound": bound,
        "look": look,
        "css": css,
        "hint": hint or bound.help_text,
        "hints": hints or {},
        "control": "" if look == "choices" else bound.as_widget(attrs=_attrs(bound, look, hint)),
        "choices": _choices(bound, hints or {}) if look == "choices" else [],
        "multiple": isinstance(bound.field.widget, CheckboxSelectMultiple),
    }
    return render_to_string(f"components/field_{look}.html", context)


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Any) -> dict[str, object]:
    """What is wrong with the form as a whole, as one note above its fields."""
    return {"errors": form.non_field_errors()}


def _look(bound: BoundField) -> str:
    """Which of the field templates draws it."""
    looks = (
        ((RadioSelect, CheckboxSelectMultiple), "choices"),
        (CheckboxInput, "tick"),
        (FileInput, "file"),
        (PasswordInput, "secret"),
    )
    return next((look for widget, look in looks if isinstance(bound.field.widget, widget)), "plain")


def _attrs(bound: BoundField, look: str, hint: str) -> dict[str, str | bool]:
    own = bound.field.widget.attrs
    css = f"{own.get('class', '')} {_css(bound, look)}".strip()
    attrs: dict[str, str | bool] = {"class": css}
    if direction := own.get("dir") or _direction(bound, look):
        attrs["dir"] = str(direction)
    tied = [f"{bound.auto_id}_hint"] if hint or bound.help_text else []
    tied += [f"{bound.auto_id}_wrong"] if bound.errors else []
    if tied:
        attrs["aria-describedby"] = " ".join(tied)
    return attrs


def _css(bound: BoundField, look: str) -> str:
    if look == "tick":
        return "checkbox"
    if look == "file":
        return ""
    widget = bound.field.widget
    return "select" if isinstance(widget, Select) else "textarea" if isinstance(widget, Textarea) else "input"


def _direction(bound: BoundField, look: str) -> str:
    """Names follow their own script; addresses and passwords never turn round."""
    if look in {"tick", "file"}:
        return ""
    widget = bound.field.widget
    if isinstance(widget, Input):
        return "auto" if widget.input_type in {"text", "search"} else "ltr"
    return "auto" if isinstance(widget, Textarea) else ""


def _choices(bound: BoundField, hints: Mapping[str, str]) -> list[dict[str, object]]:
    return [
        {
            "id": part.id_for_label,
            "value": part.data["value"],
            "label": part.choice_label,
            "hint": hints.get(str(part.data["value"]), ""),
            "checked": part.data["selected"],
        }
        for part in bound.subwidgets
    ]
