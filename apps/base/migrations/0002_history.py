"""The history of countries and cities, set aside when migrated backwards, and what people may do."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import apps.base.fields
from apps.changesets.recording.kept_tables import CreateKeptModel

VERBS = ("add", "change", "delete", "view", "import", "export", "backup", "restore")


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0001_initial"),
        ("changesets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateKeptModel(
            name="HistoricalCity",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("ascii_name", models.CharField(blank=True, default="", max_length=255, verbose_name="ASCII name")),
                ("search_name", apps.base.fields.SearchNameField(editable=False, max_length=255, source="name")),
                ("slug", models.SlugField(blank=True, db_index=False, default="", editable=False, max_length=255)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("timezone", models.CharField(blank=True, default="", max_length=64, verbose_name="time zone")),
                ("population", models.BigIntegerField(blank=True, null=True)),
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
                "verbose_name": "historical city",
                "verbose_name_plural": "historical cities",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_id",),
                "indexes": [models.Index(fields=["id", "history_id"], name="city_history_by_object")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        CreateKeptModel(
            name="HistoricalCountry",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, verbose_name="ID")),
                ("iso_code", models.CharField(max_length=2, verbose_name="ISO code")),
                ("iso3", models.CharField(blank=True, default="", max_length=3, verbose_name="ISO3 code")),
                ("name", models.CharField(max_length=255)),
                ("search_name", apps.base.fields.SearchNameField(editable=False, max_length=255, source="name")),
                ("slug", models.SlugField(blank=True, db_index=False, default="", editable=False, max_length=255)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
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
                "verbose_name": "historical country",
                "verbose_name_plural": "historical countries",
                "ordering": ("-history_id",),
                "get_latest_by": ("history_id",),
                "indexes": [models.Index(fields=["id", "history_id"], name="country_history_by_object")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AlterModelOptions(
            name="city",
            options={
                "default_permissions": VERBS,
                "ordering": ["name"],
                "permissions": [("merge_city", "Can merge cities")],
                "verbose_name_plural": "cities",
            },
        ),
        migrations.AlterModelOptions(
            name="country",
            options={"default_permissions": VERBS, "ordering": ["name"], "verbose_name_plural": "countries"},
        ),
    ]
