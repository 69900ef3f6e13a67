"""The Django app of the activities."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    name = "usher.activities"
