"""The addresses of one's own LMSs."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from usher.methods.lti import account_views

account: list[URLPattern | URLResolver] = [
    path("account/lms", account_views.lms, name="account_lms"),
    path("account/lms/code", account_views.code, name="account_lms_code"),
    path("account/lms/unlink", account_views.unlink, name="account_lms_unlink"),
]
