"""The routes of the door."""

from __future__ import annotations

from django.urls import path

from usher.signin import account, register, reset, second, security, views

urlpatterns = [
    path("", views.sign_in, name="sign_in"),
    path("o/<slug:slug>/sign-in", views.sign_in, name="organization_sign_in"),
    path("o/<slug:slug>/forgot", reset.forgot, name="organization_forgot"),
    path("o/<slug:slug>/accent.css", views.accent, name="accent"),
    path("sign-in/second", second.second, name="second_step"),
    path("sign-in/again", second.again, name="sign_in_again"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("forgot", reset.forgot, name="forgot"),
    path("reset/<str:token>", reset.reset, name="reset"),
    path("register", register.register, name="register"),
    path("confirm/<str:token>", register.confirm, name="confirm"),
    path("set-up/<str:token>", views.set_up, name="set_up"),
    path("first-password", views.first_password, name="first_password"),
    path("password", views.password, name="password"),
    path("account/security", security.security, name="security"),
    path("account/security/app", security.app, name="security_app"),
    path("account/security/app/remove", security.remove_app, name="security_remove_app"),
    path("account/security/codes", security.codes, name="security_codes"),
    path("account/security/passkeys/add", security.add_passkey, name="security_add_passkey"),
    path("account/security/passkeys/<int:key>", security.passkey, name="security_passkey"),
    path("account/sessions", security.places, name="sessions"),
    path("account/sessions/end", security.end_place, name="end_session"),
    path("account/sessions/end-others", security.end_others, name="end_other_sessions"),
    path("account", account.account, name="account"),
    path("account/address", account.address, name="account_address"),
    path("address/<str:token>", account.prove, name="prove_address"),
    path("account/organizations", account.organizations, name="account_organizations"),
    path("account/leave/<uuid:membership_id>", account.leave, name="leave"),
    path("account/offers/<uuid:membership_id>/take", account.take, name="take_offer"),
    path("account/offers/<uuid:membership_id>/end", account.end, name="end_offer"),
]
