"""The parts of the kit: what they say and draw for each case, in any script."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import structlog
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.safestring import SafeString

from usher.console.kit import ROOMS
from usher.console.kit import kit as kit_page
from usher.core.templatetags import kit

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Form(forms.Form):
    name = forms.CharField(label="Name", help_text="As others see it.")
    address = forms.EmailField(label="E-mail", required=False)
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    proof = forms.ChoiceField(label="Proof", choices=[("a", "First"), ("b", "At once")], widget=forms.RadioSelect)
    tick = forms.BooleanField(label="Make groups", required=False)
    file = forms.FileField(label="Your list")
    next = forms.CharField(widget=forms.HiddenInput)


def shown(source: str, **context: object) -> str:
    page = Template("{% load kit %}" + source).render(Context(context))
    return " ".join(page.split())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Åsa Öberg", "ÅÖ"),
        ("Madonna", "M"),
        ("Siobhán Ní Bhriain", "SB"),
        ("Ольга Петрова", "ОП"),
        ("李小龙", "李"),
        ("محمد الأحمد", "م"),
        ("mai.nguyen@home.example", "M"),
        ("(Bo) Ek", "E"),
        ("", "·"),
        ("—", "·"),
        ("A\u030asa", "Å"),
    ],
)
def test_initials_suit_the_script(name: str, expected: str) -> None:
    assert kit.initials(name) == expected


@pytest.mark.parametrize(
    ("taken", "reserved", "limit", "expected"),
    [
        (0, 0, 5, (0, 0, 5, 1)),
        (28, 0, 28, (28, 0, 0, 1)),
        (37, 1, 40, (37, 1, 2, 1)),
        (50, 0, 50, (50, 0, 0, 1)),
        (412, 18, 500, (41, 2, 7, 10)),
        (499, 0, 500, (49, 0, 1, 10)),  # the last free place is seen
        (1, 0, 30_000, (1, 0, 29, 1_000)),  # so is the first person
        (45, 0, 40, (40, 0, 0, 1)),  # a lowered licence removes nobody and draws no more than it has
    ],
)
def test_seats_are_drawn_truthfully(taken: int, reserved: int, limit: int, expected: tuple[int, int, int, int]) -> None:
    pool = kit.drawn(taken, reserved, limit)
    assert (pool.taken, pool.reserved, pool.free, pool.each) == expected


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 51, 99, 500, 501, 12_345])
def test_seats_add_up_and_never_pass_fifty(limit: int) -> None:
    for taken in {0, 1, limit // 2, limit - 1, limit}:
        pool = kit.drawn(taken, 0, limit)
        total = pool.taken + pool.reserved + pool.free
        assert total == -(-limit // pool.each) <= kit.DRAWN
        assert (pool.free == 0) == (taken == limit) or total == 1
        assert (pool.taken == 0) == (taken == 0) or total == 1


@pytest.mark.parametrize(
    ("moment", "clock_time", "expected"),
    [
        (datetime(2026, 11, 22, 8, 41, tzinfo=UTC), False, "today 08:41"),
        (datetime(2026, 11, 21, 23, 59, tzinfo=UTC), False, "yesterday"),
        (datetime(2026, 11, 23, 0, 1, tzinfo=UTC), False, "tomorrow"),
        (datetime(2026, 11, 20, tzinfo=UTC), False, "20 Nov"),
        (datetime(2026, 9, 4, 16, 20, tzinfo=UTC), True, "4 Sep 16:20"),
        (datetime(2024, 11, 20, tzinfo=UTC), False, "20 Nov 2024"),
    ],
)
def test_dates_are_short(moment: datetime, clock_time: bool, expected: str) -> None:
    assert kit.short_date(moment, NOW, clock_time=clock_time) == expected


def test_nothing_a_person_typed_becomes_markup() -> None:
    evil = '<img src=x onerror="1">'
    page = shown(
        "{% avatar x %}{% state 'in' x %}{% how 'csv' x %}{{ x|breakable }}{% tally 1 'in' x x url='?' %}"
        "{% chip x 1 url='?' %}{% crumbs x x %}{% steps 1 x %}{% note 'ok' x %}{{ x }}{% endnote %}"
        "{% menu x %}{{ x }}{% endmenu %}{% dialog 'd' x %}{{ x }}{% enddialog %}{% seats x 1 2 advice=x %}",
        x=evil,
    )
    assert "<img" not in page
    assert page.count("&lt;img") >= 12


def test_addresses_break_only_where_reading_goes_on() -> None:
    assert kit.breakable("asa.o@x-y.se") == "asa.<wbr>o@<wbr>x-<wbr>y.<wbr>se<wbr>"
    assert isinstance(kit.breakable("a"), SafeString)


@pytest.mark.parametrize(
    ("kind", "role"), [("ok", "status"), ("warning", "status"), ("error", "alert"), ("?", "status")]
)
def test_notes_speak_up_as_loud_as_they_are(kind: str, role: str) -> None:
    assert f'role="{role}"' in shown("{% note kind %}Hello{% endnote %}", kind=kind)


def test_a_wrong_field_ties_its_sentence_to_the_control() -> None:
    page = shown("{% field form.name %}", form=Form({}))
    assert 'aria-describedby="id_name_hint id_name_wrong"' in page
    assert 'aria-invalid="true"' in page
    assert 'id="id_name_wrong"' in page
    assert 'id="id_name_hint"' in page


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", 'dir="auto"'),
        ("address", 'dir="ltr"'),
        ("address", "(optional)"),
        ("password", 'data-reveal="id_password"'),
        ("proof", 'role="radiogroup"'),
        ("proof", "Explained"),
        ("tick", 'class="checkbox"'),
        ("file", "data-drop"),
        ("next", '<input type="hidden"'),
    ],
)
def test_each_field_has_its_form(name: str, expected: str) -> None:
    assert expected in shown("{% field field hints=hints %}", field=Form()[name], hints={"b": "Explained"})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% tally 3 'in' 'x' url='#created' %}", 'data-filter="created" aria-pressed="false"'),
        ("{% tally 3 'in' 'x' url='?k=1' pressed=True %}", 'aria-current="true"'),
        ("{% chip 'x' 1200 url='?k=1' %}", 'href="?k=1"'),
        ("{% chip 'x' 0 url='?k=1' %}", "chip zero"),
        ("{% tally 0 'in' 'x' url='#created' %}", "tally zero"),
        ("{% steps 2 'a' 'b' %}", 'aria-current="step"'),
        ("{% seats 'x' 7 7 %}", "full"),
        ("{% seats 'x' 1 None %}", "no limit"),
        ("{% icon 'users' %}", ".svg#users"),
        ("{% when None %}", "–"),
    ],
)
def test_parts_show_their_state(source: str, expected: str) -> None:
    assert expected in shown(source)


def test_a_count_of_zero_cannot_be_pressed() -> None:
    page = shown("{% tally 0 'in' 'x' url='#created' %}{% chip 'x' 0 url='?' %}")
    assert "<button" not in page
    assert "<a " not in page


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_of_the_kit_is_shown(rf: RequestFactory, room: str) -> None:
    response = kit_page(rf.get("/_kit/", {"room": room}))
    assert response.status_code == 200
    assert response.content.decode().count("<h1") == 1


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500", "503", "refusal"])
def test_error_pages_need_nothing_but_themselves(name: str) -> None:
    with structlog.contextvars.bound_contextvars(request_id="0193-ab"):
        page = render_to_string(f"{name}.html")
    assert page.count("<h1") == 1
    assert 'class="next key"' in page
    assert '<span class="code">0193-ab</span>' in page
