"""The addresses of the courses of an LMS and their rosters, below an organisation."""

from __future__ import annotations

from django.urls import path

from usher.methods.lti import roster_views

_ALL = "o/<slug:slug>/settings/integrations/lti/<uuid:platform_id>/courses"
_ONE = f"{_ALL}/<uuid:course_id>"

rosters = [
    path(_ALL, roster_views.courses, name="courses"),
    path(_ONE, roster_views.course, name="course"),
    path(f"{_ONE}/preview", roster_views.preview, name="roster_preview"),
    path(f"{_ONE}/pull", roster_views.pull_now, name="roster_apply"),
    path(f"{_ONE}/removals/<uuid:run_id>", roster_views.decide, name="roster_decide"),
]
