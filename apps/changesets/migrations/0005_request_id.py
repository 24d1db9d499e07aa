"""The request that made a changeset; triggers that open one for a direct write leave it to the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0004_identity"),
    ]

    operations = [
        migrations.AddField(
            model_name="changeset",
            name="request_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
