import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lifecycle", "0001_erasures"),
    ]

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="dead_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="erasure",
            name="lane",
            field=models.UUIDField(db_default=uuid.UUID(int=0), default=uuid.UUID(int=0)),
        ),
    ]
