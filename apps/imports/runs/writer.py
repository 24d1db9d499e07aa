"""Which import is at work just now, for those who wait for it, and for a restore that must not go under it."""

import time

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from apps.changesets.processes.watched import progress_of
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.runs.lease import fail_dead_runs, last_heard_of


def import_in_words() -> str:
    """Return who imports, since when and how far it is: "an import by stan since 14:02, 61 %"; or nothing."""
    run = ImportRun.objects.filter(status=RunStatus.RUNNING).order_by("-started_at").first()
    if run is None or last_heard_of(run) < time.time() - settings.IMPORTS_LEASE_SECONDS:
        return ""
    by = run.confirmed_by_name or run.who
    since = timezone.localtime(run.started_at or run.created_at)
    snapshot = progress_of(run.pk)
    percent = min(100, round(100 * snapshot.done / snapshot.total)) if snapshot and snapshot.total else None
    return f"an import by {by} since {since:%H:%M}" + ("" if percent is None else f", {percent} %")


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
