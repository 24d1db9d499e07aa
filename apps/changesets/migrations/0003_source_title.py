"""Whose values a changeset brought; triggers that open one for a direct write leave it to the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0002_transaction"),
    ]

    operations = [
        migrations.AddField(
            model_name="changeset",
            name="source_title",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
