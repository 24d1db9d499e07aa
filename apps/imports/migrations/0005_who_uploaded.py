"""Who uploaded the file of an import that somebody else confirmed stands on its changeset, too."""

from typing import Any

from django.db import migrations
from django.db.models import F


def note_who_uploaded(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    runs = apps.get_model("imports", "ImportRun").objects.using(using)
    changesets = apps.get_model("changesets", "Changeset").objects.using(using)
    confirmed = runs.filter(changeset__isnull=False).exclude(confirmed_by_name="").exclude(actor_name="")
    for run in confirmed.exclude(actor_name=F("confirmed_by_name")).only("changeset_id", "actor_id", "actor_name"):
        changesets.filter(pk=run.changeset_id).update(asked_by=run.actor_id, asked_by_name=run.actor_name)


class Migration(migrations.Migration):
    dependencies = [
        ("changesets", "0008_verdicts_and_comments"),
        ("imports", "0004_moves_of_planned_rows"),
    ]

    operations = [migrations.RunPython(note_who_uploaded, migrations.RunPython.noop)]
