"""The routes of the operator."""

from __future__ import annotations

from django.urls import path

from usher.operator import changes, pages, search, server

app_name = "operator"
urlpatterns = [
    path("", pages.organizations, name="organizations"),
    path("organizations/new", pages.new, name="new"),
    path("organizations/<uuid:organization_id>", pages.organization, name="organization"),
    path("organizations/<uuid:organization_id>/licence", changes.licence, name="licence"),
    path("organizations/<uuid:organization_id>/plan", changes.plan, name="plan"),
    path("organizations/<uuid:organization_id>/ways", changes.ways, name="ways"),
    path("organizations/<uuid:organization_id>/trusted", changes.trusted, name="trusted"),
    path("organizations/<uuid:organization_id>/admins/<uuid:member_id>/link", changes.link, name="link"),
    path("organizations/<uuid:organization_id>/suspend", changes.suspend, name="suspend"),
    path("organizations/<uuid:organization_id>/resume", changes.resume, name="resume"),
    path("organizations/<uuid:organization_id>/delete", changes.delete, name="delete"),
    path("organizations/<uuid:organization_id>/keep", changes.keep, name="keep"),
    path("search", search.search, name="search"),
    path("settings", server.settings, name="settings"),
    path("settings/registration", server.registration, name="registration"),
    path("settings/outbox", server.resume_outbox, name="resume_outbox"),
    path("settings/jobs", server.retry_jobs, name="retry_jobs"),
]
