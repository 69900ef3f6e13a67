"""The kit page: every part in every state, and the rooms made of them. Mounted at /_kit/ in demo mode only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import segno
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from usher.core import clock
from usher.core.accent import accent_css

ROOMS: Final = (
    "kit",
    "sign_in",
    "users",
    "import",
    "import_result",
    "class",
    "options",
    "why",
    "wall",
    "cards",
    "account",
)
ROLES: Final = [("student", "Student"), ("teacher", "Teacher"), ("admin", "Admin")]
SEATED: Final = ["Åsa", "李小龙", "محمد", "Zoë", "Ezra", "Siobhán", "Мила", "Aarav", "Łukasz", "José", "אורי", "Ines"]
PROOFS: Final = [("address", "Prove the address first"), ("at_once", "In at once")]


@dataclass(frozen=True, slots=True)
class Item:
    url: str
    icon: str
    label: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class House:
    name: str = "Cedar School"
    slug: str = "cedar"
    plan_name: str = "School plan"


@dataclass(frozen=True, slots=True)
class Someone:
    """A row of the sample table."""

    name: str
    sign_in: str
    role: str
    groups: str
    state: tuple[str, str]
    way: tuple[str, str]
    seen: datetime | None
    password: str = "river-lamp-4821"  # noqa: S105 - a sample for a card


class Sample(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name", help_text="As others see it.")
    address = forms.EmailField(label="E-mail", required=False)
    password = forms.CharField(label="Password", widget=forms.PasswordInput(render_value=True))
    code = forms.CharField(label="Invite code", widget=forms.TextInput({"class": "code", "dir": "ltr"}))
    role = forms.ChoiceField(label="Role", choices=ROLES, help_text="The lowest role is the safe choice.")
    proof = forms.ChoiceField(label="Proof", choices=PROOFS, widget=forms.RadioSelect)
    pools = forms.MultipleChoiceField(label="Tell", choices=ROLES, widget=forms.CheckboxSelectMultiple)
    groups = forms.BooleanField(label="Make missing groups", required=False)
    addresses = forms.CharField(label="Addresses", widget=forms.Textarea({"rows": 3}), required=False)
    file = forms.FileField(label="Your list", help_text="CSV or Excel, up to 50 MB.")
    fixed = forms.CharField(label="Address of this organisation", disabled=True, required=False)
    noted = forms.CharField(label="Sign-in name", widget=forms.TextInput({"readonly": True, "class": "code"}))


GIVEN: Final = {
    "name": "Åsa Öberg",
    "address": "asa@cedar",
    "password": "river-lamp-4821",
    "code": "7K4M 29QX",
    "role": "student",
    "proof": "address",
    "pools": ["student"],
    "groups": True,
    "noted": "asa.oberg",
}


def kit(request: HttpRequest) -> HttpResponse:
    if request.GET.get("accent"):
        return HttpResponse(accent_css(request.GET["accent"]), content_type="text/css")
    room = request.GET.get("room", "kit")
    if room not in ROOMS:
        raise Http404
    return render(request, f"kit/{room}.html", _context(request, room))


def _context(request: HttpRequest, room: str) -> dict[str, object]:
    return {
        "organization": House(),
        "person": "Ada Marsh",
        "membership_role": "Admin",
        "nav": _nav(),
        "accent_url": "?accent=%2323583c",
        "theme": request.GET.get("theme", ""),
        "page_dir": request.GET.get("dir", ""),
        "rooms": ROOMS,
        "room": room,
        "people": _people(),
        "fresh": Sample(initial={"role": "student", "proof": "address", "fixed": "cedar", "noted": "asa.oberg"}),
        "wrong": Sample(GIVEN | {"address": "asa@cedar", "name": ""}, auto_id="wrong_%s"),
        "hints": {"address": "They open a link in their mail.", "at_once": "For children without e-mail."},
        "seated": SEATED,
        "qr": _square("https://usher.cedar.example/join/7K4M29QX"),
        "now": clock.now(),
        "earlier": clock.now() - timedelta(days=79),
        "uses": _uses(),
    }


def _nav() -> list[Item]:
    return [
        Item("?room=kit", "home", "Home"),
        Item("?room=users", "users", "Users", current=True),
        Item("?room=class", "users-group", "Groups"),
        Item("?room=options", "certificate", "Licence"),
        Item("?room=why", "history", "Events"),
        Item("?room=import", "settings", "Settings"),
    ]


def _people() -> list[Someone]:
    now, active, never = clock.now(), ("in", "Active"), ("never", "Never signed in")
    csv, code, made = ("csv", "CSV"), ("code", "Invite code"), ("made", "Made here")
    sso = ("microsoft", "Microsoft")
    maple, oak = "Year 5 Maple", "Year 6 Oak"
    waiting, gone = ("ask", "Waiting for approval"), ("off", "Deactivated")
    rows: list[tuple[str, str, str, str, tuple[str, str], tuple[str, str], int | None]] = [
        ("Åsa Öberg", "asa.oberg", "Student", maple, active, csv, 0),
        ("李小龙", "li.xiaolong", "Student", maple, never, csv, None),
        ("محمد الأحمد", "student.4831", "Student", maple, active, code, 1),
        ("Noah Adeyemi", "noah.adeyemi@cedar.example", "Teacher", f"Staff, {maple}", active, sso, 0),
        ("Ольга Петрова", "olga.petrova@cedar.example", "Teacher", "Staff", waiting, code, None),
        ("Siobhán Ní Bhriain", "siobhan.ni-bhriain", "Student", oak, active, ("lms", "LMS"), 3),
        ("Nguyễn Thị Mai", "mai.nguyen@home.example", "Student", oak, active, ("email", "E-mail"), 12),
        ("Łukasz Żak", "lukasz.zak", "Student", "–", gone, made, 145),
        ("Aarav Sharma", "aarav.sharma", "Student", maple, never, made, None),
    ]
    return [Someone(*row[:6], seen=None if row[6] is None else now - timedelta(days=row[6])) for row in rows]


def _uses() -> list[tuple[int, int, int]]:
    """The little chart, as x, y and height of its bars."""
    heights = [2, 4, 17, 22, 9, 3, 2, 4, 13, 6, 2, 1, 1, 4]
    return [(at * 15, 24 - height, height) for at, height in enumerate(heights)]


def _square(text: str) -> SafeString:
    code = segno.make(text, error="m")
    return SafeString(code.svg_inline(scale=4, border=0, svgclass="", lineclass="", omitsize=True))
