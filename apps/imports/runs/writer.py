"""Which import writes just now, for those who wait for it."""

import time

from django.conf import settings
from django.utils import timezone

from apps.changesets.processes.watched import progress_of
from apps.imports.models import ImportRun, RunStatus
from apps.imports.runs.lease import last_heard_of


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
