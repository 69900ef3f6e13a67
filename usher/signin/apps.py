"""The Django app of the sign-in pages."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class SigninConfig(AppConfig):
    name = "usher.signin"

    def ready(self) -> None:
        # people/sign_in.py writes last_login in the one UPDATE it makes anyway.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
