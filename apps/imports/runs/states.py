"""Moving a run from one state to the next, so that no two workers ever do the same."""

from django.utils import timezone

from apps.imports.errors import ImportFailure, RunCancelled, RunRefused
from apps.imports.models import ImportRun, RunStatus
from apps.imports.results import Progress


def claim(run: ImportRun, before: RunStatus, after: RunStatus) -> None:
    """Move the run on in one statement that only one can win; raises RunRefused when it is not where it should be."""
    now = timezone.now()
    if not ImportRun.objects.filter(pk=run.pk, status=before).update(status=after, started_at=now, error=""):
        run.refresh_from_db(fields=["status"])
        raise RunRefused(f"{run} is {run.get_status_display().lower()}: it is not there to be taken up.")
    run.status, run.started_at, run.error = after, now, ""


def end(run: ImportRun, status: RunStatus, *, error: str = "") -> None:
    """End a run that wrote nothing; the lock it held is free again."""
    run.status, run.error, run.lock, run.finished_at = status, error, None, timezone.now()
    run.save(update_fields=["status", "error", "lock", "finished_at"])


def fail(run: ImportRun, error: BaseException, progress: Progress) -> None:
    """End a run that an error stopped; it was cancelled where the error is a statement that somebody interrupted."""
    try:
        progress("stop", 0)
    except RunCancelled:
        end(run, RunStatus.CANCELLED)
        return
    said = str(error) if isinstance(error, ImportFailure) else f"{type(error).__name__}: {' '.join(str(error).split())}"
    end(run, RunStatus.FAILED, error=f"{said} Nothing was written.")
