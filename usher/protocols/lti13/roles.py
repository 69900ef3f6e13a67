"""What somebody is in a course: LTI Core 1.3, appendix A.2 (roles), and NRPS 2.0, section 2.2 (short names).

Only roles in the course count. Somebody who runs the whole university may be a student in this course, and the
platform says both at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

TEST_USER: Final = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
# ``membership#Instructor``, or ``membership/Instructor#Grader`` with a role inside a role.
MEMBERSHIP: Final = re.compile(r"http://purl\.imsglobal\.org/vocab/lis/v2/membership(?:/([A-Za-z]+))?#([A-Za-z-]+)")
# Roles at the institution or in the system. Moodle's rosters have the second, without a place.
ELSEWHERE: Final = re.compile(
    r"http://purl\.imsglobal\.org/vocab/(?:lis/v2|lti)/(?:(?:institution|system)/)?person#[A-Za-z]+"
)
PRINCIPAL: Final = frozenset(
    {"Administrator", "ContentDeveloper", "Instructor", "Learner", "Manager", "Member", "Mentor", "Officer"}
)
ASSISTANTS: Final = frozenset(
    {
        "Grader", "TeachingAssistant", "TeachingAssistantGroup", "TeachingAssistantOffering",
        "TeachingAssistantSection", "TeachingAssistantSectionAssociation", "TeachingAssistantTemplate",
    }
)  # fmt: skip
INSTRUCTORS: Final = frozenset(
    {"ExternalInstructor", "GuestInstructor", "Instructor", "Lecturer", "PrimaryInstructor", "SecondaryInstructor"}
)


class Standing(StrEnum):
    """From most to least."""

    INSTRUCTOR = "instructor"
    ASSISTANT = "assistant"
    LEARNER = "learner"


@dataclass(frozen=True, slots=True)
class Reading:
    """``known`` and ``unknown`` are the roles as they came, without empty ones."""

    standing: Standing
    is_test_user: bool
    known: tuple[str, ...]
    unknown: tuple[str, ...]


def read(roles: Sequence[str]) -> Reading:
    """What the roles make of somebody. None, or none that says anything, makes a learner: the least of all."""
    named = [role for role in roles if role.strip()]
    known = tuple(role for role in named if _is_known(role))
    unknown = tuple(role for role in named if not _is_known(role))
    return Reading(_standing([_standing_of(role) for role in named]), TEST_USER in named, known, unknown)


def _standing(each: list[Standing | None]) -> Standing:
    """Teaching assistants are called instructors too, by Canvas for one: the smaller role tells more."""
    if Standing.ASSISTANT in each:
        return Standing.ASSISTANT
    return Standing.INSTRUCTOR if Standing.INSTRUCTOR in each else Standing.LEARNER


def _standing_of(role: str) -> Standing | None:
    """None for what is no role in a course that we know."""
    principal, name = _in_course(role)
    if name in ASSISTANTS and principal in ("", "Instructor"):
        return Standing.ASSISTANT
    if principal == "Instructor":  # as the name of a role inside "Learner" it would mean a learner
        return Standing.INSTRUCTOR if name in INSTRUCTORS else None
    if principal in ("", name) and name in ("Instructor", "ContentDeveloper", "Administrator"):
        return Standing.INSTRUCTOR
    return Standing.LEARNER if name in PRINCIPAL or principal in PRINCIPAL else None


def _in_course(role: str) -> tuple[str, str]:
    """The role around it, if any, and the name of a role in the course; two empty ones for other roles."""
    found = MEMBERSHIP.fullmatch(role)
    if found:
        return found[1] or "", found[2]
    return ("", role) if role in PRINCIPAL or role in ASSISTANTS else ("", "")


def _is_known(role: str) -> bool:
    return _standing_of(role) is not None or ELSEWHERE.fullmatch(role) is not None
