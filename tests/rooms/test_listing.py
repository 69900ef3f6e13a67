"""The Users list: search by beginnings, paging without loss or repetition, and plans that never scan."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from world import World, somebody

from usher.lifecycle.joiner import Terms
from usher.organizations.plans import Method
from usher.people import listing
from usher.people.listing import Cursor, Filter, Page
from usher.people.models import Group, Membership
from usher.people.names import query_words, search_words

NAMES = ("Åsa Öberg", "Noah Adeyemi", "Ольга Петрова", "Siobhán Ní Bhriain", "李小龙", "محمد الأحمد", "Zoë van Dijk")


def crowd(world: World, count: int) -> None:
    """People of every kind: two roles, two groups, two ways in, seen or not, some deactivated."""
    joiners = [
        somebody(
            f"{NAMES[n % len(NAMES)]} {n}",
            "student" if n % 6 else "teacher",
            email=f"p{n}@cedar.example" if n % 2 else "",
            groups=(("Oak", "Elm")[n % 2],) if n % 5 else (),
            method=Method.CSV_IMPORT if n % 3 else Method.BULK_ACCOUNTS,
            line=n + 2,
        )
        for n in range(count)
    ]
    world.cedar.seats("student", 1000)
    world.cedar.seats("teacher", 1000)
    world.cedar.add_many(joiners, terms=Terms(make_groups=True))
    for n, member in enumerate(Membership.objects.filter(organization=world.cedar.id).order_by("id")):
        Membership.objects.filter(id=member.id).update(
            last_seen_at=timezone.now() if n % 4 else None, state="inactive" if n % 9 == 8 else "active"
        )


def found(world: World, query: str) -> list[str]:
    page = listing.page(world.cedar.id, Filter(query=query))
    return [listed.member.account.username for listed in page.people]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("öb", ["Åsa Öberg"]),
        ("ob", ["Åsa Öberg"]),
        ("OBERG asa", ["Åsa Öberg"]),
        ("as ob", ["Åsa Öberg"]),
        ("berg", []),
        ("李", ["李小龙"]),
        ("зоя", []),
        ("пе", ["Ольга Петрова"]),
        ("ada@cedar.ex", ["Ada Ash"]),
        ("ada@birch", []),
        ("bhr", ["Siobhán Ní Bhriain"]),
        ("ní bhriain siobhán", ["Siobhán Ní Bhriain"]),
        ("ada noah", []),
        ("  ", ["everybody"]),
        ("!?", []),
        ("%", []),
    ],
)
def test_search_finds_the_beginning_of_any_word(world: World, query: str, names: list[str]) -> None:
    world.cedar.add_many([somebody(name, line=n) for n, name in enumerate(NAMES)])
    if names == ["everybody"]:
        assert len(found(world, query)) == len(NAMES) + 3
    else:
        assert found(world, query) == names


def test_search_stays_in_its_house(world: World) -> None:
    assert found(world, "bob") == []


FILTERS: list[Callable[[World], Filter]] = [
    lambda _w: Filter(),
    lambda _w: Filter(role="teacher"),
    lambda _w: Filter(never=True),
    lambda _w: Filter(state="inactive"),
    lambda _w: Filter(state="active", method="csv_import"),
    lambda _w: Filter(state="waiting"),
    lambda w: Filter(group=group(w, "Oak")),
    lambda w: Filter(group=group(w, "Elm"), role="student", never=True),
    lambda _w: Filter(query="p"),
    lambda _w: Filter(query="ob as"),
    lambda w: Filter(query="p", group=group(w, "Elm"), role="student", method="csv_import", state="active"),
    lambda _w: Filter(role="student", method="bulk_accounts"),
    lambda _w: Filter(role="teacher", never=True, state="inactive"),
]


def group(world: World, name: str) -> uuid.UUID:
    return Group.objects.get(organization=world.cedar.id, name=name).id


def expected(world: World, chosen: Filter) -> list[uuid.UUID]:
    """The same list made the slow way."""
    members = Membership.objects.select_related("account").filter(organization=world.cedar.id)
    kept = [
        member
        for member in members
        if chosen.role in ("", member.role)
        and chosen.method in ("", member.method)
        and chosen.state in ("", member.state)
        and not (chosen.never and member.last_seen_at)
        and (not chosen.group or member.group_links.filter(group=chosen.group).exists())
        and all(
            any(word.startswith(part) for word in search_words(member.account.username, member.account.sign_in))
            for part in query_words(chosen.query)
        )
    ]
    return [member.id for member in sorted(kept, key=lambda member: (member.sort_name, member.id))]


def walked(world: World, chosen: Filter, size: int) -> list[Page]:
    """Every page from the first to the last, each cursor passed through its text as an address would."""
    pages = [listing.page(world.cedar.id, chosen, size=size)]
    while pages[-1].next:
        pages.append(listing.page(world.cedar.id, chosen, Cursor.read(str(pages[-1].next)), size=size))
    return pages


def ids(pages: list[Page]) -> list[uuid.UUID]:
    return [listed.member.id for page in pages for listed in page.people]


@pytest.mark.parametrize("narrow", [False, True])
def test_paging_loses_and_repeats_nobody(world: World, monkeypatch: pytest.MonkeyPatch, narrow: bool) -> None:
    """Also where the walk is cut short after few people, as it is in a house of a million."""
    crowd(world, 60)
    if narrow:
        for name, value in {"FEW": 2, "REACH": 12, "PIECE": 4}.items():
            monkeypatch.setattr(listing, name, value)
    for choose, size in itertools.product(FILTERS, (3, 50)):
        chosen = choose(world)
        wanted = expected(world, chosen)
        pages = walked(world, chosen, size)
        assert ids(pages) == wanted, chosen
        assert all(page.total in (None, len(wanted)) for page in pages), chosen
        back = [pages[-1]]
        while back[0].back:
            back.insert(0, listing.page(world.cedar.id, chosen, Cursor.read(str(back[0].back)), size=size))
        assert ids(back) == wanted, chosen
        assert back[0].first == 1


def test_the_filters_of_the_paging_test_find_somebody(world: World) -> None:
    """Else the test above would prove little."""
    crowd(world, 60)
    sizes = [len(expected(world, choose(world))) for choose in FILTERS]
    assert sum(size > 3 for size in sizes) >= 9


def test_everybody_is_the_whole_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world, 60)
    monkeypatch.setattr(listing, "PIECE", 7)
    for choose in FILTERS:
        chosen = choose(world)
        assert [one.member.id for one in listing.everybody(world.cedar.id, chosen)] == expected(world, chosen)


def test_a_person_who_leaves_between_two_pages_shifts_nobody(world: World) -> None:
    crowd(world, 30)
    first = listing.page(world.cedar.id, Filter(), size=5)
    wanted = expected(world, Filter())
    Membership.objects.filter(id=wanted[0]).delete()
    second = listing.page(world.cedar.id, Filter(), first.next, size=5)
    assert ids([second]) == wanted[5:10]


@pytest.mark.parametrize("text", ["", "nonsense", "bm9uc2Vuc2U", "W10", "WzEsMiwzLDRd", "é"])
def test_a_cursor_that_is_none_is_the_first_page(text: str) -> None:
    assert Cursor.read(text) is None


@given(st.text(max_size=60), st.uuids(), st.integers(0, 10**9), st.booleans())
def test_a_cursor_survives_its_address(name: str, key: uuid.UUID, number: int, back: bool) -> None:
    cursor = Cursor(name.encode("utf-8", "ignore").decode(), key, number, back)
    assert Cursor.read(str(cursor)) == cursor


TABLES = ("people_membership", "people_searchword", "people_groupmembership", "people_account")


def plan_of(sql: str) -> str:
    verb = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{verb} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_no_query_of_a_page_scans_a_table_or_sorts_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(world, 60)
    if connection.vendor == "postgresql":  # with 60 rows a scan is right; forbid it, and see whether an index can do it
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    middle = Cursor("m", uuid.UUID(int=0), 30)
    monkeypatch.setattr(listing, "FEW", 2)  # so that searches walk along the names
    for choose, cursor_, back in itertools.product(FILTERS, (None, middle), (False, True)):
        place = Cursor(cursor_.sort_name, cursor_.id, 30, back) if cursor_ else None
        with CaptureQueriesContext(connection) as queries:
            listing.page(world.cedar.id, choose(world), place, size=5)
        for query in queries.captured_queries:
            plan = plan_of(query["sql"])
            for table in TABLES:
                assert f"SCAN {table}" not in plan, (query["sql"], plan)
                assert f"Seq Scan on {table}" not in plan, (query["sql"], plan)
            if "sort_name" in query["sql"] and "LIMIT" in query["sql"]:
                assert "TEMP B-TREE" not in plan, (query["sql"], plan)


def test_the_number_of_queries_does_not_grow_with_the_house(world: World) -> None:
    def counts() -> list[int]:
        numbers = []
        for choose in FILTERS:
            with CaptureQueriesContext(connection) as queries:
                listing.page(world.cedar.id, choose(world), size=10)
            numbers.append(len(queries))
        return numbers

    crowd(world, 120)
    before = counts()
    crowd_more(world)
    assert [after <= number + 2 for number, after in zip(before, counts(), strict=True)] == [True] * len(FILTERS)


def crowd_more(world: World) -> None:
    extra = [
        somebody(f"{NAMES[n % len(NAMES)]} {n}", email=f"more{n}@cedar.example", groups=("Oak",), line=n)
        for n in range(300)
    ]
    world.cedar.add_many(extra)


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (Filter(), "members_by_name"),
        (Filter(role="teacher"), "members_by_role"),
        (Filter(never=True), "members_never_seen"),
        (Filter(state="inactive"), "members_not_active"),
    ],
)
def test_each_stream_is_read_from_its_own_index(world: World, chosen: Filter, index: str) -> None:
    if connection.vendor == "postgresql":  # it chooses by what is in the table, and here there is next to nothing
        with connection.cursor() as cursor:
            for way in ("seqscan", "sort", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        index = "members_"
    with CaptureQueriesContext(connection) as queries:
        listing.page(world.cedar.id, chosen, Cursor("a", uuid.UUID(int=0)))
    assert index in plan_of(queries.captured_queries[0]["sql"])
