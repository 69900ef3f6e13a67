"""The addresses by which staff invite people and look after their invitations, below an organisation."""

from __future__ import annotations

from django.urls import URLPattern, path

from usher.methods.email_invitation import desk_views, views

_DESK = "o/<slug:slug>/invitations"
_ONE = f"{_DESK}/<uuid:invitation_id>"

staff: list[URLPattern] = [
    path("o/<slug:slug>/users/invite", views.invite, name="invite"),
    path(_DESK, desk_views.desk, name="desk"),
    path(f"{_DESK}.csv", desk_views.export, name="desk_export"),
    path(f"{_DESK}/bulk", desk_views.bulk, name="desk_bulk"),
    path(_ONE, desk_views.invitation, name="invitation"),
    path(f"{_ONE}/resend", desk_views.resend, name="resend"),
    path(f"{_ONE}/revoke", desk_views.revoke, name="revoke"),
    path(f"{_ONE}/role", desk_views.role, name="role"),
    path(f"{_ONE}/link", desk_views.link, name="link"),
]
