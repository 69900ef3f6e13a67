import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0002_codes_and_registration"),
    ]

    operations = [
        migrations.AddField(
            model_name="hashbatch",
            name="dead_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="hashbatch",
            name="lane",
            field=models.UUIDField(db_default=uuid.UUID(int=0), default=uuid.UUID(int=0)),
        ),
    ]
