"""People of a list who have an account of their own: one button, one link and one command invite them instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from command import run as usher
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from world import World, signed_in

from usher.lifecycle.joiner import Joiner, NewAccount
from usher.methods.csv_import import instead, preview
from usher.methods.csv_import.models import Import
from usher.methods.csv_import.options import Options
from usher.methods.email_invitation.entries import from_text
from usher.organizations.models import License
from usher.organizations.plans import Method

PAGE = "/o/cedar/users/add/csv"
INVITE = "email_invitation:invite"
LIST = "email,name\nzoe@cedar.example,Zoë\neve@elsewhere.example,Eve Elm\nolga@usher.example,\nbad@,Bad\n"


@pytest.fixture
def ada(world: World) -> Client:
    """Ada, in a world where Eve and Olga have accounts of their own."""
    assert world.eve
    assert world.olga
    return signed_in(world.ada)


def send(client: Client, step: str, content: str = LIST, **fields: str) -> Any:
    return client.post(
        f"{PAGE}/{step}", {"file": SimpleUploadedFile("year5.csv", content.encode()), "role": "student", **fields}
    )


def form_of(page: Any) -> dict[str, str]:
    """The fields of the form that invites, and its action; empty when there is none."""
    forms = re.findall(r"<form[^>]*>.*?</form>", page.content.decode(), re.DOTALL)
    form = next((form for form in forms if 'name="fill"' in form), "")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    texts = dict(re.findall(r'<textarea name="(\w+)" hidden>(.*?)</textarea>', form, re.DOTALL))
    action = re.search(r'action="([^"]*)"', form)
    given = {name: unescape(value) for name, value in (fields | texts).items()}
    return {"action": action[1], "tag": form.partition(">")[0], **given} if action else {}


def without_invitations() -> None:
    ways = [method.value for method in Method if method is not Method.EMAIL_INVITATION]
    License.objects.filter(organization__slug="cedar").update(overrides={"methods": ways})


# While the file is checked


def test_one_button_takes_those_who_have_an_account_to_the_invitation(world: World, ada: Client) -> None:
    page = send(ada, "check", group="Year 5")
    text = page.content.decode()
    assert "2 people have accounts of their own." in text
    assert "Invite 2 people by e-mail instead" in text
    form = form_of(page)
    assert form["action"] == reverse(INVITE, args=["cedar"])
    assert form["text"] == "Eve Elm <eve@elsewhere.example>\nolga@usher.example"
    assert (form["role"], form["group"], form["fill"]) == ("student", "Year 5", "1")
    assert form["csrfmiddlewaretoken"]


def test_the_page_with_its_chosen_file_stays_open(ada: Client) -> None:
    tag = form_of(send(ada, "check"))["tag"]
    assert 'method="post"' in tag
    assert 'target="_blank"' in tag
    assert 'rel="noopener"' in tag


def test_the_invitation_is_filled_in_and_nothing_is_sent(world: World, ada: Client, mailoutbox: list[Any]) -> None:
    form = form_of(send(ada, "check", group="Year 5"))
    fields = {name: form[name] for name in ("text", "role", "group", "fill")}
    page = ada.post(form["action"], fields)
    assert page.status_code == 200
    assert "eve@elsewhere.example" in page.content.decode()
    assert "olga@usher.example" in page.content.decode()
    assert mailoutbox == []


def test_roles_and_groups_of_the_rows_are_kept(ada: Client) -> None:
    content = "email,name,role,groups\neve@elsewhere.example,Eve,teacher,Year 5\nolga@usher.example,,,\n"
    eve, olga = from_text(form_of(send(ada, "check", content))["text"])
    assert (eve.email, eve.username, eve.role, eve.groups) == ("eve@elsewhere.example", "Eve", "teacher", ("Year 5",))
    assert (olga.email, olga.username, olga.role, olga.groups) == ("olga@usher.example", "", "student", ())


NOBODY: list[tuple[str, Callable[[], None]]] = [
    ("email,name\nzoe@cedar.example,Zoë\nbad@,Bad\n", lambda: None),
    (LIST, without_invitations),
]


@pytest.mark.parametrize(("content", "change"), NOBODY)
def test_nobody_is_offered_what_cannot_be(world: World, ada: Client, content: str, change: Callable[[], None]) -> None:
    change()
    page = send(ada, "check", content)
    assert page.status_code == 200
    assert form_of(page) == {}
    assert "of their own." not in re.sub(r"<table.*?</table>", "", page.content.decode(), flags=re.DOTALL)


def test_what_is_more_than_the_button_takes_is_told(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MOST_INVITED", 1)
    page = send(ada, "check")
    assert "Invite 1 person by e-mail instead" in page.content.decode()
    assert "1 more is in userlist.csv after the import." in page.content.decode()
    assert form_of(page)["text"] == "Eve Elm <eve@elsewhere.example>"


PERSON = st.builds(
    lambda name, local, role, group: Joiner(
        Method.CSV_IMPORT, NewAccount(name, f"{local}@x.org", f"{local}@x.org"), role, (group,) if group else ()
    ),
    st.sampled_from(
        [
            "",
            "Ann",
            "Doe, Ann",
            "Email, Ann",
            'Ann "A" Doe',
            "Ann <b@y.org>",
            "Ann; Bob",
            "Ann (5b)",
            "李小龙",
            "Ann | Co",
        ]
    ),
    st.from_regex(r"\A[a-z]{1,8}\Z"),
    st.sampled_from(["student", "teacher"]),
    st.sampled_from(["", "Year 5"]),
)


@given(st.lists(PERSON, min_size=1, max_size=8))
def test_whatever_the_names_are_the_same_addresses_arrive(people: list[Joiner]) -> None:
    found = from_text(instead.as_text(people, Options("student")))
    assert [one.email for one in found] == [joiner.account.email for joiner in people]  # type: ignore[union-attr]
    assert [one.role or "student" for one in found] == [joiner.role for joiner in people]
    assert [one.groups for one in found] == [joiner.groups for joiner in people]
    assert all(not one.findings for one in found)


# When it is done


def test_the_page_after_the_import_says_where_the_list_goes(world: World, ada: Client) -> None:
    answer = send(ada, "import")
    assert b"".join(answer)
    address = f"{PAGE}/{Import.objects.get().id}"
    text = ada.get(address).content.decode()
    assert "2 people have accounts of their own." in text
    link = re.search(r'<a href="([^"]*)"[^>]*target="_blank"[^>]*>Invite them by e-mail</a>', text)
    assert link
    assert link[1] == reverse(INVITE, args=["cedar"])
    assert "upload userlist.csv there" in text
    without_invitations()
    assert "Invite them by e-mail" not in ada.get(address).content.decode()


def test_the_page_after_an_import_of_newcomers_says_nothing_of_it(ada: Client) -> None:
    assert b"".join(send(ada, "import", "email\nzoe@cedar.example\n"))
    assert "Invite them by e-mail" not in ada.get(f"{PAGE}/{Import.objects.get().id}").content.decode()


# On the command line


def test_the_command_names_the_next_one(world: World, tmp_path: Path) -> None:
    assert world.eve
    assert world.olga
    (tmp_path / "people.csv").write_text(LIST)
    command = ("import", tmp_path / "people.csv", "--org", "cedar", "--role", "student")
    tried = usher(*command, "--dry-run")
    assert "Invite them by e-mail: usher invite --org cedar userlist.csv" in tried.err
    ran = usher(*command, "--out", tmp_path / "user list.csv")
    assert "2 people have accounts of their own." in ran.err
    assert f"usher invite --org cedar '{tmp_path}/user list.csv'" in ran.err


@pytest.mark.parametrize(("content", "change"), NOBODY)
def test_the_command_is_silent_otherwise(
    world: World, tmp_path: Path, content: str, change: Callable[[], None]
) -> None:
    assert world.eve
    assert world.olga
    change()
    (tmp_path / "people.csv").write_text(content)
    ran = usher("import", tmp_path / "people.csv", "--org", "cedar", "--role", "student", "--dry-run")
    assert ran.code == 1
    assert "usher invite" not in ran.err
