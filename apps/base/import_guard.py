"""No database is restored from under an import."""

from django.db import DatabaseError

from apps.imports.models import BUSY, ImportRun
from apps.imports.runs.lease import fail_dead_runs


def import_at_work(using: str) -> str:
    """Return which import is running, in one sentence; nothing where none is, or where nobody can tell."""
    try:
        fail_dead_runs()
        run = ImportRun.objects.using(using).filter(status__in=BUSY).first()
    except DatabaseError:
        return ""  # The database is damaged, or has no such table yet: a restore is what mends it.
    if run is None:
        return ""
    return (
        f"Import {run.pk} of {run.file_name} is running, so nothing was restored: wait for it, or stop it with "
        f"manage.py imports cancel {run.pk}."
    )
