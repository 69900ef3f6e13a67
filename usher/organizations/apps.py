"""The Django app of the organisations."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "usher.organizations"
