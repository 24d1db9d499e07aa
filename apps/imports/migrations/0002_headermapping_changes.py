"""A remembered mapping keeps what the values of its columns need before they are parsed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0001_runs_and_pins"),
    ]

    operations = [
        migrations.AddField(
            model_name="headermapping",
            name="changes",
            field=models.JSONField(default=dict),
        ),
    ]
