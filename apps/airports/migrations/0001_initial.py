"""Airports, without links to places."""

from django.db import migrations, models

import apps.base.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Airport",
            fields=[
                ("ident", models.CharField(max_length=16, primary_key=True, serialize=False)),
                (
                    "source_id",
                    models.BigIntegerField(blank=True, null=True, unique=True, verbose_name="OurAirports id"),
                ),
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["ident"],
                "indexes": [models.Index(fields=["iata_code"], name="airport_iata_code")],
            },
        ),
    ]
