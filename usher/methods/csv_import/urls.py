"""The addresses of the import, below an organisation's Users."""

from __future__ import annotations

from django.urls import path

from usher.methods.csv_import import views

app_name = "csv_import"
urlpatterns = [
    path("csv", views.choose, name="choose"),
    path("csv/template.csv", views.template, name="template"),
    path("csv/check", views.check, name="check"),
    path("csv/import", views.write, name="write"),
    path("csv/progress/<str:identity>", views.progress, name="progress"),
    path("csv/<uuid:import_id>", views.done, name="done"),
    path("csv/<uuid:import_id>/passwords", views.new_passwords, name="new_passwords"),
]
