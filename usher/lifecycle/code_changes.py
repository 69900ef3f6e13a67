"""The change of an invite code, read aloud: “last day 18 Dec 2026, at most 400”."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from usher.organizations.plans import Plan


def changes(data: Mapping[str, Any], plan: Plan, groups: Mapping[str, str]) -> str:
    """What the data of the event says, in the order in which it is read; ``groups`` are names by id."""
    told = [
        (_("state"), _one_of(data.get("state"), {"paused": _("paused"), "open": _("open")})),
        (_("role"), _role(data.get("role"), plan)),
        (_("groups"), _list(data, "groups", groups)),
        (_("opens"), _moment(data, "starts_at")),
        (_("ends"), _moment(data, "ends_at")),
        (_("at most"), _limit(data)),
        (_("e-mail domains"), _list(data, "domains", {})),
        (_("proof"), _one_of(data.get("proof"), {"prove_first": _("address first"), "at_once": _("in at once")})),
        (_("after the end"), _one_of(data.get("at_end"), {"refuse": _("nobody new"), "ask": _("they may ask")})),
        (_("approval"), _one_of(data.get("needs_approval"), {True: _("yes"), False: _("no")})),
    ]
    said = ", ".join(f"{label} {value}" for label, value in told if value)
    group = groups.get(str(data.get("group")))
    return f"{group}: {said}" if group else said


def _one_of(value: Any, words: Mapping[Any, str]) -> str:
    return "" if value is None else words.get(value, str(value))


def _role(slug: str | None, plan: Plan) -> str:
    role = plan.role(slug) if slug else None
    return str(role.label) if role else slug or ""


def _list(data: Mapping[str, Any], key: str, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(one, one) for one in data[key]) or _("none") if key in data else ""


def _limit(data: Mapping[str, Any]) -> str:
    return str(data["max_uses"] or _("no limit")) if "max_uses" in data else ""


def _moment(data: Mapping[str, Any], key: str) -> str:
    if key not in data:
        return ""
    return date_format(localtime(dt.datetime.fromisoformat(data[key])), "j M Y H:i") if data[key] else _("never")
