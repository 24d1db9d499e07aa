"""Permissions to back up and restore single objects."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0004_bulk_permissions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="city",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("import_city", "Can import cities"),
                    ("export_city", "Can export cities"),
                    ("merge_city", "Can merge cities"),
                    ("backup_city", "Can back up a city"),
                    ("restore_city", "Can restore a city from a backup"),
                ],
                "verbose_name_plural": "cities",
            },
        ),
        migrations.AlterModelOptions(
            name="country",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("import_country", "Can import countries"),
                    ("export_country", "Can export countries"),
                    ("backup_country", "Can back up a country"),
                    ("restore_country", "Can restore a country from a backup"),
                ],
                "verbose_name_plural": "countries",
            },
        ),
    ]
