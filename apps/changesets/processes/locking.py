"""Waiting for others who write: whoever writes whole tables holds none of them while it waits for another."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.errors import Busy
from apps.changesets.models import Changeset
from apps.changesets.processes.failures import (
    FAILURES,
    Cause,
    cause_of,
    forget_writer,
    logger,
    note_writer,
    sentence_of,
    words_of,
)
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

T = TypeVar("T")
# What the summary of a changeset has where the database threw the first attempt out.
TRIED_AGAIN = "tried_again"
# So often a lock of several tables is begun anew, each time after waiting for the table that somebody else had.
_ROUNDS = 100
# A statement that takes longer may have waited; and so long each may wait whatever those before it did.
_LONG_SECONDS = 0.2


def is_busy(error: BaseException) -> bool:
    """Whether the database gave up waiting for somebody else who writes, or threw this transaction out for them."""
    return cause_of(error) in (Cause.BUSY, Cause.THROWN_OUT)


@contextmanager
def busy_in_words() -> Iterator[None]:
    """Within, what the database says of somebody else who writes for too long becomes Busy, with its sentence."""
    try:
        yield
    except OperationalError as error:
        if is_busy(error):
            raise Busy(sentence_of(error)) from error
        raise


@contextmanager
def patience(seconds: float, *, using: str = "default") -> Iterator[None]:
    """Wait in this block at most so many seconds for others who write; raises Busy when they take longer.

    A shorter patience around it stays: a page waits for a few seconds only, whatever it does.
    """
    with busy_in_words():
        connections[using].ensure_connection()
        before = _shorten(connections[using], seconds)
        try:
            yield
        finally:
            # A transaction that is broken takes what was set in it back, and a connection that was lost has nothing.
            with suppress(*FAILURES):
                _wait(connections[using], before)


class PagePatience:
    """A wrapper of statements, for one page: what it does waits at most so many seconds for others who write.

    The statements of one transaction on PostgreSQL share them: what one has waited, the next ones have less.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._before: dict[BaseDatabaseWrapper, float] = {}
        # Where a statement took long: its transaction, and the seconds that this has left.
        self._left: dict[BaseDatabaseWrapper, tuple[object, float]] = {}

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Bound the waiting of a connection before its first statement, and after each that may have waited."""
        connection = context["connection"]
        if connection not in self._before:
            self._before[connection] = _shorten(connection, self.seconds)
        elif connection in self._left:
            self._bound(connection)
        began = time.monotonic()
        result = execute(sql, params, many, context)
        took = time.monotonic() - began
        if took > _LONG_SECONDS and connection.in_atomic_block and connection.vendor == "postgresql":
            _, left = self._left.get(connection, (None, self.seconds))
            self._left[connection] = connection.atomic_blocks[0], max(left - took, _LONG_SECONDS)
        return result

    def _bound(self, connection: BaseDatabaseWrapper) -> None:
        """Leave a statement what is left; a savepoint that was taken back has taken back what was set in it."""
        inside, left = self._left[connection]
        if not connection.in_atomic_block or connection.atomic_blocks[0] is not inside:
            del self._left[connection]
            left = self.seconds
        before, wanted = self._before[connection], left * 1000
        # In a broken transaction nothing can be set, and nothing waits.
        with suppress(*FAILURES):
            _wait(connection, min(before or wanted, wanted))

    def give_back(self) -> None:
        """Let the connections wait as they did before."""
        for connection, before in self._before.items():
            with suppress(*FAILURES):
                _wait(connection, before)


def _shorten(connection: BaseDatabaseWrapper, seconds: float) -> float:
    """Wait no longer than so many seconds from now on; return what was set before, in milliseconds."""
    before, wanted = _waiting(connection), seconds * 1000
    _wait(connection, min(before or wanted, wanted))
    return before


def _waiting(connection: BaseDatabaseWrapper) -> float:
    """Return how many milliseconds a statement waits for others who write; 0 is without end, on PostgreSQL only."""
    if connection.vendor == "sqlite":
        return float(_ask(connection, "PRAGMA busy_timeout"))
    return float(_ask(connection, "SELECT EXTRACT(epoch FROM current_setting('lock_timeout')::interval) * 1000"))


def _wait(connection: BaseDatabaseWrapper, milliseconds: float) -> None:
    if connection.connection is None:
        return  # It was closed, and the next one starts afresh.
    sqlite, postgresql = "PRAGMA busy_timeout = {}", "SELECT set_config('lock_timeout', '{}', false)"
    _ask(connection, (sqlite if connection.vendor == "sqlite" else postgresql).format(int(milliseconds)))


def _ask(connection: BaseDatabaseWrapper, statement: str) -> Any:
    """Ask the driver itself: no wrapper of statements is to wait for, count or interrupt this."""
    with connection.wrap_database_errors:
        return connection.connection.execute(statement).fetchone()[0]


def again_once(work: Callable[[dict[str, bool]], T], *, using: str = "default") -> T:
    """Do work that opens its own transaction, once more if the database throws that out for somebody else's sake.

    The work is given what the summary of its changeset says of that. In a transaction of the caller it is done once.
    """
    try:
        return work({})
    except OperationalError as error:
        if cause_of(error) != Cause.THROWN_OUT or connections[using].in_atomic_block:
            raise
        logger.warning("The database threw a transaction out, so it is tried again: %s", words_of(error))
    return work({TRIED_AGAIN: True})


@contextmanager
def alone(opened: Changeset, *, using: str = "default") -> Iterator[None]:
    """Lock the tracked tables for a changeset, and let those who wait meanwhile know whose it is."""
    lock_tracked_tables(using)
    noun = opened.get_kind_display().lower()
    note_writer(f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}", opened.actor_name)
    try:
        yield
    finally:
        forget_writer()


def remark_on(made: Changeset | None) -> str:
    """Return the sentence that a changeset was tried again, or nothing."""
    again = made is not None and (made.summary or {}).get(TRIED_AGAIN)
    return "Another writer came first once, so it was tried again by itself." if again else ""


def lock_tracked_tables(using: str = "default", *, mode: str = "EXCLUSIVE") -> None:
    """Lock the tracked tables against other writers until the transaction ends; SQLite's transactions do so anyway."""
    lock_tables([tracked.table for tracked in tracked_models()], using=using, mode=mode)


