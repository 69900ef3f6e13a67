"""What an organisation says about itself: changed by its admins, told once, and never at a stranger's cost."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from world import PASSWORD, House, World, signed_in, somebody

from usher.core.accent import content_color, contrast, readable
from usher.core.errors import UsherError
from usher.events.models import Event
from usher.events.types import OPERATOR, EventType
from usher.lifecycle.telling import tell
from usher.organizations import logo as logos
from usher.organizations.create import create
from usher.organizations.models import Logo, OldSlug, Organization
from usher.organizations.settings import change, settings_of

PAGE = "/o/cedar/settings"
NOW = {
    "name": "Cedar School", "slug": "cedar", "accent": "#0d5160", "time_zone": "UTC", "language": "en",
    "invitation_days": "14",
}  # fmt: skip


@pytest.fixture
def ada(world: World) -> Client:
    return signed_in(world.ada)


def now(world: World) -> Organization:
    return Organization.objects.get(id=world.cedar.id)


def changed(world: World) -> list[Event]:
    return world.cedar.events(EventType.ORGANIZATION_CHANGED)


def rename(house: House, slug: str) -> Organization:
    organization = Organization.objects.get(id=house.id)
    return change(organization, replace(settings_of(organization), slug=slug), OPERATOR)


# The form


def test_all_of_it_is_changed_at_once_and_told_once(world: World, ada: Client) -> None:
    wanted = {"name": "  Cedar   Hill ", "slug": "Cedar-Hill", "accent": "#F4B52A", "time_zone": "Europe/Helsinki"}
    answer = ada.post(PAGE, NOW | wanted)
    assert (answer.status_code, answer["Location"]) == (302, "/o/cedar-hill/settings")
    here = now(world)
    assert (here.name, here.slug, here.accent) == ("Cedar Hill", "cedar-hill", "#f4b52a")
    assert (here.time_zone, here.made_under) == ("Europe/Helsinki", "cedar")
    (event,) = changed(world)
    assert event.actor_id == world.ada.account_id
    assert event.data["changed"] == ["name", "slug", "accent", "time_zone"]
    assert "Cedar Hill" not in str(event.data), "a name may be a person's: it can be erased"
    (told,) = tell(here, [event])
    assert told.sentence.startswith("name Cedar Hill, short name cedar-hill, colour #f4b52a, time zone Europe/Helsinki")


def test_what_was_erased_is_an_ellipsis(world: World, ada: Client) -> None:
    ada.post(PAGE, NOW | {"name": "Ada's Own School"})
    Event.objects.filter(type=EventType.ORGANIZATION_CHANGED).update(personal=None)
    (told,) = tell(now(world), changed(world))
    assert told.sentence.startswith("name …, by ")


def test_nothing_different_is_no_event(world: World, ada: Client) -> None:
    assert ada.post(PAGE, NOW).status_code == 302
    assert changed(world) == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"slug": "ce"}, ""),
        ({"slug": "C"}, "is not allowed."),
        ({"slug": "admin"}, "is not allowed."),
        ({"slug": "two--hyphens"}, "is not allowed."),
        ({"slug": "birch"}, "is or was in use."),
        ({"name": "x" * 121}, "121 characters"),
        ({"name": "Cedar\u202eSchool"}, "hidden characters"),
        ({"name": " "}, "This field is required."),
        ({"accent": "red"}, "is not a colour."),
        ({"accent": "#12345"}, "is not a colour."),
        ({"time_zone": "Mars/Olympus"}, "There is no time zone"),
        ({"language": "tlh"}, "Usher has no language"),
    ],
)
def test_one_clear_sentence_and_what_was_typed_stays(
    world: World, ada: Client, typed: dict[str, str], sentence: str
) -> None:
    page = ada.post(PAGE, NOW | typed | {"name": typed.get("name", "New Name")})
    if not sentence:
        assert page.status_code == 302
        return
    assert page.status_code == 400
    assert sentence in page.content.decode()
    assert "New Name" in page.content.decode() or "name" in typed
    assert (now(world).name, now(world).slug, changed(world)) == ("Cedar School", "cedar", [])


def test_all_that_is_wrong_is_said_together(ada: Client) -> None:
    page = ada.post(PAGE, NOW | {"slug": "C", "accent": "red"}).content.decode()
    assert "is not allowed." in page
    assert "is not a colour." in page


def test_only_admins_see_it(world: World) -> None:
    for person, status in ((world.tom, 403), (world.pia, 403), (world.bob, 404), (world.eve, 404)):
        assert signed_in(person).get(PAGE).status_code == status
        assert signed_in(person).post(PAGE, NOW | {"name": "Mine"}).status_code == status
    assert "Settings" in signed_in(world.ada).get("/o/cedar/").content.decode()
    assert "/settings" not in signed_in(world.tom).get("/o/cedar/").content.decode()


def test_the_time_zone_is_the_one_that_pages_show(world: World, ada: Client) -> None:
    def hour() -> str:
        page = ada.get(f"/o/cedar/users/{world.pia.membership_id}").content.decode()
        return page.partition('<time class="num" datetime="')[2][19:25]

    assert hour() == "+00:00"
    ada.post(PAGE, NOW | {"time_zone": "Asia/Kathmandu"})
    assert hour() == "+05:45"


def test_zones_stand_by_place_within_their_region(ada: Client) -> None:
    page = ada.get(PAGE).content.decode()
    assert page.index('label="Africa"') < page.index('label="Europe"') < page.index('label="Pacific"')
    assert "Buenos Aires, Argentina (UTC-03:00)" in page
    assert "US/Eastern" not in page
    assert page.index("Helsinki (") < page.index("Zurich (")


def test_an_old_zone_is_kept_and_offered(world: World, ada: Client) -> None:
    Organization.objects.filter(id=world.cedar.id).update(time_zone="US/Eastern")
    assert '<option value="US/Eastern" selected>' in ada.get(PAGE).content.decode()
    assert ada.post(PAGE, NOW | {"time_zone": "US/Eastern", "name": "Cedar"}).status_code == 302


# The colour


@pytest.mark.parametrize(("wanted", "is_darker"), [("#0d5160", False), ("#7f7f7f", True), ("#ffffff", False)])
def test_the_colour_is_shown_as_it_will_be(ada: Client, wanted: str, is_darker: bool) -> None:
    page = ada.get(f"{PAGE}/accent", {"accent": wanted}).content.decode()
    shown = readable(wanted)
    assert contrast(content_color(shown), shown) >= 4.5
    assert ("darker than" in page) == is_darker == (shown != wanted)
    assert f"accent.css?color=%23{wanted[1:]}" in page
    assert f"--org:{shown}" in ada.get(f"{PAGE}/accent.css", {"color": wanted}).content.decode()


@pytest.mark.parametrize("nonsense", ["", "red", "#12345", "}</style><script>", "url(//evil.example)"])
def test_no_other_text_gets_into_the_stylesheet(ada: Client, nonsense: str) -> None:
    assert ada.get(f"{PAGE}/accent.css", {"color": nonsense}).content == b""
    assert "evil" not in ada.get(f"{PAGE}/accent", {"accent": nonsense}).content.decode()


# Another short name


def test_old_addresses_lead_to_the_new_ones(world: World, ada: Client) -> None:
    rename(world.cedar, "cedar-hill")
    for path in ("", "users?role=student&q=pia%20p", f"users/{world.pia.membership_id}", "settings"):
        answer = ada.get(f"/o/cedar/{path}")
        assert (answer.status_code, answer["Location"]) == (302, f"/o/cedar-hill/{path}")
        assert ada.get(answer["Location"]).status_code == 200
    posted = ada.post("/o/cedar/groups", {"name": "Choir"})
    assert (posted.status_code, posted["Location"]) == (307, "/o/cedar-hill/groups"), "what was typed is not lost"


def test_the_old_door_leads_to_the_new_one_for_everybody(world: World) -> None:
    rename(world.cedar, "cedar-hill")
    answer = Client().get("/o/cedar/sign-in?next=/o/cedar/users")
    assert (answer.status_code, answer["Location"]) == (302, "/o/cedar-hill/sign-in?next=/o/cedar/users")
    assert "Cedar School" in Client().get(answer["Location"]).content.decode()
    assert Client().get("/o/cedar/accent.css").content == Client().get("/o/cedar-hill/accent.css").content


def test_strangers_learn_nothing_from_an_old_name(world: World) -> None:
    rename(world.cedar, "cedar-hill")
    for person in (world.bob, world.eve, world.olga):
        browser = signed_in(person)
        assert browser.get("/o/cedar/users").status_code == browser.get("/o/nobody/users").status_code == 404


def test_cards_printed_before_go_on_working(world: World) -> None:
    """The address and the name on the card are the old ones; the part before the @ is enough, as before."""
    child = world.cedar.account(world.cedar.add(somebody("Åsa Öberg")))
    assert child.sign_in_key == "asa.oberg@cedar.usher.invalid"
    rename(world.cedar, "cedar-hill")
    for door in ("/o/cedar/sign-in", "/o/cedar-hill/sign-in"):
        for name in ("asa.oberg", "asa.oberg@cedar.usher.invalid"):
            browser = Client()
            answer = browser.post(door, {"name": name, "password": PASSWORD})
            assert answer.status_code == 302, (door, name)
            assert browser.session["_auth_user_id"] == str(child.id)


def test_names_made_after_stand_under_the_first_short_name(world: World) -> None:
    world.cedar.add(somebody("Åsa Öberg"))
    rename(world.cedar, "cedar-hill")
    rename(world.cedar, "cedar-mountain")
    made = world.cedar.account(world.cedar.add(somebody("Åsa Öberg the Second")))
    assert made.sign_in_key == "asa.oberg.the.second@cedar.usher.invalid"
    assert now(world).names_under == "cedar"


def test_nobody_else_gets_an_old_name(world: World) -> None:
    rename(world.cedar, "cedar-hill")
    with pytest.raises(UsherError, match="is or was in use"):
        create("cedar", "Another", "school", actor=OPERATOR)
    with pytest.raises(UsherError, match="is or was in use"):
        rename(world.birch, "cedar")
    assert Organization.objects.get(id=world.birch.id).slug == "birch"
    assert list(OldSlug.objects.values_list("slug", flat=True)) == ["cedar"]


def test_a_name_can_be_taken_back(world: World, ada: Client) -> None:
    rename(world.cedar, "cedar-hill")
    rename(world.cedar, "cedar")
    assert ada.get("/o/cedar/users").status_code == 200
    assert ada.get("/o/cedar-hill/users")["Location"] == "/o/cedar/users"
    rename(world.cedar, "cedar-hill")
    assert ada.get("/o/cedar/users")["Location"] == "/o/cedar-hill/users"


def test_the_page_says_which_names_lead_here(world: World, ada: Client) -> None:
    rename(world.cedar, "cedar-hill")
    page = ada.get("/o/cedar-hill/settings").content.decode()
    assert "Earlier short names" in page
    assert '<span class="code">cedar</span>' in page


# The logo


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 2, *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    picture = zlib.compress(b"".join(b"\0" + bytes(min(width, 9)) for _ in range(min(height, 9))))
    return b"".join((logos.PNG, chunk(b"IHDR", header), *more, chunk(b"IDAT", picture), chunk(b"IEND", b"")))


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(width: int = 2, height: int = 2, *more: bytes) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    tables = (segment(0xE0, b"JFIF\0" + bytes(9)), segment(0xDB, bytes(65)))
    return b"".join((b"\xff\xd8", *tables, *more, segment(0xC0, frame), segment(0xC4, bytes(20)), scan, b"\xff\xd9"))


def put(client: Client, content: bytes, name: str = "logo.png") -> object:
    return client.post(f"{PAGE}/logo", {"file": SimpleUploadedFile(name, content)})


@pytest.mark.parametrize(("content", "kind"), [(png(), "image/png"), (jpeg(), "image/jpeg")])
def test_a_logo_hangs_at_the_door_and_in_the_house(world: World, ada: Client, content: bytes, kind: str) -> None:
    put(ada, content, "whatever.txt")
    address = now(world).logo_url
    assert address.startswith("/o/cedar/logo/")
    for page in (ada.get("/o/cedar/users"), Client().get("/o/cedar/sign-in")):
        assert f'<img src="{address}" alt="">' in page.content.decode()
    answer = Client().get(address)
    assert (answer.content, answer["Content-Type"]) == (content, kind)
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    assert [event.data["logo"] for event in changed(world)] == ["new"]


def test_another_logo_has_another_address_and_the_old_one_is_gone(world: World, ada: Client) -> None:
    put(ada, png())
    first = now(world).logo_url
    put(ada, png(3, 3))
    assert now(world).logo_url != first
    assert Client().get(first).status_code == 404
    assert Client().get(first.replace("cedar", "birch")).status_code == 404
    assert Logo.objects.count() == 1


def test_a_removed_logo_leaves_the_letter(world: World, ada: Client) -> None:
    put(ada, png())
    ada.post(f"{PAGE}/logo/remove")
    assert now(world).logo_url == ""
    assert '<span class="logo" aria-hidden="true">C</span>' in ada.get("/o/cedar/users").content.decode()
    assert ada.post(f"{PAGE}/logo/remove").status_code == 302
    assert len(changed(world)) == 2


def test_the_logo_moves_with_the_short_name(world: World, ada: Client) -> None:
    put(ada, png())
    old = now(world).logo_url
    rename(world.cedar, "cedar-hill")
    assert Client().get(now(world).logo_url).content == Client().get(old).content == png()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
REFUSED: dict[str, tuple[bytes, str]] = {
    "an SVG": (SVG, "neither a PNG nor a JPEG"),
    "a page": (HTML, "neither a PNG nor a JPEG"),
    "a GIF": (b"GIF89a" + bytes(20), "neither a PNG nor a JPEG"),
    "a WebP": (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "neither a PNG nor a JPEG"),
    "a PDF": (b"%PDF-1.7", "neither a PNG nor a JPEG"),
    "nothing": (b"", "neither a PNG nor a JPEG"),
    "a script behind a space": (b" " + png(), "neither a PNG nor a JPEG"),
    "the beginning of a PNG": (logos.PNG, "damaged"),
    "half a PNG": (png()[:-5], "damaged"),
    "a PNG with a wrong sum": (png()[:-1] + b"\0", "damaged"),
    "a PNG without a picture": (logos.PNG + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""), "damaged"),
    "a PNG without a header": (logos.PNG + chunk(b"IDAT", b"x") + chunk(b"IEND", b""), "damaged"),
    "a PNG with two headers": (png(2, 2, chunk(b"IHDR", bytes(13))), "damaged"),
    "a PNG of no size": (png(0, 2), "damaged"),
    "a wide PNG": (png(2001, 2), "2001 × 2 pixels"),
    "a high JPEG": (jpeg(2, 2001), "2 × 2001 pixels"),
    "half a JPEG": (jpeg()[:-2], "damaged"),
    "the beginning of a JPEG": (b"\xff\xd8\xff", "damaged"),
    "a JPEG of two frames": (jpeg(2, 2, segment(0xC0, struct.pack(">BHHB", 8, 2, 2, 1) + b"\1\1\0")), "damaged"),
    "a JPEG with an unknown part": (jpeg(2, 2, segment(0xF7, b"x")), "damaged"),
    "a JPEG that ends within a part": (b"\xff\xd8\xff\xe0\xff\xff", "damaged"),
    "a large PNG": (png(2, 2, chunk(b"tEXt", bytes(200_000))), "201 kB; 200 kB is the most"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_picture_is_refused_in_a_sentence(world: World, ada: Client, case: str) -> None:
    content, sentence = REFUSED[case]
    page = put(ada, content)
    assert page.status_code == 400  # type: ignore[attr-defined]
    assert sentence in page.content.decode()  # type: ignore[attr-defined]
    assert not Logo.objects.exists()
    assert changed(world) == []


POLYGLOTS: dict[str, Callable[[], bytes]] = {
    "text in a PNG": lambda: png(2, 2, chunk(b"tEXt", b"Comment\0" + HTML), chunk(b"eXIf", b"home: 60.17, 24.94")),
    "behind a PNG": lambda: png() + HTML,
    "an animated PNG": lambda: png(2, 2, chunk(b"acTL", bytes(8))),
    "text in a JPEG": lambda: jpeg(2, 2, segment(0xFE, HTML), segment(0xE1, b"Exif\0\0home: 60.17, 24.94")),
    "another picture in a JPEG": lambda: jpeg(2, 2, segment(0xE2, b"MPF\0" + HTML)),
    "behind a JPEG": lambda: jpeg() + b"PK\x03\x04" + HTML,
}


@pytest.mark.parametrize("case", POLYGLOTS)
def test_nothing_but_the_picture_is_kept(world: World, ada: Client, case: str) -> None:
    put(ada, POLYGLOTS[case]())
    kept = Client().get(now(world).logo_url).content
    assert kept in (png(), jpeg())


def test_a_profile_of_colours_is_kept(world: World, ada: Client) -> None:
    colored = jpeg(2, 2, segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(20)))
    put(ada, colored)
    assert Client().get(now(world).logo_url).content == colored


def test_the_form_wants_a_file(ada: Client) -> None:
    page = ada.post(f"{PAGE}/logo")
    assert page.status_code == 400
    assert "Choose a file first." in page.content.decode()
