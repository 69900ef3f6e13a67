"""The addresses by which people come in; outside every organisation, since the code says which."""

from __future__ import annotations

from django.urls import path

from usher.methods.invite_code import join_views

public = [
    path("join", join_views.type_code, name="type_code"),
    path("join/<str:code>", join_views.join, name="join"),
]
