"""The mail of an invitation: what it says, and that nothing in it is a link but ours, whatever names and notes hold."""

from __future__ import annotations

import email.policy
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from inviting import ZOE, entry, invite, order
from mailing import mails, one_mail
from world import World

from usher.core.models import Mail
from usher.methods.email_invitation import links
from usher.methods.email_invitation.models import Invitation
from usher.methods.email_invitation.send import send
from usher.organizations.models import Organization
from usher.people.models import Account, Group


class Links(HTMLParser):
    """Every address that an HTML part names, in whatever attribute, and what it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.tags: set[str] = set()
        self.said: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"href", "src", "action", "background", "srcset", "formaction", "poster", "data"}:
                self.found.add(value or "")
            assert not name.startswith("on")

    def handle_data(self, data: str) -> None:
        self.said.append(data)


# As Gmail and Outlook find them: with a scheme, or a bare host with a dot and a known end.
LINK = re.compile(
    r"""(?:https?://|www\.)[^\s"'<>]+|\b(?:[\w-]+\.)+(?:com|org|net|example|xn--\w+|рф)\b[^\s"'<>]*""", re.IGNORECASE
)
TAGS = {"html", "head", "meta", "title", "style", "body", "div", "p", "h1", "bdi", "b", "a", "br", "blockquote"}


def parts(message: Any) -> tuple[str, str, EmailMessage]:
    """The two parts as a mail program reads them, and the whole."""
    whole = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert isinstance(whole, EmailMessage)
    text, html = (whole.get_body((kind,)) for kind in ("plain", "html"))
    assert text
    assert html
    return text.get_content(), html.get_content(), whole


def words(text: str) -> str:
    return " ".join(text.split())


def test_it_says_who_invites_whom_to_what_until_when(world: World, clock: object) -> None:
    zoe = entry(ZOE, 1, username="Zoë Zimt", role="student")
    invitation = invite(
        world.cedar, world.ada, entries=[zoe], groups=("Year 5",), note="See you on Monday.\nBring pens."
    )
    text, html, whole = parts(one_mail())
    assert (whole["Subject"], whole["To"]) == ("Cedar School invites you", ZOE)
    for said in (words(text), words("".join(Links(html).said))):
        assert "For Zoë Zimt" in said
        assert "Ada Ash invites you to Cedar School as Student." in said
        assert "Your groups: Year 5" in said
        assert "See you on Monday. Bring pens." in said
        assert f"until 16 March 2026, and for {ZOE} alone." in said
    assert "\n> See you on Monday. Bring pens.\n" in text
    assert "<blockquote" in html
    assert links.mailed_link(invitation) in text
    assert len(whole["List-Unsubscribe"]) > 40


def test_what_is_not_known_leaves_no_gap(world: World) -> None:
    invite(world.cedar, world.ada)
    Invitation.objects.update(actor_id=None)
    text, html, _ = parts(one_mail())
    assert text.startswith("You are invited to Cedar School as Student.\n\nSee the invitation:\n\nhttp")
    for gone in ("For ", "Your groups", "None", "\n> ", "<blockquote", "\n\n\n"):
        assert gone not in text + html.partition("</style>")[2]


EVIL = (
    "Win at https://evil.example/x now",
    "www.evil.example",
    "evil.example/login",
    '<a href="https://evil.example">Cedar</a>',
    "<img src=x onerror=alert(1)>",
    "Cedar\r\nBcc: all@evil.example\r\n\r\nhttps://evil.example",
    "\u202egro.live//:sptth\u202c",
    "Сеdаr Sсhооl раураl.com",  # Cyrillic letters that look like Latin ones
    "evil\u3002example https\uff1a//evil\uff0eexample",
    "[Cedar](https://evil.example)",
    "javascript:alert(1) data:text/html,x",
    "\\\\evil.example\\share",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "A" * 400 + " evil.com",
)


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("where", ["organization", "inviter", "group", "name", "note"])
def test_c12_nothing_that_somebody_wrote_becomes_a_link(world: World, where: str, text: str) -> None:
    """C12: the mail as it is sent, parsed, has our links and no others."""
    invitation = invite(world.cedar, world.ada, groups=("Year 5",))
    Invitation.objects.update(
        **{"name": {"username": text[:150]}, "note": {"note": text[:500]}}.get(where, {"note": "hi"})
    )
    if where == "organization":
        Organization.objects.filter(id=world.cedar.id).update(name=text[:60])
    if where == "inviter":
        Account.objects.filter(id=world.ada.account_id).update(username=text[:60])
    if where == "group":
        Group.objects.filter(id=world.year5.id).update(name=text[:60])
    plain, html, whole = parts(one_mail())
    read = Links(html)
    ours = {links.mailed_link(invitation), links.refusal_link(invitation)}
    base = settings.USHER_BASE_URL
    assert read.found == {*ours, base}
    assert read.tags <= TAGS
    known = {*ours, base, ZOE.partition("@")[2]}
    for part in (plain, "".join(read.said).partition("@media")[0] + html.partition("</style>")[2]):
        assert {found.rstrip(".,)") for found in LINK.findall(re.sub(r'(?:style|href)="[^"]*"', "", part))} <= known
    assert [name for name in whole if name.lower() in {"bcc", "cc", "reply-to", "sender"}] == []
    assert whole.get_all("To") == [ZOE]
    assert settings.SECRET_KEY not in plain + html
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", plain + html + whole["Subject"])


def test_c12_no_free_text_of_an_organization_that_nobody_knows(world: World) -> None:
    """C12: also where the mark went after it was written."""
    invite(world.cedar, world.ada, note="Call 555-1234 now")
    Organization.objects.filter(id=world.cedar.id).update(trusted_at=None)
    text, html, _ = parts(one_mail())
    assert "555" not in text + html


def test_c12_the_sender_is_always_ours(world: World) -> None:
    """C12."""
    Organization.objects.filter(id=world.cedar.id).update(name='Bank" <bank@evil.example>')
    invite(world.cedar, world.ada)
    message = one_mail()
    assert message.from_email == settings.DEFAULT_FROM_EMAIL
    assert "bank@evil.example" not in str(message.message()["From"])


def test_in_the_language_of_the_organization_and_written_when_it_is_sent(world: World) -> None:
    """A group that got another name, and an organisation too, are called by it."""
    invite(world.cedar, world.ada, groups=("Year 5",))
    Group.objects.filter(id=world.year5.id).update(name="Year 6")
    Organization.objects.filter(id=world.cedar.id).update(language="ar", name="Cedar High")
    text, html, whole = parts(one_mail())
    assert "Year 6" in text
    assert "Cedar High" in whole["Subject"]
    assert 'lang="ar"' in html
    assert 'dir="rtl"' in html


def test_c8_the_outbox_holds_no_link(world: World) -> None:
    """C8: the token is made when the mail is written."""
    invitation = invite(world.cedar, world.ada)
    row = repr(list(Mail.objects.values()))
    assert links.mailed_link(invitation).rpartition("/")[2] not in row
    assert len(mails()) == 1
    assert not Mail.objects.exists()


def test_many_are_mailed_each_his_own_link(world: World) -> None:
    send(order(world.cedar, world.ada.by, *(f"p{number}@mail.example" for number in range(5))))
    found = {message.to[0]: links_in(message) for message in mails()}
    assert len(found) == 5
    assert len(set.union(*found.values())) == 10


def links_in(message: Any) -> set[str]:
    return Links(parts(message)[1]).found - {settings.USHER_BASE_URL}
