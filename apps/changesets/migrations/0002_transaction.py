"""Which transactions of PostgreSQL wrote each changeset; the changesets before were committed before all of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangesetTransaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("server", models.BigIntegerField()),
                ("xid", models.BigIntegerField()),
                ("joined_at", models.DateTimeField(blank=True, null=True)),
                (
                    "changeset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transactions",
                        to="changesets.changeset",
                    ),
                ),
            ],
        ),
    ]
