"""Moving a run from one state to the next, so that no two workers ever do the same."""

from contextlib import suppress
from typing import Any

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


def move(run: ImportRun, after: RunStatus, **values: Any) -> None:
    """Move on, in the database, a run that this process took up.

    Raises RunRefused when it is not this process's any more: it fell silent for so long (a laptop that slept) that the
    run was failed meanwhile, and perhaps taken up by another one.
    """
    mine = ImportRun.objects.filter(pk=run.pk, status=run.status, started_at=run.started_at)
    if not mine.update(status=after, **values):
        raise _given_up(run)


def hold(run: ImportRun) -> None:
    """Keep a run that this process took up from everybody else until the open transaction ends.

    Raises RunRefused when it is not this process's any more.
    """
    mine = ImportRun.objects.filter(pk=run.pk, status=run.status, started_at=run.started_at)
    if not mine.select_for_update().exists():
        raise _given_up(run)


def end(run: ImportRun, status: RunStatus, *, error: str = "") -> None:
    """End a run that wrote nothing, unless it is somebody else's by now; the lock it held is free again."""
    ended = {"error": error, "lock": None, "finished_at": timezone.now()}
    with suppress(RunRefused):
        move(run, status, **ended)
        vars(run).update(ended, status=status)


def fail(run: ImportRun, error: BaseException, progress: Progress) -> None:
    """End a run that an error stopped; it was cancelled where the error is a statement that somebody interrupted."""
    try:
        progress("stop", 0)
    except RunCancelled:
        end(run, RunStatus.CANCELLED)
        return
    said = str(error) if isinstance(error, ImportFailure) else f"{type(error).__name__}: {' '.join(str(error).split())}"
    # Some sentences say so already.
    if not said.endswith(" Nothing was imported."):
        said += " Nothing was written."
    end(run, RunStatus.FAILED, error=said)


def _given_up(run: ImportRun) -> RunRefused:
    return RunRefused(f"{run} was not heard of for so long that it was given up: nothing was written.")
