"""The addresses of the grades of an activity, below an organisation."""

from __future__ import annotations

from django.urls import path

from usher.methods.lti import grade_views

_ALL = "o/<slug:slug>/activities/<uuid:activity_id>/grades"

grades = [
    path(_ALL, grade_views.grades, name="grades"),
    path(f"{_ALL}/again", grade_views.again, name="grades_again"),
    path(f"{_ALL}/file", grade_views.file, name="grades_file"),
]
