"""What became of a licence is found at once, however much else has happened."""

from django.db import migrations, models

from usher.core.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0001_initial")]
    operations = [
        AddIndexOnline(
            "event",
            models.Index(
                condition=models.Q(("type", "license:changed")),
                fields=["organization_id", "id"],
                name="event_of_license",
            ),
        ),
    ]
