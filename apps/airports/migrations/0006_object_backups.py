"""Permissions to back up and restore single objects."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("airports", "0005_bulk_permissions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="airport",
            options={
                "ordering": ["ident"],
                "permissions": [
                    ("import_airport", "Can import airports"),
                    ("export_airport", "Can export airports"),
                    ("clear_links", "Can clear the links of many airports"),
                    ("relink", "Can relink many airports"),
                    ("delete_recent_import", "Can delete what the newest import created"),
                    ("resolve_duplicates", "Can resolve duplicate IATA codes"),
                    ("backup_airport", "Can back up an airport"),
                    ("restore_airport", "Can restore an airport from a backup"),
                ],
            },
        ),
    ]
