"""The addresses of LTI: what an LMS calls, pages in its frame, and where admins connect one."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from usher.methods.lti import frame_views, launch_views
from usher.methods.lti.account_urls import account
from usher.methods.lti.grade_urls import grades
from usher.methods.lti.roster_urls import rosters
from usher.methods.lti.staff_urls import staff

app_name = "lti"
urlpatterns: list[URLPattern | URLResolver] = [
    path("lti/<uuid:platform_id>/login", launch_views.login, name="login"),
    path("lti/<uuid:platform_id>/launch", launch_views.launch, name="launch"),
    path("lti/at/<str:token>", frame_views.at, name="at"),
    path("lti/question/<str:token>", frame_views.question, name="question"),
    *account,
    *rosters,
    *staff,
    *grades,
]
