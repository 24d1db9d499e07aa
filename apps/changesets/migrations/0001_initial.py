"""The changesets; their table is set aside, never dropped, when migrated backwards."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from apps.changesets.recording.kept_tables import CreateKeptModel


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateKeptModel(
            name="Changeset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("import", "Import"),
                            ("edit", "Edit"),
                            ("bulk_action", "Bulk action"),
                            ("relink", "Relink"),
                            ("delete", "Delete"),
                            ("revert", "Revert"),
                            ("restore", "Restore"),
                            ("direct", "Direct write"),
                            ("baseline", "Baseline"),
                            ("migration", "Migration"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("reverted", "Reverted"),
                            ("partly_reverted", "Partly reverted"),
                            ("failed", "Failed"),
                        ],
                        default="applied",
                        max_length=20,
                    ),
                ),
                ("actor_name", models.CharField(blank=True, default="", max_length=255)),
                ("reason", models.TextField(blank=True, default="")),
                ("source_name", models.CharField(blank=True, default="", max_length=500)),
                ("source_sha256", models.CharField(blank=True, default="", max_length=64)),
                ("source_size", models.BigIntegerField(blank=True, null=True)),
                ("counts", models.JSONField(blank=True, null=True)),
                ("field_counts", models.JSONField(blank=True, null=True)),
                ("summary", models.JSONField(blank=True, null=True)),
                ("error", models.TextField(blank=True, default="")),
                ("reviewed_by_name", models.CharField(blank=True, default="", max_length=255)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("review_comment", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("pruned_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reverts", models.ManyToManyField(blank=True, related_name="reverted_by", to="changesets.changeset")),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("revert_changeset", "Can revert a changeset"),
                    ("review_changeset", "Can mark a changeset reviewed"),
                ],
                "indexes": [models.Index(fields=["kind", "status"], name="changeset_kind_status")],
            },
        ),
    ]
