"""Waiting for others who write, up to a limit."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

from apps.changesets.errors import Busy
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

# PostgreSQL: lock not available in time, deadlock.
BUSY_STATES = ("55P03", "40P01")


def is_busy(error: BaseException) -> bool:
    """Whether the database gave up waiting for somebody else who writes."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state in BUSY_STATES or (state is None and "locked" in str(error))


@contextmanager
def patience(seconds: int, *, using: str = "default") -> Iterator[None]:
    """Wait in this block at most so many seconds for others who write; raises Busy when they take longer."""
    sql = Sql(using)
    if not sql.postgresql:
        before = sql.value("PRAGMA busy_timeout")
        _wait(sql, seconds * 1000)
    else:
        # The setting as it was, and then as it is to be.
        before = sql.value(
            "SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, false)", [f"{seconds}s"]
        )
    try:
        yield
    except OperationalError as error:
        if is_busy(error):
            raise Busy(
                "Somebody else is writing right now, perhaps an import is running: nothing was changed. "
                "Try again in a minute."
            ) from error
        raise
    finally:
        if not sql.connection.needs_rollback:
            _wait(sql, before)


def _wait(sql: Sql, how_long: int | str) -> None:
    if sql.postgresql:
        sql.run("SELECT set_config('lock_timeout', %s, false)", [how_long])
    else:
        sql.run("PRAGMA busy_timeout = {milliseconds}", milliseconds=str(int(how_long)))


def lock_tracked_tables(using: str = "default", *, mode: str = "SHARE ROW EXCLUSIVE") -> None:
    """Lock the tracked tables against other writers until the transaction ends; SQLite's transactions do so anyway."""
    sql = Sql(using, tables=[tracked.table for tracked in tracked_models()])
    if sql.postgresql:
        sql.run("LOCK TABLE {tables} IN {mode} MODE", mode=mode)
