"""Doing the work of runs: small files at once, larger ones by a worker (`manage.py db_worker`)."""

import gc
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from apps.changesets.hooks import after_unattended_work
from apps.changesets.processes.failures import FAILURES
from apps.changesets.processes.watched import forget
from apps.imports.errors import FileIsGone, RunCancelled, RunRefused
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.reading.rows import Reading, is_at_most
from apps.imports.results import Progress
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.files import beginning_of
from apps.imports.runs.lease import fail_dead_runs, working
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
    """Give the runs that no worker will take up to the workers again, and return them.

    They are confirmed and their task is not there, or it was taken by a worker that died before the run was its own.
    An uploaded run without any task waits for a person.
    """
    to_plan, to_apply = lost_runs()
    for run in to_plan:
        plan_in_background.enqueue(run.pk)
    for run in to_apply:
        apply_in_background.enqueue(run.pk)
    return [*to_plan, *to_apply]


def lost_runs() -> tuple[list[ImportRun], list[ImportRun]]:
    """Return the runs to be planned, and those to be applied, that no worker will take up."""
    now = timezone.now()
    before = now - timedelta(seconds=settings.IMPORTS_LEASE_SECONDS)
    uploaded = ImportRun.objects.filter(status=RunStatus.UPLOADED, created_at__lt=before)
    approved = ImportRun.objects.filter(status=RunStatus.APPROVED, confirmed_at__lt=before).exclude(start_at__gt=now)
    to_plan = [run for run in uploaded if _is_lost(_tasks(plan_in_background, run), before, without_task=False)]
    to_apply = [run for run in approved if _is_lost(_tasks(apply_in_background, run), before, without_task=True)]
    return to_plan, to_apply


def _tasks(work: Task, run: ImportRun) -> QuerySet[DBTaskResult]:
    return DBTaskResult.objects.filter(task_path=work.module_path, args_kwargs={"args": [run.pk], "kwargs": {}})


def _is_lost(tasks: QuerySet[DBTaskResult], before: datetime, *, without_task: bool) -> bool:
    """Whether no worker has the task or will take it up; `without_task` says what it means that there is none."""
    taken = tasks.filter(status=TaskResultStatus.RUNNING)
    if tasks.filter(status=TaskResultStatus.READY).exists() or taken.filter(started_at__gte=before).exists():
        return False
    return without_task or taken.exists()


def _is_small(run: ImportRun) -> bool:
    """Whether the file is small, also unpacked: what a page does at once, somebody waits for."""
    most = settings.IMPORTS_AT_ONCE_BYTES
    try:
        return run.file_size <= most and is_at_most(beginning_of(run), Reading(**run.how), most)
    except FileIsGone:
        return True


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
        see_after_runs()


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


def see_after_runs() -> None:
    """Take up what dead workers left, and prune old runs: when a worker starts, and after each work."""
    _see_after(fail_dead_runs, start_lost_runs, prune_runs)
    after_unattended_work()


def take_up_runs() -> None:
    """Take up what dead workers left, in a thread beside a worker that waits, or works for long."""
    try:
        _see_after(fail_dead_runs, start_lost_runs)
    finally:
        connections.close_all()


def _see_after(*works: Callable[[], Any]) -> None:
    for see_after in works:
        try:
            see_after()
        except (*FAILURES, OSError):
            logger.exception("Tidying up after an import did not work; the next worker tries again")
