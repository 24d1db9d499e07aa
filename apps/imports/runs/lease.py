"""The lease of a run: its worker holds it and reports regularly; a run that nobody holds fails and wrote nothing."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from apps.changesets.errors import Busy
from apps.changesets.processes.holding import holding, is_held
from apps.changesets.processes.locking import patience
from apps.changesets.processes.progress import beating
from apps.imports.errors import RunCancelled
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.runs.files import estimate_rows
from apps.imports.runs.progress import forget, is_asked_to_stop, progress_of, report
from apps.imports.runs.states import changed_rows, log_end

_BEAT_SECONDS = 0.5
_CANCEL_SECONDS = 5
_PATIENCE_SECONDS = 2
# What ends a transaction is never held up.
_ENDS = ("COMMIT", "ROLLBACK", "RELEASE")
logger = logging.getLogger(__name__)


class Heart:
    """Beats for one run from a thread of its own; the work calls it to say how far it is.

    The thread never touches the database, except that it interrupts the statement which is running when somebody wants
    the run to stop. It does so only while one runs, and only until the work knows, so that what ends the run (a
    ROLLBACK, the new status) is left in peace.
    """

    def __init__(self, run_id: int, connection: BaseDatabaseWrapper, totals: dict[str, int | None]) -> None:
        self.run_id, self.connection, self.totals = run_id, connection, totals
        self.phase, self.done = "start", 0
        self.total: int | None = None
        self.asked = threading.Event()
        self.told = False
        self._lock, self._in_statement = threading.Lock(), False

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Note how far the work is; raises RunCancelled when somebody asked it to stop."""
        if self.phase == "read" and phase != "read":
            self.totals["compare"] = self.totals["store"] = self.done
        self.phase, self.done, self.total = phase, done, total if total is not None else self.totals.get(phase)
        if self.asked.is_set():
            raise self._cancelled()

    def beat(self) -> None:
        """Report how far the worker is, and check whether it is to stop."""
        try:
            report(self.run_id, self.phase, self.done, self.total)
            if is_asked_to_stop(self.run_id):
                self.asked.set()
        except OSError as error:
            # A full disk is no reason to stop; if it stays full, the lease ends.
            logger.warning("The progress of import %s cannot be kept: %s", self.run_id, error)

    def pulse(self) -> None:
        """Beat, and interrupt the statement that runs if somebody wants the run to stop."""
        self.beat()
        if self.asked.is_set():
            self._interrupt()

    def watch(self, execute: Callable, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Run one statement that can be interrupted; raises RunCancelled once, and then runs all statements."""
        if sql.startswith(_ENDS):
            return execute(sql, params, many, context)
        if self.asked.is_set() and not self.told:
            raise self._cancelled()
        self._enter(True)
        try:
            return execute(sql, params, many, context)
        except DatabaseError as error:
            self._enter(False)
            if self.asked.is_set() and not self.told:
                raise self._cancelled() from error
            raise
        finally:
            self._enter(False)

    def _enter(self, inside: bool) -> None:
        with self._lock:
            self._in_statement = inside

    def _cancelled(self) -> RunCancelled:
        self.told = True
        return RunCancelled("Somebody asked this import to stop; nothing was written.")

    def _interrupt(self) -> None:
        with self._lock:
            raw = self.connection.connection
            if not self._in_statement or self.told or raw is None:
                return
            if self.connection.vendor == "sqlite":
                raw.interrupt()
                return
            try:
                raw.cancel_safe(timeout=_CANCEL_SECONDS)
            except Exception as error:
                logger.warning("The statement of import %s cannot be interrupted: %s", self.run_id, error)


@contextmanager
def working(run: ImportRun, *, using: str = "default") -> Iterator[Heart]:
    """Keep the lease of a run for the length of the block, and yield the function that takes its progress.

    When somebody asks the run to stop, the next report or statement raises RunCancelled, and so does a long statement
    that is running. The last report stays; who ends the run forgets it.
    """
    heart = Heart(run.pk, connections[using], _totals(run))
    try:
        with (
            holding(_name(run), using=using),
            beating(heart.pulse, every=_BEAT_SECONDS, name=f"import-{run.pk}"),
            heart.connection.execute_wrapper(heart.watch),
        ):
            yield heart
    except DatabaseError as error:
        # An interrupted statement may raise only at the end of its transaction.
        if heart.asked.is_set() and not heart.told:
            raise heart._cancelled() from error
        raise


def _totals(run: ImportRun) -> dict[str, int | None]:
    if run.counts:
        changed = changed_rows(run)
        return dict.fromkeys(("load", "write", "record"), changed)
    return {"read": estimate_rows(run)}


def last_heard_of(run: ImportRun) -> float:
    """Return when the worker of a busy run was last heard of, in seconds since 1970."""
    snapshot = progress_of(run.pk)
    return snapshot.beat if snapshot else (run.started_at or run.created_at).timestamp()


def is_dead(run: ImportRun) -> bool:
    """Whether the worker of a busy run is gone, or hangs: whoever lives holds the run, and reports on its machine.

    One that has just taken it up may not hold it yet. A clock that was set back makes a time in the future.
    """
    silent = abs(timezone.now().timestamp() - last_heard_of(run)) > settings.IMPORTS_LEASE_SECONDS
    if not silent or not is_held(_name(run)):
        return silent
    snapshot = progress_of(run.pk)
    return snapshot is not None and snapshot.is_from_here


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
        "error": f"The worker stopped without a word: it was last heard of at {heard:%H:%M:%S on %Y-%m-%d}. "
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
