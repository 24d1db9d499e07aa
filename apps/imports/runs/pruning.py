"""Pruning: files of runs and rows of their plans are kept for a time only; the runs themselves stay."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.imports.models import OPEN, ImportRun, PlannedRow, RefusedCell, RunStatus
from apps.imports.runs.files import forget_file


def prune_runs() -> dict[str, int]:
    """Forget files and plans of runs that ended long ago, and return how many of each.

    Files go after IMPORTS_KEEP_FILES_DAYS, plans after IMPORTS_KEEP_PLANS_DAYS; nothing of a run that is open still.
    One that nobody confirmed for IMPORTS_KEEP_PLANS_DAYS is cancelled, since its plan is out of date.
    """
    _end_forgotten()
    return {"files": _prune_files(), "plans": _prune_plans()}


def _end_forgotten() -> None:
    days, now = settings.IMPORTS_KEEP_PLANS_DAYS, timezone.now()
    waiting = Q(status__in=[RunStatus.UPLOADED, RunStatus.PLANNED], created_at__lt=now - timedelta(days=days))
    waiting &= Q(started_at=None) | Q(started_at__lt=now - timedelta(days=days))
    ended = {"status": RunStatus.CANCELLED, "error": f"Nobody confirmed it for {days} days.", "finished_at": now}
    # Check before writing: when there is nothing to do, nothing waits for a lock.
    if ImportRun.objects.filter(waiting).exists():
        ImportRun.objects.filter(waiting).update(**ended, lock=None)


def _ended_before(days: int) -> QuerySet[ImportRun]:
    return ImportRun.objects.exclude(status__in=OPEN).filter(finished_at__lt=timezone.now() - timedelta(days=days))


def _prune_files() -> int:
    runs = list(_ended_before(settings.IMPORTS_KEEP_FILES_DAYS).exclude(kept_as=""))
    for run in runs:
        forget_file(run)
    return len(runs)


def _prune_plans() -> int:
    ended = _ended_before(settings.IMPORTS_KEEP_PLANS_DAYS)
    pruned = set()
    # Check before deleting: when there is nothing to do, nothing waits for a lock.
    for model in (PlannedRow, RefusedCell):
        for run in ended.filter(Exists(model.objects.filter(run=OuterRef("pk")))):
            model.objects.filter(run=run).delete()
            pruned.add(run.pk)
    return len(pruned)
