"""The addresses of the import, below an organisation's Users."""

from __future__ import annotations

from django.urls import path

from usher.methods.csv_import import views

app_name = "csv_import"
urlpatterns = [
    path("", views.choose, name="choose"),
    path("/template.csv", views.template, name="template"),
    path("/check", views.check, name="check"),
    path("/import", views.write, name="write"),
    path("/progress/<str:identity>", views.progress, name="progress"),
    path("/<uuid:import_id>", views.done, name="done"),
    path("/<uuid:import_id>/passwords", views.new_passwords, name="new_passwords"),
]
