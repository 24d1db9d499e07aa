"""Doing the work of runs: small files at once, larger ones by a worker (`manage.py db_worker`)."""

import gc
import logging
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from apps.imports.errors import RunCancelled, RunRefused
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.results import Progress
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.lease import fail_dead_runs, working
from apps.imports.runs.progress import forget
from apps.imports.runs.pruning import prune_runs
from apps.imports.runs.states import end

logger = logging.getLogger(__name__)


class Work(Protocol):
    """Planning or applying."""

    def __call__(self, run: ImportRun, *, progress: Progress | None = None) -> Any:
        """Do it, and leave the run planned or ended."""


def start_planning(run: ImportRun) -> bool:
    """Plan an uploaded run: at once when its file is small, and then it returns True; else by a worker."""
    forget(run.pk)
    if _is_small(run):
        _work(run, plan_run)
        return True
    plan_in_background.enqueue(run.pk)
    return False


def start_applying(run: ImportRun) -> bool:
    """Apply a confirmed run: at once when its file is small, and then it returns True; else by a worker.

    One with a time to start waits for that, and for a worker.
    """
    if run.start_at is not None and run.start_at > timezone.now():
        apply_in_background.using(run_after=run.start_at).enqueue(run.pk)
        return False
    if _is_small(run):
        _work(run, apply_run)
        return True
    apply_in_background.enqueue(run.pk)
    return False


@task()
def plan_in_background(run_id: int) -> None:
    """Plan a run in a worker."""
    _in_background(run_id, RunStatus.UPLOADED, plan_run)


@task()
def apply_in_background(run_id: int) -> None:
    """Apply a run in a worker."""
    _in_background(run_id, RunStatus.APPROVED, apply_run)


def start_lost_runs() -> list[ImportRun]:
    """Give the confirmed runs that no worker will take up to the workers again, and return them.

    Their task is not there, or was taken by a worker that died before the run was its own.
    """
    now, lease = timezone.now(), timedelta(seconds=settings.IMPORTS_LEASE_SECONDS)
    waiting = ImportRun.objects.filter(status=RunStatus.APPROVED, confirmed_at__lt=now - lease)
    lost = [run for run in waiting.exclude(start_at__gt=now) if not _has_task(run, after=now - lease)]
    for run in lost:
        apply_in_background.enqueue(run.pk)
    return lost


def _has_task(run: ImportRun, *, after: Any) -> bool:
    tasks = DBTaskResult.objects.filter(
        task_path=apply_in_background.module_path, args_kwargs={"args": [run.pk], "kwargs": {}}
    )
    ready = tasks.filter(status=TaskResultStatus.READY)
    return (ready | tasks.filter(status=TaskResultStatus.RUNNING, started_at__gte=after)).exists()


def _is_small(run: ImportRun) -> bool:
    return run.file_size <= settings.IMPORTS_AT_ONCE_BYTES


def _in_background(run_id: int, waiting: RunStatus, work: Work) -> None:
    # The garbage collector leaves what is loaded now alone: scanning it takes a tenth of the time of planning.
    gc.collect()
    gc.freeze()
    try:
        run = ImportRun.objects.filter(pk=run_id, status=waiting).first()
        # The run may be cancelled, taken up by another worker, or put off, and then it has another task.
        if run is not None and not (waiting == RunStatus.APPROVED and run.start_at and run.start_at > timezone.now()):
            _work(run, work)
    finally:
        _tidy_up()


def _work(run: ImportRun, work: Work) -> None:
    """Do the work under a lease; afterwards the run is never in a state that only a worker could end."""
    try:
        with working(run) as progress:
            work(run, progress=progress)
    except RunRefused:
        # Another worker was quicker.
        logger.info("%s was taken up by somebody else", run)
        return
    except RunCancelled:
        # Somebody asked to stop while the run was moved to its next state.
        _end_if_busy(run, RunStatus.CANCELLED)
    except BaseException as error:
        _end_if_busy(run, RunStatus.FAILED, error=f"{type(error).__name__}: {error} Nothing was written.")
        raise
    forget(run.pk)


def _end_if_busy(run: ImportRun, status: RunStatus, *, error: str = "") -> None:
    # Only a run that is busy as far as this process knows: it has ended others, or another process took them up.
    if run.status in BUSY:
        end(run, status, error=error)


def _tidy_up() -> None:
    """Fail the runs of dead workers, start lost runs and prune old ones, after each work."""
    for see_after in (fail_dead_runs, start_lost_runs, prune_runs):
        try:
            see_after()
        except (DatabaseError, OSError):
            logger.exception("Tidying up after an import did not work; the next worker tries again")
