"""Counts of findings for the trend, and the findings that people accepted as known."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("changesets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("taken_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("counts", models.JSONField()),
                ("coverage", models.JSONField(default=dict)),
                ("accepted", models.JSONField(default=dict)),
                ("stamp", models.CharField(blank=True, default="", max_length=300)),
                (
                    "changeset",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="changesets.changeset",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "tallies",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="AcceptedFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(max_length=60)),
                ("model", models.CharField(max_length=100)),
                ("object_key", models.CharField(max_length=270)),
                ("object_name", models.CharField(blank=True, default="", max_length=300)),
                ("reason", models.TextField()),
                ("until", models.DateField(blank=True, null=True)),
                ("actor_name", models.CharField(blank=True, default="", max_length=255, verbose_name="who")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_by_name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "accepted finding",
                "ordering": ["-id"],
                "permissions": [
                    ("view_findings", "Can view findings"),
                    ("accept_findings", "Can accept findings as known"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at", None)),
                        fields=("rule", "object_key"),
                        name="accepted_finding",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("quality.tally",),
        ),
    ]
