"""The permissions on backups of the whole database; no table is made."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("changesets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Backup",
            fields=[],
            options={
                "verbose_name": "backup",
                "verbose_name_plural": "backups",
                "permissions": [
                    ("view_backups", "Can see the backups of the database"),
                    ("create_backup", "Can back up the database"),
                    ("verify_backup", "Can prove that a backup restores"),
                    ("download_backup", "Can download backups of the database"),
                    ("restore_backup", "Can restore the database from a backup"),
                ],
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("changesets.changeset",),
        ),
    ]
