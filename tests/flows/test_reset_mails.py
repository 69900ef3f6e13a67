"""The mail of a reset, written when it is sent: the same link at every try, none too late, and no token at rest."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from mailing import link_in, mails, one_mail
from world import World

from usher.core.models import Mail
from usher.core.work import BACK_OFF, drain
from usher.people import links, recovery
from usher.people.models import OneTimeLink

OWN = "four words in a row"
EVE = "eve@elsewhere.example"
TABLES = re.compile(r'(?:FROM|INTO|UPDATE) "?\w+"?')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


def ask(address: str, at: str = "/forgot", client: Client | None = None) -> HttpResponse:
    answer = (client or Client()).post(at, {"email": address})
    assert isinstance(answer, HttpResponse)
    return answer


def chosen(password: str = OWN) -> dict[str, str]:
    return {"password": password, "again": password}


def reset_path(address: str, at: str = "/forgot") -> str:
    ask(address, at)
    return link_in(one_mail(), "/reset/")


# When the mail is written


def test_a_second_try_brings_the_same_link(
    world: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.eve  # noqa: B018
    ask(EVE)
    real, sent = mail.EmailMultiAlternatives.send, []

    def fail_once(message: mail.EmailMultiAlternatives, **_: Any) -> int:
        sent.append(link_in(message, "/reset/"))
        if len(sent) == 1:
            raise OSError("the line broke after the mail was taken")
        return real(message)

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", fail_once)
    drain()
    clock.shift(timedelta(seconds=BACK_OFF[0]))
    drain()
    assert sent[0] == sent[1]
    assert OneTimeLink.objects.count() == 1


def test_a_copy_that_comes_after_the_link_was_used_is_not_sent(
    world: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.eve  # noqa: B018
    ask(EVE)
    sent = []

    def break_down(message: mail.EmailMultiAlternatives, **_: Any) -> int:
        sent.append(link_in(message, "/reset/"))
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMultiAlternatives, "send", break_down)
        drain()
    Client().post(sent[0], chosen())
    clock.shift(timedelta(seconds=BACK_OFF[0]))
    assert [message.subject for message in mails()] == ["Your password was changed"]
    assert not Mail.objects.exists()


def test_a_mail_that_waited_for_days_is_not_sent_any_more(world: World, clock: time_machine.Traveller) -> None:
    """Without a mail server they wait: when there is one, nobody is flooded with what is long forgotten."""
    world.eve  # noqa: B018
    ask(EVE)
    clock.shift(recovery.STALE + timedelta(seconds=1))
    assert mails() == []
    assert not Mail.objects.exists()
    assert not OneTimeLink.objects.exists()


def test_another_pepper_makes_another_link_of_the_same_row(world: World, settings: Any) -> None:
    """The mail that is written again after the change works; the hash follows it."""
    world.eve  # noqa: B018
    path = reset_path(EVE)
    link = OneTimeLink.objects.get()
    settings.USHER_PEPPER = ["a-new-pepper-" + "x" * 32, *settings.USHER_PEPPER]
    assert links.rewrite(link)
    assert links.address_of(link).rpartition("/")[2] != path.rpartition("/")[2]
    assert Client().get(f"/reset/{links.address_of(link).rpartition('/')[2]}").status_code == 200


def test_no_token_rests_in_the_database(world: World) -> None:
    token = reset_path(world.eve.account.email).rpartition("/")[2]
    ask(EVE)
    drain()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            assert token not in str(cursor.fetchall()), table
