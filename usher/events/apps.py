"""The Django app of the events."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "usher.events"
