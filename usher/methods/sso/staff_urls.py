"""The addresses by which admins set single sign-on up, below an organisation."""

from __future__ import annotations

from django.urls import path

from usher.methods.sso import rule_views, views

_ALL = "o/<slug:slug>/settings/integrations"
_ONE = f"{_ALL}/<uuid:connection_id>"

staff = [
    path(f"{_ALL}/", views.integrations, name="integrations"),
    path(f"{_ALL}/new/<str:kind>", views.new, name="new"),
    path(f"{_ALL}/new/<str:kind>/shared", views.new_shared, name="new_shared"),
    path(f"{_ONE}/", views.connection, name="connection"),
    path(f"{_ONE}/consent", views.consent, name="consent"),
    path(f"{_ONE}/prove", views.prove, name="prove"),
    path(f"{_ONE}/test", views.test, name="test"),
    path(f"{_ONE}/switch", views.switch, name="switch"),
    path(f"{_ONE}/doctor", views.examine, name="doctor"),
    path(f"{_ONE}/change", views.change, name="change"),
    path(f"{_ONE}/remove", views.remove, name="remove"),
    path(f"{_ONE}/rules", rule_views.rules, name="rules"),
    path(f"{_ONE}/simulator", rule_views.simulator, name="simulator"),
]
