"""Countries and cities."""

import django.db.models.deletion
from django.db import migrations, models

import apps.base.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Country",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("iso_code", models.CharField(max_length=2, unique=True, verbose_name="ISO code")),
                ("iso3", models.CharField(blank=True, default="", max_length=3, verbose_name="ISO3 code")),
                ("name", models.CharField(max_length=255)),
                ("search_name", apps.base.fields.SearchNameField(editable=False, max_length=255, source="name")),
                ("slug", models.SlugField(blank=True, db_index=False, default="", editable=False, max_length=255)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name_plural": "countries",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="City",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("ascii_name", models.CharField(blank=True, default="", max_length=255, verbose_name="ASCII name")),
                ("search_name", apps.base.fields.SearchNameField(editable=False, max_length=255, source="name")),
                ("slug", models.SlugField(blank=True, db_index=False, default="", editable=False, max_length=255)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("timezone", models.CharField(blank=True, default="", max_length=64, verbose_name="time zone")),
                ("population", models.BigIntegerField(blank=True, null=True)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "country",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cities", to="base.country"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "cities",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("country", "search_name"), name="city_name_in_country"),
                    models.UniqueConstraint(fields=("country", "slug"), name="city_slug_in_country"),
                ],
            },
        ),
    ]
