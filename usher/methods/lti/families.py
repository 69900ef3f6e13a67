"""The LMSs that are known by name."""

from __future__ import annotations

from django.db.models import TextChoices


class Family(TextChoices):
    """Which LMS it is. Decides what is filled in beforehand, and the manners of its services (presets.py)."""

    MOODLE = "moodle", "Moodle"
    CANVAS = "canvas", "Canvas"
    BLACKBOARD = "blackboard", "Blackboard"
    BRIGHTSPACE = "brightspace", "Brightspace"
    SCHOOLOGY = "schoology", "Schoology"
    SAKAI = "sakai", "Sakai"
    OTHER = "other", "LTI 1.3"
