"""The history of airports, set aside when migrated backwards, and what people may do."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import apps.base.fields
from apps.changesets.recording.kept_tables import CreateKeptModel

VERBS = ("add", "change", "delete", "view", "import", "export", "backup", "restore")


class Migration(migrations.Migration):
    dependencies = [
        ("airports", "0002_airport_core_integrations"),
        ("base", "0002_history"),
        ("changesets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateKeptModel(
            name="HistoricalAirport",
            fields=[
                ("ident", models.CharField(max_length=16)),
                ("source_id", models.BigIntegerField(blank=True, null=True, verbose_name="OurAirports id")),
                ("iata_code", models.CharField(blank=True, max_length=8, null=True, verbose_name="IATA code")),
                ("name", models.CharField(max_length=255)),
                ("search_name", apps.base.fields.SearchNameField(editable=False, max_length=255, source="name")),
                (
                    "airport_type",
                    models.CharField(
                        choices=[
                            ("large_airport", "Large airport"),
                            ("medium_airport", "Medium airport"),
                            ("small_airport", "Small airport"),
                            ("heliport", "Heliport"),
                            ("seaplane_base", "Seaplane base"),
                            ("balloonport", "Balloonport"),
                            ("closed", "Closed"),
                        ],
                        max_length=32,
                        verbose_name="type",
                    ),
                ),
                ("latitude_deg", models.FloatField(blank=True, null=True, verbose_name="latitude")),
                ("longitude_deg", models.FloatField(blank=True, null=True, verbose_name="longitude")),
                ("elevation_ft", models.IntegerField(blank=True, null=True, verbose_name="elevation (ft)")),
                ("iso_country", models.CharField(blank=True, default="", max_length=2, verbose_name="country code")),
                ("iso_region", models.CharField(blank=True, default="", max_length=10, verbose_name="region code")),
                ("municipality", models.CharField(blank=True, default="", max_length=255)),
                (
                    "upstream",
                    models.JSONField(blank=True, editable=False, null=True, verbose_name="last upstream values"),
                ),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("updated_at", models.DateTimeField(blank=True, editable=False)),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "changeset",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="changesets.changeset",
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="base.city",
                    ),
                ),
                (
                    "country",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="base.country",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical airport",
                "verbose_name_plural": "historical airports",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_id",),
                "indexes": [models.Index(fields=["ident", "history_id"], name="airport_history_by_object")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AlterModelOptions(
            name="airport",
            options={
                "default_permissions": VERBS,
                "ordering": ["ident"],
                "permissions": [
                    ("clear_links", "Can clear the links of many airports"),
                    ("relink", "Can relink many airports"),
                    ("delete_recent_import", "Can delete what the newest import created"),
                    ("resolve_duplicates", "Can resolve duplicate IATA codes"),
                ],
            },
        ),
    ]
