"""usher invite: from addresses and files to mails and links, with a word about everybody."""

from __future__ import annotations

from pathlib import Path

from command import Usher
from django.conf import settings
from mailing import mails
from world import World

from usher.methods.email_invitation import accept
from usher.methods.email_invitation.found import find
from usher.methods.email_invitation.models import Invitation

INVITE = ("invite", "--org", "cedar")


def test_addresses_in_any_shape_get_a_mail(world: World, usher: Usher) -> None:
    ran = usher(*INVITE, "--role", "teacher", "Ann Ames <ann@x.example>; bo@x.example", "cy@x.example")
    assert ran.code == 0, ran.err
    assert "3 are invited." in ran.err
    rows = Invitation.objects.order_by("id")
    assert [(one.email, one.username, one.role) for one in rows] == [
        ("ann@x.example", "Ann Ames", "teacher"),
        ("bo@x.example", "", "teacher"),
        ("cy@x.example", "", "teacher"),
    ]
    assert sorted(mail.to[0] for mail in mails()) == ["ann@x.example", "bo@x.example", "cy@x.example"]


def test_a_file_names_roles_and_groups(world: World, usher: Usher, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "email,name,role,groups\nann@x.example,Ann,teacher,Year 5\nbo@x.example,Bo,,\nnot-an-address,Cy,,\n"
    )
    ran = usher(*INVITE, str(file))
    assert ran.code == 1, "one was refused"
    assert "2 are invited." in ran.err
    assert "Line 4: not-an-address: The address “not-an-address” is not complete." in ran.err
    ann = Invitation.objects.get(email="ann@x.example")
    assert (ann.role, [group.name for group in ann.groups.all()]) == ("teacher", ["Year 5"])


def test_json_has_the_links_to_hand_over(world: World, usher: Usher) -> None:
    ran = usher(*INVITE, "--json", "ann@x.example", "pia@cedar.example")
    ann, pia = ran.document["people"]
    assert ran.document["counts"] == {"new": 1, "member": 1}
    assert (ann["result"], ann["link"].startswith(f"{settings.USHER_BASE_URL}/invitation/")) == ("new", True)
    assert (pia["result"], pia["reason"], pia["link"]) == ("member", "already_member", None)
    found = find(ann["link"].rpartition("/")[2])
    assert accept.visitor(found, None) is accept.Visitor.PROVE, "what staff saw proves nothing"
    assert ann["link"] not in mails()[0].body, "the mail has another one"


def test_links_without_mail_may_let_in_unproved(world: World, usher: Usher) -> None:
    ran = usher(*INVITE, "--no-mail", "--unproved", "ann@x.example")
    address, link = ran.out.splitlines()[1].split("\t")
    assert address == "ann@x.example"
    assert accept.visitor(find(link.rpartition("/")[2]), None) is accept.Visitor.UNPROVED
    assert mails() == []


def test_a_dry_run_sends_nothing(world: World, usher: Usher) -> None:
    ran = usher(*INVITE, "--dry-run", "ann@x.example")
    assert (ran.code, "1 would be invited." in ran.err) == (0, True)
    assert not Invitation.objects.exists()


def test_what_is_wrong_with_all_of_it_stops_before_anything_is_sent(world: World, usher: Usher) -> None:
    for wrong, said in (
        (("--role", "chief", "ann@x.example"), "There is no role “chief”"),
        (("--group", "Nowhere", "ann@x.example"), "Nowhere"),
        (("nobody.csv",), "There is no file nobody.csv, and an address has an @."),
        (("--unproved", "ann@x.example"), "--unproved is about links to hand over"),
    ):
        ran = usher(*INVITE, *wrong)
        assert (ran.code, said in ran.err) == (2, True), ran.err
    assert not Invitation.objects.exists()
