"""The lease of a run: its worker holds it and reports regularly; a run that nobody holds fails and wrote nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from apps.changesets.errors import Busy
from apps.changesets.processes.heart import BEAT_SECONDS, Heart, beats, heard_of, is_given_up
from apps.changesets.processes.locking import patience
from apps.changesets.processes.watched import forget
from apps.imports.errors import RunCancelled
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.runs.files import estimate_rows
from apps.imports.runs.states import changed_rows, log_end

_BEAT_SECONDS = BEAT_SECONDS
_PATIENCE_SECONDS = 2


class RunHeart(Heart):
    """The heart of a run."""

    cancelled = RunCancelled
    stopped = "Somebody asked this import to stop; nothing was written."

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Note how far the run is; what was read is what is then compared and stored."""
        if self.phase == "read" and phase != "read":
            self.totals["compare"] = self.totals["store"] = self.done
        super().__call__(phase, done, total)


@contextmanager
def working(run: ImportRun, *, using: str = "default") -> Iterator[Heart]:
    """Keep the lease of a run for the length of the block, and yield the function that takes its progress.

    When somebody asks the run to stop, RunCancelled is raised (see `heart.beats`).
    """
    heart = RunHeart(run.pk, connections[using], _totals(run))
    with beats(heart, _name(run), every=_BEAT_SECONDS):
        yield heart


def _totals(run: ImportRun) -> dict[str, int | None]:
    if run.counts:
        changed = changed_rows(run)
        return dict.fromkeys(("load", "write", "record"), changed)
    return {"read": estimate_rows(run)}


def last_heard_of(run: ImportRun) -> float:
    """Return when the worker of a busy run was last heard of, in seconds since 1970."""
    return heard_of(run.pk, run.started_at or run.created_at)


def is_dead(run: ImportRun) -> bool:
    """Whether the worker of a busy run is gone, or hangs."""
    begun = run.started_at or run.created_at
    return is_given_up(run.pk, _name(run), begun, after=settings.IMPORTS_LEASE_SECONDS)


def _name(run: ImportRun) -> str:
    return f"import-{run.pk}"


def fail_dead_runs() -> list[ImportRun]:
    """Fail the runs whose worker is gone or was not heard of for IMPORTS_LEASE_SECONDS; their locks are free then.

    A run whose changes were committed is applied, since its status is written in the same transaction: so what fails
    here wrote nothing. Where somebody else writes for long, dead runs are left for the next time.
    """
    return [run for run in dead_runs() if _fail(run)]


def dead_runs() -> list[ImportRun]:
    """Return the busy runs whose worker is gone, or hangs."""
    return [run for run in ImportRun.objects.filter(status__in=BUSY) if is_dead(run)]


def _fail(run: ImportRun) -> bool:
    heard = datetime.fromtimestamp(last_heard_of(run), tz=timezone.get_current_timezone())
    ended = {
        "status": RunStatus.FAILED,
        "error": f"The worker stopped unexpectedly: its last sign of life was at {heard:%H:%M:%S on %Y-%m-%d}. "
        "Nothing was written. Start it again.",
        "lock": None,
        "finished_at": timezone.now(),
    }
    try:
        with patience(_PATIENCE_SECONDS), transaction.atomic():
            # Only if no other process moved the run on after it was read.
            failed = ImportRun.objects.filter(pk=run.pk, status=run.status, started_at=run.started_at).update(**ended)
    except Busy:
        return False
    if failed:
        forget(run.pk)
        vars(run).update(ended)
        log_end(run, "failed")
    return bool(failed)
