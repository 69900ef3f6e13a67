from django.db import migrations, models

from usher.core.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("core", "0003_work_lanes"),
    ]

    operations = [
        AddIndexOnline(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("dead_at", None)), fields=["lane", "run_at", "id"], name="mail_by_lane"
            ),
        ),
    ]
