"""Runs with the rows of their plans, remembered mappings and pins; what people made is set aside, never dropped."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from apps.changesets.recording.kept_tables import CreateKeptModel


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("changesets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateKeptModel(
            name="ImportRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spec", models.CharField(max_length=40, verbose_name="what")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("planning", "Planning"),
                            ("planned", "To be reviewed"),
                            ("approved", "Confirmed"),
                            ("running", "Running"),
                            ("applied", "Applied"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="uploaded",
                        max_length=20,
                    ),
                ),
                ("actor_name", models.CharField(blank=True, default="", max_length=255, verbose_name="who")),
                ("reason", models.TextField(blank=True, default="")),
                ("file_name", models.CharField(max_length=500)),
                ("file_sha256", models.CharField(max_length=64)),
                ("file_size", models.BigIntegerField()),
                ("kept_as", models.CharField(blank=True, default="", max_length=200)),
                ("how", models.JSONField(default=dict)),
                ("header", models.JSONField(default=list)),
                ("mapping", models.JSONField(blank=True, null=True)),
                ("options", models.JSONField(default=dict)),
                ("counts", models.JSONField(blank=True, null=True)),
                ("summary", models.JSONField(blank=True, null=True)),
                ("error", models.TextField(blank=True, default="")),
                ("confirmed_by_name", models.CharField(blank=True, default="", max_length=255)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("start_at", models.DateTimeField(blank=True, null=True)),
                ("lock", models.CharField(blank=True, max_length=60, null=True, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
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
                    "changeset",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="import_runs",
                        to="changesets.changeset",
                    ),
                ),
                (
                    "confirmed_by",
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
                "verbose_name": "import",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["status"], name="importrun_status")],
                "permissions": [("approve_importrun", "Can confirm imports that others uploaded")],
            },
        ),
        CreateKeptModel(
            name="Pin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=100)),
                ("object_key", models.CharField(max_length=270)),
                ("field", models.CharField(blank=True, default="", max_length=100)),
                ("note", models.TextField(blank=True, default="")),
                ("actor_name", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                "constraints": [models.UniqueConstraint(fields=("model", "object_key", "field"), name="pin_of_field")],
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PlannedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("refused", "Refused"),
                            ("missing", "Missing"),
                        ],
                        max_length=10,
                    ),
                ),
                ("renamed", models.BooleanField(default=False)),
                ("kept", models.BooleanField(default=False)),
                ("deleted_here", models.BooleanField(default=False)),
                ("superseded", models.BooleanField(default=False)),
                ("old_pk", models.CharField(blank=True, default="", max_length=255)),
                ("new_pk", models.CharField(blank=True, default="", max_length=255)),
                ("label", models.CharField(blank=True, default="", max_length=255)),
                ("changes", models.JSONField(null=True)),
                ("kept_values", models.JSONField(null=True)),
                ("payload", models.JSONField(null=True)),
                ("history_id", models.BigIntegerField(null=True)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "As planned"),
                            ("take", "Take the file's values"),
                            ("keep", "Keep our values"),
                            ("leave", "Leave the object alone"),
                        ],
                        default="",
                        max_length=5,
                    ),
                ),
                ("decided_by_name", models.CharField(blank=True, default="", max_length=255)),
                ("left_alone", models.CharField(blank=True, default="", max_length=255)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="imports.importrun",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RefusedCell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField()),
                ("column", models.CharField(max_length=255)),
                ("value", models.TextField(blank=True, default="")),
                ("rule", models.CharField(max_length=40)),
                ("hint", models.TextField()),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_cells",
                        to="imports.importrun",
                    ),
                ),
            ],
            options={
                "ordering": ["line", "id"],
            },
        ),
        CreateKeptModel(
            name="HeaderMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spec", models.CharField(max_length=40)),
                ("header_sha256", models.CharField(max_length=64)),
                ("mapping", models.JSONField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
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
                "constraints": [models.UniqueConstraint(fields=("spec", "header_sha256"), name="mapping_of_header")],
            },
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(fields=["run", "kind", "id"], name="plannedrow_kind"),
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(condition=models.Q(("renamed", True)), fields=["run", "id"], name="plannedrow_renamed"),
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(condition=models.Q(("kept", True)), fields=["run", "id"], name="plannedrow_kept"),
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(
                condition=models.Q(("deleted_here", True)), fields=["run", "id"], name="plannedrow_deleted"
            ),
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(
                condition=models.Q(("decision", ""), _negated=True), fields=["run", "id"], name="plannedrow_decided"
            ),
        ),
        migrations.AddIndex(
            model_name="plannedrow",
            index=models.Index(
                condition=models.Q(("left_alone", ""), _negated=True), fields=["run", "id"], name="plannedrow_alone"
            ),
        ),
        migrations.AddIndex(
            model_name="refusedcell",
            index=models.Index(fields=["run", "line"], name="refusedcell_line"),
        ),
    ]
