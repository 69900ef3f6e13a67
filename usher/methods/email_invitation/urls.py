"""The addresses of e-mail invitations, in one namespace: of those who are invited, and of those who invite."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from usher.methods.email_invitation.public_urls import public
from usher.methods.email_invitation.staff_urls import staff

app_name = "email_invitation"
urlpatterns: list[URLPattern | URLResolver] = [*staff, *public]
