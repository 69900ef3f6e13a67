"""The map of the house: one include a room. /healthz and /readyz are answered by the middleware."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from usher.console.kit import kit
from usher.people.access import open_to_anyone

urlpatterns: list[URLPattern | URLResolver] = [
    path("o/<slug:slug>/users/add/", include("usher.methods.csv_import.urls")),
    path("o/<slug:slug>/users/add/", include("usher.methods.bulk_accounts.urls")),
    path("", include("usher.signin.urls")),
    path("", include("usher.console.urls")),
]
if settings.USHER_DEMO:
    urlpatterns.append(path("_kit/", open_to_anyone(kit), name="kit"))
