"""What letters say: nothing in them that a stranger put there, in neither part, and names that stay readable."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as sent
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy

import usher
from usher.core import clock as clocks
from usher.core import letters
from usher.core import mail as outbox
from usher.core.defang import tamed
from usher.core.letters import Letter, letter
from usher.core.models import Mail
from usher.core.work import drain

TO = "zoe@mail.example"
LINK = re.compile(r"""(?:https?://|www\.)[^\s"'<>]+""")


@letter("hostile_greeting")
def greet(mail: Mail) -> Letter:
    return Letter(f"Hello {mail.data.get('name', '')}", "base", mail.data)


def post(**data: Any) -> Mail:
    outbox.post("hostile_greeting", TO, outbox.Envelope(data=data))
    return Mail.objects.get()


# What strangers typed

HOSTILE = (
    "Zoë\r\nBcc: all@evil.example",
    "Win at http://evil.example/now",
    "www.evil.example",
    "evil.example",
    "evil\u3002example",
    "https:evil",
    "mailto:a@evil.example",
    "\\\\evil\\share",
    "<a href='http://evil.example'>Cedar</a>",
    "{{ base_url }} {% now 'Y' %}",
    "\u202eelpmaxe.live",
    "&amp; & <b>",
    "x" * 500,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_brings_nothing_of_its_own(db: None, name: str) -> None:
    post(name=name, organization=name)
    drain()
    (mail,) = sent.outbox
    assert mail.recipients() == [TO]
    assert not mail.cc
    assert not mail.bcc
    raw = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert set(raw.keys()) == set(message_from_bytes(plain().message().as_bytes(), policy=policy.default).keys())
    html = html_of(mail)
    for text in (str(mail.body), html, str(mail.subject)):
        assert all(found.startswith("http://127.0.0.1:8000") for found in LINK.findall(text)), text
        assert not re.search(r"(evil|live)[.\u3002](\w|\u202e)", text)
        assert "\u202e" not in text
        assert "x" * letters.LONGEST_SUBJECT not in text
    assert "<a href='" not in html
    assert "&amp;" not in str(mail.body).replace(name, "")
    assert len(mail.subject) <= letters.LONGEST_SUBJECT


def html_of(mail: sent.EmailMessage) -> str:
    assert isinstance(mail, sent.EmailMultiAlternatives)
    return str(mail.alternatives[0][0])


def plain() -> Any:
    return letters.message(Mail(kind="hostile_greeting", to=TO), Letter("Hello", "base"))


def test_the_text_part_is_no_html(db: None) -> None:
    post(name="Ann & Bob's <class>", organization="Ann & Bob's <class>")
    drain()
    assert sent.outbox[0].subject == "Hello Ann & Bob's <class>"
    assert "Ann &amp; Bob&#x27;s &lt;class&gt;" in html_of(sent.outbox[0])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("J.R.R. Tolkien", "J. R. R. Tolkien"),
        ("St Mary's, Class 5.2", "St Mary's, Class 5.2"),
        ("  two\n lines\t", "two lines"),
        ("می‌خواهم", "می‌خواهم"),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_ordinary_names_stay_readable(text: str, shown: str) -> None:
    assert tamed(text) == shown


def test_links_and_addresses_stay_whole_and_things_are_refused() -> None:
    given = {"link": "https://usher.example/reset/a.b", "address": TO, "names": ["a.b"], "count": 3}
    given |= {"said": gettext_lazy("Go to https://usher.example"), "more": {"old_address": TO}}
    kept = letters.safe(given)
    assert kept == given | {"names": ["a. b"]}
    with pytest.raises(TypeError):
        letters.safe({"organization": object()})


def test_a_letter_reads_well_as_plain_text() -> None:
    text = letters._text(render_to_string("mail/base.txt", {"base_url": "https://usher.example"}))
    assert "\n\n\n" not in text
    assert text.startswith("--\n")
    assert json.dumps(text).isascii()


# Every letter there is

LETTERS = sorted(file.stem for file in (Path(usher.__file__).parent / "templates/mail").glob("[a-z]*.txt"))
COUNTS = {"count", "left", "marked", "more", "asking", "used", "limit", "level", "minutes", "hours"}


class Hostile(dict[str, Any]):
    """A context in which everything is what a stranger typed, as far as a letter lets it through."""

    def __contains__(self, key: object) -> bool:
        return key not in ("True", "False", "None")

    def __getitem__(self, key: str) -> Any:
        if key.endswith(letters.AS_THEY_ARE) or key == "base_url":
            return f"https://usher.example/{key}"
        if key == "at" or key in COUNTS:
            return clocks.now() if key == "at" else 2
        return tamed("<b onclick='x'>Zoë & co</b> http://evil.example")


def hostile() -> Context:
    context = Context()
    context.dicts.append(Hostile())
    return context


@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_has_two_parts_that_bring_nothing_of_a_stranger(name: str) -> None:
    text, html = (
        Engine.get_default().get_template(f"mail/{name}.{kind}").render(hostile()) for kind in ("txt", "html")
    )
    assert "Sent by Usher" in text
    assert "Sent by Usher" in html
    assert "<b onclick" not in html
    assert not re.search("&(lt|amp|#x27|quot);", text), "a letter's text part is no HTML"
    for part in (text, html):
        assert all(found.startswith("https://usher.example") for found in LINK.findall(part))
