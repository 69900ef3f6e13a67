"""Roles of LTI: what counts is what somebody is in this course, and in doubt that is a learner."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usher.protocols.lti13.roles import TEST_USER, Standing, read

LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
IN_COURSE = f"{LIS}membership#"
INSTRUCTOR = f"{IN_COURSE}Instructor"
TA = f"{LIS}membership/Instructor#TeachingAssistant"
NAMES = ["Administrator", "Creator", "Faculty", "Instructor", "Learner", "SysAdmin", "Staff", "Student", "Support"]
ELSEWHERE = [f"{LIS}{where}person#{name}" for where in ("institution/", "system/", "") for name in NAMES]


@pytest.mark.parametrize(
    ("roles", "standing"),
    [
        ([], Standing.LEARNER),
        ([""], Standing.LEARNER),
        ([INSTRUCTOR], Standing.INSTRUCTOR),
        ([f"{IN_COURSE}Learner"], Standing.LEARNER),
        ([f"{IN_COURSE}Learner", INSTRUCTOR], Standing.INSTRUCTOR),
        ([f"{IN_COURSE}ContentDeveloper"], Standing.INSTRUCTOR),
        ([f"{IN_COURSE}Administrator"], Standing.INSTRUCTOR),
        ([f"{LIS}membership/Instructor#PrimaryInstructor"], Standing.INSTRUCTOR),
        (["Instructor"], Standing.INSTRUCTOR),
        (["Learner"], Standing.LEARNER),
        (["TeachingAssistant"], Standing.ASSISTANT),
        ([TA], Standing.ASSISTANT),
        ([INSTRUCTOR, TA], Standing.ASSISTANT),
        (["Instructor", "TeachingAssistant"], Standing.ASSISTANT),
        ([INSTRUCTOR, f"{IN_COURSE}TeachingAssistant"], Standing.ASSISTANT),
        ([f"{IN_COURSE}Mentor"], Standing.LEARNER),
        (["Mentor"], Standing.LEARNER),
        ([f"{LIS}membership/Learner#Instructor"], Standing.LEARNER),
        ([f"{LIS}membership/Learner#TeachingAssistant"], Standing.LEARNER),
        ([f"{LIS}membership/Instructor#Wizard"], Standing.LEARNER),
        ([f"{LIS}unknown/unknown#Helper"], Standing.LEARNER),
        ([f"{LIS}institution/person#Instructor", f"{IN_COURSE}Learner"], Standing.LEARNER),
        ([f"https://evil.example/{INSTRUCTOR}"], Standing.LEARNER),
        ([f"{INSTRUCTOR}\n"], Standing.LEARNER),
        (["instructor"], Standing.LEARNER),
    ],
)
def test_standing(roles: list[str], standing: Standing) -> None:
    assert read(roles).standing is standing


@given(st.lists(st.sampled_from([*ELSEWHERE, TEST_USER, ""]) | st.text(max_size=30).map("urn:x:".__add__)))
@settings(max_examples=100)
def test_no_role_elsewhere_makes_more_than_a_learner(roles: list[str]) -> None:
    assert read(roles).standing is Standing.LEARNER


@given(st.lists(st.sampled_from([*ELSEWHERE, INSTRUCTOR, TA, "Learner", "x"])))
@settings(max_examples=100)
def test_every_role_is_known_or_not(roles: list[str]) -> None:
    reading = read(roles)
    assert sorted(reading.known + reading.unknown) == sorted(roles)
    assert set(reading.unknown) <= {"x"}


def test_the_student_view_of_canvas() -> None:
    reading = read([f"{IN_COURSE}Learner", TEST_USER])
    assert reading.is_test_user
    assert reading.unknown == ()
    assert not read([f"{IN_COURSE}Learner"]).is_test_user
