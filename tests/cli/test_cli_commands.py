"""Every command by its contract: help with an example, exit codes, the documents of --json."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from command import Usher
from world import World

from usher.cli import main
from usher.events.models import Event
from usher.organizations.models import Organization
from usher.people.models import Account, Membership, OneTimeLink

CREATE = ("org", "create", "oak", "--name", "Oak School", "--plan", "school", "--admin", "Ivy@Oak.example")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name)


def link_in(text: str) -> str:
    """The token of the one set-up link that is all there is on stdout."""
    found = re.fullmatch(r"http\S+/set-up/([\w-]{20,})\n", text)
    assert found, text
    return found[1]


def test_all_commands_are_there() -> None:
    named = {" ".join(path) for path in commands(main)}
    asked = "demo serve worker migrate check import invite imports undo create-accounts members why roster grades"
    of_codes = {f"code {act}" for act in ("create", "list", "pause", "resume", "rotate")}
    of_domains = {f"domain {act}" for act in ("add", "list", "show", "check", "remove")}
    on_connection = "add list show change rules check attempts simulate vouch on off remove"
    of_domains |= {f"connection {act}" for act in on_connection.split()}
    of_domains |= {f"activity {act}" for act in ("add", "list", "import")}
    of_domains |= {f"api-key {act}" for act in ("add", "list", "revoke")}
    on_platform = "add register list show change approve on off remove check attempts keys"
    of_domains |= {f"platform {act}" for act in on_platform.split()}
    of_domains |= {f"platform deployment {act}" for act in ("add", "approve", "remove")}
    on_org = "create show list setup-link change passwords suspend resume delete keep"
    of_organizations = {"operator create", "operator reset-second-factor", *(f"org {act}" for act in on_org.split())}
    of_the_server = {
        "backup",
        "restore",
        *(f"jobs {act}" for act in ("resume", "retry", "drop")),
        *(f"registration {act}" for act in ("open", "closed", "show")),
    }
    assert named == {*asked.split(), *of_organizations, *of_codes, *of_domains, *of_the_server}


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_help_has_an_example_that_can_be_read_by_the_command(usher: Usher, path: tuple[str, ...]) -> None:
    told = usher(*path, "--help")
    assert told.code == 0
    example = re.search(r"^ +usher (.+)$", told.out, re.MULTILINE)
    assert example, told.out
    assert example[1].startswith(" ".join(path))
    options = set(re.findall(r"--[a-z-]+", example[1]))
    assert options <= set(re.findall(r"--[a-z-]+", told.out))


def test_org_create_seats_the_admin_and_prints_a_link(usher: Usher) -> None:
    made = usher(*CREATE, "--seats", "student=7", "--seats", "teacher=3")
    assert made.code == 0, made.err
    link = OneTimeLink.objects.get()
    assert link_in(made.out) not in link.token_hash
    admin = Membership.objects.get()
    assert (admin.role, admin.method, admin.account.email, admin.account.home) == (
        "admin", "operator", "Ivy@Oak.example", Organization.objects.get(slug="oak"),
    )  # fmt: skip
    assert usher("org", "show", "oak", "--json").document == {
        "slug": "oak",
        "plan": "school",
        "members": 1,
        "seats": {"student": {"limit": 7, "used": 0}, "teacher": {"limit": 3, "used": 1}},
        "starts_on": None,
        "ends_on": None,
        "state": "active",
        "delete_on": None,
        "trusted": False,
    }


def test_seats_left_out_are_the_plans_own(usher: Usher) -> None:
    usher(*CREATE)
    seats = usher("org", "show", "oak", "--json").document["seats"]
    assert {pool: one["limit"] for pool, one in seats.items()} == {"student": 500, "teacher": 40}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--plan", "gold"), "school, elearning, marketing"),
        (("--seats", "pupil=3"), "student, teacher"),
        (("--seats", "student"), "student=500"),
        (("--seats", "student=-1"), "student=500"),
        (("--seats", "student=many"), "student=500"),
        (("--seats", "teacher=0"), "All 0 teacher seats are taken."),
        (("--admin", "ivy@oak"), "not complete"),
        (("--admin", "ivy@x.usher.invalid"), "receive no mail"),
    ],
)
def test_org_create_refused_leaves_nothing(usher: Usher, words: tuple[str, ...], said: str) -> None:
    refused = usher(*CREATE, *words)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert not Organization.objects.exists()
    assert not Account.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("slug", ["Oak", "o", "-oak", "o--k", "api", "o" * 41, "ö-school"])
def test_slugs_that_are_refused(usher: Usher, slug: str) -> None:
    refused = usher("org", "create", "--plan", "school", "--admin", "a@b.example", "--", slug)
    assert refused.code == 2
    assert "is not allowed" in refused.err


def test_a_slug_is_used_once(usher: Usher) -> None:
    assert usher(*CREATE).code == 0
    again = usher(*CREATE)
    assert again.code == 2
    assert "oak" in again.err
    assert Organization.objects.count() == 1


def test_an_admin_with_an_account_of_his_own_gets_no_link(usher: Usher, world: World) -> None:
    made = usher(*CREATE[:-1], world.eve.account.email)
    assert (made.code, made.out) == (0, "")
    assert "signs in as before" in made.err
    assert Membership.objects.get(organization__slug="oak").account == world.eve.account
    assert not OneTimeLink.objects.exists()


def test_setup_link_is_renewed(usher: Usher) -> None:
    first = link_in(usher(*CREATE).out)
    second = usher("org", "setup-link", "oak")
    assert second.code == 0
    assert link_in(second.out) != first
    assert OneTimeLink.objects.filter(consumed_at=None).count() == 1


def test_setup_link_asks_which_of_several_admins(usher: Usher, world: World) -> None:
    world.cedar.settle("Ben Beech", "admin")
    unclear = usher("org", "setup-link", "cedar")
    assert unclear.code == 2
    assert "ada@cedar.example, ben@cedar.example" in unclear.err
    assert usher("org", "setup-link", "cedar", "--admin", "Ben@cedar.example").code == 0
    assert OneTimeLink.objects.get().account.email == "ben@cedar.example"
    assert usher("org", "setup-link", "cedar", "--admin", "tom@cedar.example").code == 2


def test_org_list(usher: Usher, world: World) -> None:
    listed = usher("org", "list", "--json").document
    assert [(one["slug"], one["plan"], one["members"]) for one in listed] == [
        ("birch", "elearning", 1), ("cedar", "school", 3), ("maple", "marketing", 1),
    ]  # fmt: skip
    assert "cedar\tschool\t3" in usher("org", "list").out


def test_operator_create_makes_a_claimed_operator(usher: Usher) -> None:
    made = usher("operator", "create", "Root@Usher.example")
    link_in(made.out)
    account = Account.objects.get()
    assert account.is_operator
    assert account.is_claimed
    assert not account.has_usable_password()
    assert account.sign_in_key == "root@usher.example"


def test_operator_create_again_gives_a_new_link_and_no_new_account(usher: Usher, world: World) -> None:
    address = world.eve.account.email
    before = Account.objects.count()
    first, second = usher("operator", "create", address), usher("operator", "create", address)
    assert link_in(first.out) != link_in(second.out)
    assert world.eve.account.is_operator
    assert Account.objects.count() == before
    assert Event.objects.filter(type="operator:created").count() == 1


def test_operator_create_refuses_what_is_no_address(usher: Usher) -> None:
    assert usher("operator", "create", "root").code == 2
    assert not Account.objects.exists()


def test_members(usher: Usher, world: World) -> None:
    told = usher("members", "--org", "cedar", "--json").document
    assert told[1] == {
        "sign_in": "tom@cedar.example",
        "username": "Tom Thorn",
        "email": "tom@cedar.example",
        "role": "teacher",
        "method": "operator",
        "groups": ["Year 5"],
        "state": "active",
        "claimed": False,
    }
    assert [one["username"] for one in told] == ["Ada Ash", "Tom Thorn", "Pia Pine"]
    assert "tom@cedar.example\tTom Thorn\tteacher\tYear 5\toperator\tactive" in usher("members", "--org", "cedar").out


def test_members_of_a_house_of_nobody_is_an_empty_list(usher: Usher, world: World) -> None:
    Membership.objects.filter(organization=world.birch.organization).delete()
    assert usher("members", "--org", "birch", "--json").document == []


def test_members_read_page_by_page(usher: Usher, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usher.people.roster.PAGE", 2)
    assert len(usher("members", "--org", "cedar", "--json").document) == 3


def test_why(usher: Usher, world: World) -> None:
    told = usher("why", "Pia@cedar.example", "--org", "cedar", "--json").document
    assert list(told) == ["in", "role", "method", "evidence", "events"]
    assert (told["in"], told["role"], told["method"], told["evidence"]) == (True, "student", "operator", "a test")
    assert "membership:created" in [event["type"] for event in told["events"]]
    assert "Pia Pine" in usher("why", "pia@cedar.example", "--org", "cedar").out


def test_why_of_somebody_unknown(usher: Usher, world: World) -> None:
    unknown = usher("why", "bob@birch.example", "--org", "cedar", "--json")
    assert (unknown.code, unknown.out) == (2, "")
    assert "is not a member here" in unknown.err


@pytest.mark.parametrize("words", ["org show nope", "org setup-link nope", "members --org nope", "why x --org nope"])
def test_an_unknown_organisation_is_one_sentence_and_a_next_step(usher: Usher, words: str) -> None:
    refused = usher(*words.split())
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines() == ["Error: There is no organisation “nope”. See the list with: usher org list."]
