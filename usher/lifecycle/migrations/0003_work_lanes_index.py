from django.db import migrations, models

from usher.core.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("lifecycle", "0002_work_lanes"),
    ]

    operations = [
        AddIndexOnline(
            model_name="erasure",
            index=models.Index(
                condition=models.Q(("dead_at", None)), fields=["lane", "run_at", "id"], name="erasure_by_lane"
            ),
        ),
    ]
