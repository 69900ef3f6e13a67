"""Races of real processes: organisations that prove one domain at once, by DNS and by its admin (security.md B5)."""

from __future__ import annotations

from collections import Counter

import pytest
from crew import Crew, numbers
from nameserver import nameserver

QUICK, LONG = 5, 100
MANY = [pytest.param(QUICK, id="sample"), pytest.param(LONG, marks=pytest.mark.proof, id="whole")]


@pytest.mark.parametrize("times", MANY)
def test_of_organisations_that_prove_one_domain_at_once_one_has_it(crew: Crew, times: int) -> None:
    with nameserver() as dns:
        houses = [crew.found(seats={})["organization"] for _ in range(4)]
        for _ in range(times):
            name = f"cedar{next(numbers)}.example"
            added = [crew.do("add_domain", organization=house, name=name) for house in houses[:3]]
            dns.texts = {added[0]["host"]: [one["value"] for one in added]}
            acts = [
                ("prove_domain", {"organization": house, "domain": one["id"], "dns": dns.address})
                for house, one in zip(houses, added, strict=False)
            ]
            vouching = "vouch_for_domain", {"organization": houses[3], "name": name}
            answers = crew.at_once(*[[act] for act in [*acts, vouching]])
            told = Counter(word for answer in answers for word in answer)
            assert told["domain_taken"] == 3, told
            (winner,) = crew.do("owners_of_domain", name=name)
            assert answers[houses.index(winner)] in (["dns"], ["admin"])


@pytest.mark.parametrize("times", MANY)
def test_an_organisation_that_adds_a_domain_many_times_at_once_has_it_once(crew: Crew, times: int) -> None:
    house = crew.found(seats={})["organization"]
    for _ in range(times):
        acts = [("add_domain", {"organization": house, "name": f"cedar{next(numbers)}.example"})]
        answers = crew.at_once(*[acts for _ in range(4)])
        assert len({answer["value"] for answer in answers}) == 1
