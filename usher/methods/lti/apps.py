"""The Django app of LTI."""

from importlib import import_module

from django.apps import AppConfig


class LtiConfig(AppConfig):
    name = "usher.methods.lti"

    def import_models(self) -> None:
        """Work is a model too, and stands apart from the tables it works on: so neither imports the other in a ring."""
        super().import_models()
        import_module(f"{self.name}.jobs")
