"""The addresses of single sign-on: going to a provider, coming back, and one's own providers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from usher.methods.sso import door_views
from usher.methods.sso.staff_urls import staff

app_name = "sso"
urlpatterns: list[URLPattern | URLResolver] = [
    path("sso/start", door_views.start, name="start"),
    path("sso/by-address", door_views.by_address, name="by_address"),
    path("sso/callback/<str:which>", door_views.callback, name="callback"),
    path("sso/question/<str:token>", door_views.question, name="question"),
    path("sso/again", door_views.again, name="again"),
    path("account/providers", door_views.providers, name="providers"),
    path("account/providers/link", door_views.link, name="link"),
    path("account/providers/unlink", door_views.unlink, name="unlink"),
    *staff,
]
