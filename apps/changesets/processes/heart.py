"""The heart of a worker: it reports how far the work is, and lets the work know when somebody asks it to stop."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from apps.changesets.errors import WorkCancelled
from apps.changesets.processes.holding import holding, is_held
from apps.changesets.processes.progress import beating
from apps.changesets.processes.watched import is_asked_to_stop, progress_of, report

BEAT_SECONDS = 0.5
_CANCEL_SECONDS = 5
# What ends a transaction is never held up.
_ENDS = ("COMMIT", "ROLLBACK", "RELEASE")
logger = logging.getLogger(__name__)


class Heart:
    """Beats for one piece of work from a thread of its own; the work calls it to say how far it is.

    The thread never touches the database, except that it interrupts the statement which is running when somebody wants
    the work to stop. It does so only while one runs, and only until the work knows, so that what ends it (a ROLLBACK,
    the new status) is left in peace.
    """

    # What is raised where somebody asked to stop, and the sentence that says so.
    cancelled: ClassVar[type[Exception]] = WorkCancelled
    stopped: ClassVar[str] = "Somebody asked this to stop; nothing was written."

    def __init__(self, key: int | str, connection: BaseDatabaseWrapper, totals: dict[str, int | None]) -> None:
        self.key, self.connection, self.totals = key, connection, totals
        self.phase, self.done = "start", 0
        self.total: int | None = None
        self.asked = threading.Event()
        self.told = False
        self._lock, self._in_statement = threading.Lock(), False

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Note how far the work is; raises WorkCancelled when somebody asked it to stop."""
        self.phase, self.done, self.total = phase, done, total if total is not None else self.totals.get(phase)
        if self.asked.is_set():
            raise self._cancelled()

    def beat(self) -> None:
        """Report how far the worker is, and check whether it is to stop."""
        try:
            report(self.key, self.phase, self.done, self.total)
            if is_asked_to_stop(self.key):
                self.asked.set()
        except OSError as error:
            # A full disk is no reason to stop; if it stays full, the lease ends.
            logger.warning("The progress of %s cannot be kept: %s", self.key, error)

    def pulse(self) -> None:
        """Beat, and interrupt the statement that runs if somebody wants it to stop."""
        self.beat()
        if self.asked.is_set():
            self._interrupt()

    def watch(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Run one statement that can be interrupted; raises WorkCancelled once, and then runs all statements."""
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

    def _cancelled(self) -> Exception:
        self.told = True
        return self.cancelled(self.stopped)

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
                logger.warning("The statement of %s cannot be interrupted: %s", self.key, error)


@contextmanager
def beats(heart: Heart, name: str, *, every: float = BEAT_SECONDS) -> Iterator[None]:
    """Hold the work of this name and let its heart beat for the length of the block.

    When somebody asks it to stop, the next report or statement raises WorkCancelled, and so does a long statement that
    is running. The last report stays; who ends the work forgets it.
    """
    try:
        with (
            holding(name, using=heart.connection.alias),
            beating(heart.pulse, every=every, name=name),
            heart.connection.execute_wrapper(heart.watch),
        ):
            yield
    except DatabaseError as error:
        # An interrupted statement may raise only at the end of its transaction.
        if heart.asked.is_set() and not heart.told:
            raise heart._cancelled() from error
        raise


def heard_of(key: int | str, begun: datetime) -> float:
    """Return when the worker of some work, begun then, was last heard of, in seconds since 1970."""
    snapshot = progress_of(key)
    return snapshot.beat if snapshot else begun.timestamp()


def is_given_up(key: int | str, name: str, begun: datetime, *, after: float) -> bool:
    """Whether the worker is gone, or hangs: whoever lives holds the work, and reports on its machine.

    One that has just taken it up may not hold it yet. A clock that was set back makes a time in the future.
    """
    silent = abs(timezone.now().timestamp() - heard_of(key, begun)) > after
    if not silent or not is_held(name):
        return silent
    snapshot = progress_of(key)
    return snapshot is not None and snapshot.is_from_here
