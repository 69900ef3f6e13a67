"""The addresses by which admins connect LMSs, below an organisation; and the two that an LMS itself opens for that."""

from __future__ import annotations

from django.urls import path

from usher.methods.lti import deployment_views, keys, registration_views, views

_ALL = "o/<slug:slug>/settings/integrations/lti"
_ONE = f"{_ALL}/<uuid:platform_id>"
_DEPLOYMENT = f"{_ONE}/deployments/<uuid:deployment_id>"

staff = [
    path("lti/jwks", keys.jwks_page, name="jwks"),
    path("lti/register/<str:token>", registration_views.register, name="register"),
    path(f"{_ALL}/new", views.new, name="new"),
    path(f"{_ALL}/new/<str:family>", views.new_family, name="new_family"),
    path(f"{_ALL}/new/<str:family>/link", views.new_link, name="new_link"),
    path(f"{_ALL}/new/<str:family>/hand", views.new_by_hand, name="new_by_hand"),
    path(f"{_ONE}/", views.platform, name="platform"),
    path(f"{_ONE}/launches", views.launches, name="launches"),
    path(f"{_ONE}/fields", views.fields, name="fields"),
    path(f"{_ONE}/options", views.options, name="options"),
    path(f"{_ONE}/approve", views.approve, name="approve"),
    path(f"{_ONE}/switch", views.switch, name="switch"),
    path(f"{_ONE}/test", views.test, name="test"),
    path(f"{_ONE}/doctor", views.examine, name="doctor"),
    path(f"{_ONE}/remove", views.remove, name="remove"),
    path(f"{_ONE}/deployments", deployment_views.add, name="deployments"),
    path(f"{_DEPLOYMENT}/approve", deployment_views.approve, name="deployment_approve"),
    path(f"{_DEPLOYMENT}/remove", deployment_views.remove, name="deployment_remove"),
]
