"""The routes of those who run an organisation."""

from __future__ import annotations

from django.urls import path

from usher.console import groups, pages, person, users

app_name = "console"
urlpatterns = [
    path("home", pages.home, name="home"),
    path("o/<slug:slug>/", pages.organization, name="organization"),
    path("o/<slug:slug>/users", users.users, name="users"),
    path("o/<slug:slug>/users/add", users.add, name="add"),
    path("o/<slug:slug>/users/export", users.export, name="export"),
    path("o/<slug:slug>/users/bulk", users.bulk, name="bulk"),
    path("o/<slug:slug>/users/<uuid:member_id>", person.person, name="person"),
    path("o/<slug:slug>/users/<uuid:member_id>/role", person.role, name="role"),
    path("o/<slug:slug>/users/<uuid:member_id>/groups", person.groups, name="person_groups"),
    path("o/<slug:slug>/users/<uuid:member_id>/correct", person.correct, name="correct"),
    path("o/<slug:slug>/users/<uuid:member_id>/password", person.password, name="new_password"),
    path("o/<slug:slug>/users/<uuid:member_id>/deactivate", person.deactivate, name="deactivate"),
    path("o/<slug:slug>/users/<uuid:member_id>/reactivate", person.reactivate, name="reactivate"),
    path("o/<slug:slug>/groups", groups.groups, name="groups"),
    path("o/<slug:slug>/groups/<uuid:group_id>", groups.group, name="group"),
    path("o/<slug:slug>/groups/<uuid:group_id>/change", groups.change, name="change_group"),
    path("o/<slug:slug>/groups/<uuid:group_id>/state", groups.state, name="group_state"),
    path("o/<slug:slug>/groups/<uuid:group_id>/people", groups.people, name="group_people"),
    path("o/<slug:slug>/groups/<uuid:group_id>/passwords", groups.passwords, name="group_passwords"),
    path("o/<slug:slug>/licence", pages.license, name="licence"),
    path("o/<slug:slug>/events", pages.events, name="events"),
    path("o/<slug:slug>/why", pages.why_not, name="why"),
]
