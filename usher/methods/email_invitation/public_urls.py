"""The addresses of those who are invited; outside every organisation, since the link says which."""

from __future__ import annotations

from django.urls import URLPattern, path

from usher.methods.email_invitation import accept_views, refusal_views

public: list[URLPattern] = [
    path("invitation/<str:token>", accept_views.invitation, name="invitation_page"),
    path("not-for-me/<str:token>", refusal_views.not_for_me, name="not_for_me"),
]
