"""The roster of a course, asked for page by page: NRPS 2.0, section 2.4. The whole of it, or an error.

Whoever is missing in it may lose his place. So an error page, half a page, a page of another course, a next page that
cannot be followed, or pages that never end make the whole roster unusable (security.md H14).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from usher.core.errors import UsherError
from usher.core.fetch import Answer, FetchError
from usher.methods.lti import services
from usher.methods.lti.models import Course
from usher.methods.lti.roster_diff import Listed, merged
from usher.people.addresses import parse_address
from usher.people.names import LONGEST, clean_name
from usher.protocols.lti13 import nrps, roles
from usher.protocols.lti13.claims import SCOPE_NRPS
from usher.protocols.lti13.errors import ServiceError
from usher.protocols.lti13.services import LINK, RELATION, failure, next_page

MOST_PAGES: Final = 100
MOST_PEOPLE: Final = 100_000
A_PAGE: Final = 1_000  # people asked for at once; most LMSs give fewer
LARGEST: Final = 8_000_000  # bytes of one page

Beat = Callable[[], None]


class RosterError(Exception):
    """Nothing is known of the course now. ``code`` is one stable word, ``detail`` a sentence that names no person;
    ``retry``: the same may succeed later by itself."""

    def __init__(self, code: str, detail: str, *, retry: bool = False) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry = retry


def read(course: Course, beat: Beat) -> dict[str, Listed]:
    """Everybody in the course, by subject. Raises RosterError; NotNowError while the LMS wants to be left alone."""
    try:
        return _read(course, beat)
    except FetchError as error:
        raise RosterError(error.code, error.detail, retry=True) from None
    except ServiceError as error:
        raise RosterError(error.code, error.detail, retry=error.retry) from None


def _read(course: Course, beat: Beat) -> dict[str, Listed]:
    url: str | None = nrps.first_url(course.nrps_url, limit=A_PAGE)
    asked: set[str] = set()
    found: list[nrps.Member] = []
    subjects: set[str] = set()
    while url:
        _check_goes_on(url, asked, course)
        asked.add(url)
        page = _page(course, url)
        told = {member.subject for member in page.members}
        if page.next and told <= subjects:
            raise RosterError("roster_loop", "The pages of the roster repeat themselves and never end.")
        subjects |= told
        found += page.members
        if len(found) > MOST_PEOPLE:  # also where it names one person again and again
            raise RosterError("roster_too_long", f"The roster has more than {MOST_PEOPLE:,} people.")
        url = page.next
        beat()
    return merged(listed for listed in map(_listed, found) if listed)


def _check_goes_on(url: str, asked: set[str], course: Course) -> None:
    """Before a page is asked for, and our token shown."""
    if url in asked:
        raise RosterError("roster_loop", "The pages of the roster lead back to one of them and never end.")
    if len(asked) >= MOST_PAGES:
        raise RosterError("roster_too_long", f"The roster has more than {MOST_PAGES} pages.")
    if not services.is_beside(url, course.nrps_url):
        raise RosterError("foreign_page", "The next page of the roster lies with another server.")


def _page(course: Course, url: str) -> nrps.Page:
    platform = course.deployment.platform
    answer = services.call(platform, [SCOPE_NRPS], "GET", url, accept=nrps.ACCEPT, limit=LARGEST)
    if answer.status != 200:
        raise failure(answer.status, answer.headers, answer.body, "roster")
    page = nrps.read_page(answer.body, _next(answer))
    if page.context_id and page.context_id != course.context_id:
        raise RosterError("other_course", "The LMS sent the roster of another course.")
    return page


def _next(answer: Answer) -> str | None:
    """Raises RosterError for a next page that is named and cannot be asked for: the rest would count as gone."""
    link = next((value for name, value in answer.headers.items() if name.lower() == "link"), "")
    found = next_page(link)
    if found is None and _names_next(link):
        raise RosterError("bad_next_page", "The roster goes on at an address that cannot be read.")
    return found


def _names_next(link: str) -> bool:
    relations = (RELATION.search(parameters) for _address, parameters in LINK.findall(link))
    return any(relation and relation[1].lower() == "next" for relation in relations)


def _listed(member: nrps.Member) -> Listed | None:
    """None for the person that an LMS keeps for looking at a course as a student."""
    reading = roles.read(member.roles)
    if reading.is_test_user:
        return None
    address, key = _address(member.email)
    name = _name(member.name or f"{member.given_name} {member.family_name}")
    return Listed(member.subject, reading.standing.value, member.status == "Active", name, address, key)


def _name(given: str) -> str:
    """As a name of ours; what cannot be one is no name."""
    with suppress(UsherError):
        return clean_name(given.strip()[:LONGEST]) if given.strip() else ""
    return ""


def _address(given: str) -> tuple[str, str]:
    with suppress(UsherError):
        address = parse_address(given)
        return address.original, address.key
    return "", ""