def lock_tables(tables: Sequence[str], *, using: str = "default", mode: str = "EXCLUSIVE") -> None:
    """Lock these tables until the transaction ends; SQLite's transactions keep other writers out anyway.

    EXCLUSIVE leaves others only reading: whoever means to change a row waits before it holds the row. While one table
    is waited for, none of the others is held, so nobody who holds one of them is ever waited for in a circle.
    """
    sql, first = Sql(using), deque(tables)
    if not sql.postgresql or not tables:
        return
    for attempt in range(_ROUNDS):
        if _locked(sql, list(first), mode, wait=attempt > 0):
            return
        # Somebody has one of them: each is waited for in its turn.
        first.rotate(-1)
    raise Busy(sentence_of(None, cause=Cause.BUSY))


def _locked(sql: Sql, tables: list[str], mode: str, *, wait: bool) -> bool:
    """Wait for the first table if asked to, then take all if they are free; return whether they were."""
    waiting = wait
    try:
        with transaction.atomic(using=sql.using):
            if wait:
                sql.run("LOCK TABLE {table} IN {mode} MODE", table=sql.quote(tables[0]), mode=mode)
            waiting = False
            sql.run("LOCK TABLE {tables} IN {mode} MODE NOWAIT", tables=sql.names(tables), mode=mode)
    except OperationalError as error:
        if waiting or cause_of(error) != Cause.BUSY:
            raise
        return False
    return True
