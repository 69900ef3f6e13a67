"""Short names under several processes at once: each leads to one organisation, whatever is changed in that moment."""

from __future__ import annotations

from crew import Crew

ROUNDS = 8
SEATS = {"student": 5, "teacher": 5}


def test_one_of_several_gets_a_short_name(crew: Crew) -> None:
    for number in range(ROUNDS):
        wanted = f"wanted-{number}"
        ids = [crew.found(seats=SEATS) for _ in range(3)]
        acts = [[("rename", {"organization": one["organization"], "slug": wanted})] for one in ids]
        told = crew.at_once(*acts, [("found", {"slug": wanted, "seats": SEATS})])
        assert told.count(["slug_taken"]) == 3, told
        names = crew.do("slugs")
        assert len(names) == len(set(names))
    assert crew.do("check") == []


def test_a_name_that_is_being_given_up_is_nobodys(crew: Crew) -> None:
    """One changes its name while others reach for the old one; two change theirs crosswise."""
    for number in range(ROUNDS):
        one, other = (crew.found(seats=SEATS) for _ in range(2))
        fresh = f"fresh-{number}"
        told = crew.at_once(
            [("rename", {"organization": one["organization"], "slug": fresh})],
            [("rename", {"organization": other["organization"], "slug": one["slug"]})],
            [("found", {"slug": one["slug"], "seats": SEATS})],
            [("rename", {"organization": one["organization"], "slug": other["slug"]})],
        )
        assert told[1:] == [["slug_taken"]] * 3, told
        names = crew.do("slugs")
        assert len(names) == len(set(names))
        assert fresh in names
    assert crew.do("check") == []
