"""The map of the house: one include a room. /healthz and /readyz are answered by the middleware."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from usher.console import mailbox
from usher.console.kit import kit
from usher.people.access import open_to_anyone

urlpatterns: list[URLPattern | URLResolver] = [
    path("o/<slug:slug>/users/add/", include("usher.methods.csv_import.urls")),
    path("o/<slug:slug>/users/add/", include("usher.methods.bulk_accounts.urls")),
    path("", include("usher.methods.invite_code.urls")),
    path("", include("usher.methods.email_invitation.urls")),
    path("", include("usher.methods.sso.urls")),
    path("api/v1/", include("usher.api.urls")),
    path("", include("usher.methods.lti.urls")),
    path("operator/", include("usher.operator.urls")),
    path("", include("usher.signin.urls")),
    path("", include("usher.console.urls")),
]
# What a demonstration alone has: the parts the pages are made of, and its mails, which go nowhere.
DEMO: list[URLPattern | URLResolver] = [
    path("_kit/", open_to_anyone(kit), name="kit"),
    path("_mail/", open_to_anyone(mailbox.mails), name="mails"),
    path("_mail/<str:name>", open_to_anyone(mailbox.mail), name="mail"),
    path("_mail/<str:name>/picture", open_to_anyone(mailbox.picture), name="mail_picture"),
]
if settings.USHER_DEMO:
    urlpatterns += DEMO
