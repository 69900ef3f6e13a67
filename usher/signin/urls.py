"""The routes of the door."""

from __future__ import annotations

from django.urls import path

from usher.signin import views

urlpatterns = [
    path("", views.sign_in, name="sign_in"),
    path("o/<slug:slug>/sign-in", views.sign_in, name="organization_sign_in"),
    path("o/<slug:slug>/forgot", views.forgot, name="organization_forgot"),
    path("o/<slug:slug>/accent.css", views.accent, name="accent"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("forgot", views.forgot, name="forgot"),
    path("set-up/<str:token>", views.set_up, name="set_up"),
    path("first-password", views.first_password, name="first_password"),
    path("password", views.password, name="password"),
]
