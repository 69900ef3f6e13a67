"""The routes of those who run an organisation."""

from __future__ import annotations

from django.urls import path

from usher.console import asks, domains, events, groups, imports, pages, person, settings, sign_in_rules, users

app_name = "console"
urlpatterns = [
    path("home", pages.home, name="home"),
    path("o/<slug:slug>/", pages.organization, name="organization"),
    path("o/<slug:slug>/users", users.users, name="users"),
    path("o/<slug:slug>/users/add", users.add, name="add"),
    path("o/<slug:slug>/users/export", users.export, name="export"),
    path("o/<slug:slug>/users/bulk", users.bulk, name="bulk"),
    path("o/<slug:slug>/imports", imports.imports, name="imports"),
    path("o/<slug:slug>/imports/<uuid:run_id>", imports.past_run, name="past_run"),
    path("o/<slug:slug>/imports/<uuid:run_id>/undo", imports.undo_run, name="undo"),
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
    path("o/<slug:slug>/groups/<uuid:group_id>/notify", groups.notify, name="group_notify"),
    path("o/<slug:slug>/asks", asks.asks, name="asks"),
    path("o/<slug:slug>/asks/decide", asks.decide, name="decide"),
    path("o/<slug:slug>/licence", pages.license, name="licence"),
    path("o/<slug:slug>/events", events.events, name="events"),
    path("o/<slug:slug>/events/export", events.export, name="events_export"),
    path("o/<slug:slug>/settings", settings.settings, name="settings"),
    path("o/<slug:slug>/settings/accent", settings.accent, name="settings_accent"),
    path("o/<slug:slug>/settings/accent.css", settings.accent_css, name="settings_accent_css"),
    path("o/<slug:slug>/settings/logo", settings.change_logo, name="settings_logo"),
    path("o/<slug:slug>/settings/logo/remove", settings.remove_logo, name="settings_logo_remove"),
    path("o/<slug:slug>/settings/sign-in/", sign_in_rules.sign_in_rules, name="sign_in_rules"),
    path("o/<slug:slug>/settings/domains", domains.domains, name="domains"),
    path("o/<slug:slug>/settings/domains/add", domains.add, name="domain_add"),
    path("o/<slug:slug>/settings/domains/<uuid:domain_id>/look", domains.look, name="domain_look"),
    path("o/<slug:slug>/settings/domains/<uuid:domain_id>/remove", domains.remove, name="domain_remove"),
    path("o/<slug:slug>/logo/<str:digest>", settings.logo, name="logo"),
    path("o/<slug:slug>/why", pages.why_not, name="why"),
]
