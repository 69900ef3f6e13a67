from django.db import migrations, models

from usher.core.operations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("people", "0003_work_lanes"),
    ]

    operations = [
        AddIndexOnline(
            model_name="hashbatch",
            index=models.Index(
                condition=models.Q(("dead_at", None)), fields=["lane", "run_at", "id"], name="hashbatch_by_lane"
            ),
        ),
    ]
