"""Plans that are stored for who is shown them, row by row."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0006_saved_view"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("act", models.CharField(max_length=40)),
                ("key", models.CharField(max_length=40)),
                ("about", models.JSONField()),
                ("asked", models.JSONField()),
                ("state", models.CharField(blank=True, default="", max_length=40)),
                ("seen", models.JSONField(default=dict)),
                ("head", models.JSONField(default=dict)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "work",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Made"),
                            ("to_plan", "Waiting to be planned"),
                            ("planning", "Planning"),
                            ("to_apply", "Confirmed"),
                            ("applying", "Running"),
                            ("applied", "Applied"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("begun_at", models.DateTimeField(null=True)),
                ("address", models.TextField(blank=True, default="")),
                ("confirmed", models.JSONField(null=True)),
                ("reason", models.TextField(blank=True, default="")),
                ("error", models.TextField(blank=True, default="")),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "changeset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="changesets.changeset",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="StoredRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=100)),
                ("bucket", models.CharField(max_length=10)),
                ("partly", models.BooleanField(default=False)),
                ("object_pk", models.CharField(max_length=255)),
                ("label", models.CharField(blank=True, default="", max_length=255)),
                ("fields", models.TextField(blank=True, default="")),
                ("places", models.CharField(blank=True, default="", max_length=100)),
                ("changes", models.JSONField(null=True)),
                ("notes", models.JSONField(null=True)),
                (
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="changesets.storedplan",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="storedplan",
            constraint=models.UniqueConstraint(fields=("actor", "act", "key"), name="stored_plan_of_person"),
        ),
        migrations.AddIndex(
            model_name="storedrow",
            index=models.Index(fields=["plan", "bucket", "id"], name="storedrow_bucket"),
        ),
        migrations.AddIndex(
            model_name="storedrow",
            index=models.Index(condition=models.Q(("partly", True)), fields=["plan", "id"], name="storedrow_partly"),
        ),
    ]
