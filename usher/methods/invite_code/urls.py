"""The addresses of invite codes, in one namespace: of those who use them, and of those who hand them out."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from usher.methods.invite_code.join_urls import public
from usher.methods.invite_code.staff_urls import staff

app_name = "invite_code"
urlpatterns: list[URLPattern | URLResolver] = [*staff, *public]
