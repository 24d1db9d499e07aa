"""The name of the database; it stays when this is migrated back, so that its backups stay its own."""

from typing import Any

from django.db import migrations

from apps.changesets.identity import make_identity


def make(apps: Any, schema_editor: Any) -> None:
    make_identity(schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0003_source_title"),
    ]

    operations = [
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
