"""The address of manual creation, below an organisation's Users."""

from __future__ import annotations

from django.urls import path

from usher.methods.bulk_accounts import views

app_name = "bulk_accounts"
urlpatterns = [path("manual", views.create, name="create")]
