"""SQLite: restoring by the online backup API, in one transaction, while others read."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote as quote_url

from django.db import connections

from apps.backups.drivers.sqlite import PAGES_PER_STEP, PATIENCE_SECONDS, quick_check, strangers_in, tables_in
from apps.backups.errors import BackupUnreadable, ChangedMeanwhile, CopyDamaged, DatabaseBusy, objects_refused


def check(source: Path) -> None:
    """Raise BackupUnreadable unless the file is a sound SQLite database, ObjectsRefused when it brings triggers."""
    try:
        with closing(sqlite3.connect(f"file:{quote_url(str(source))}?mode=ro", uri=True)) as copy:
            strangers = strangers_in(copy)
            quick_check(copy)
    except (sqlite3.Error, CopyDamaged) as error:
        raise BackupUnreadable(
            f"The backup {source.name} is no sound SQLite database ({' '.join(str(error).split())[:120]}): nothing was "
            "restored; choose another one."
        ) from error
    if strangers:
        raise objects_refused(source.name, " ".join(strangers[0]))


def restore_into(source: Path, using: str, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Make the database hold exactly what the file holds, while others read it; all of it or nothing.

    `meanwhile` is called when no other connection can write any more, before the first page counts; an exception from
    it leaves the database as it was. Raises DatabaseBusy, and sqlite3.Error for what the disk does.
    """
    with (
        closing(sqlite3.connect(f"file:{quote_url(str(source))}?mode=ro", uri=True, isolation_level=None)) as copy,
        _writing(using) as live,
    ):
        pages = copy.execute("PRAGMA page_count").fetchone()[0]
        _overwrite(copy, live, pages=max(1, min(PAGES_PER_STEP, pages - 1)), meanwhile=meanwhile)


def make_one_file(file: Path) -> None:
    """Take a database that nobody has open out of WAL mode; the live one keeps its mode."""
    with closing(sqlite3.connect(file)) as prepared:
        prepared.execute("PRAGMA journal_mode = DELETE")


def is_there(using: str) -> bool:
    """Whether there is a database with tables."""
    file = Path(connections[using].settings_dict["NAME"])
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{quote_url(str(file))}?mode=rw", uri=True)) as opened:
            return bool(tables_in(opened))
    except sqlite3.Error:
        return True  # An unreadable file must not be lost either.


@contextmanager
def watching(using: str) -> Iterator[Callable[[], None]]:
    """Give a function that raises ChangedMeanwhile when somebody wrote since the block began."""
    django = connections[using]
    if not is_there(using):
        yield lambda: None
        return
    with closing(sqlite3.connect(str(django.settings_dict["NAME"]), timeout=PATIENCE_SECONDS)) as watcher:

        def version() -> int:
            # A number that changes when another connection commits.
            return watcher.execute("PRAGMA data_version").fetchone()[0]

        def require_unchanged() -> None:
            if version() != before:
                raise ChangedMeanwhile(
                    "Somebody wrote to the database while it was being backed up before the restore, again and again: "
                    "nothing was restored. Try again when nobody is writing."
                )

        try:
            before = version()
        except sqlite3.Error:
            yield lambda: None  # It cannot be read, so backing it up fails with its own sentence.
            return
        yield require_unchanged


@contextmanager
def _writing(using: str) -> Iterator[sqlite3.Connection]:
    """Give a new connection that may write; a missing database is created."""
    django = connections[using]
    django.close()
    name = str(django.settings_dict["NAME"])
    with closing(sqlite3.connect(name, isolation_level=None, timeout=PATIENCE_SECONDS)) as live:
        yield live
        with suppress(sqlite3.Error):
            # Without this the log stays as large as the database for a while.
            live.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _overwrite(copy: sqlite3.Connection, live: sqlite3.Connection, *, pages: int, meanwhile: Callable) -> None:
    give_up, called = time.monotonic() + PATIENCE_SECONDS, False

    def after_each_step(status: int, remaining: int, _total: int) -> None:
        nonlocal called
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            if time.monotonic() > give_up:
                raise _busy_restoring()
        elif not called:
            called = True
            meanwhile()

    try:
        copy.backup(live, pages=pages, progress=after_each_step, sleep=0.05)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None) or 0
        if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise _busy_restoring() from error
        raise


def _busy_restoring() -> DatabaseBusy:
    return DatabaseBusy(
        f"Somebody wrote to the database for more than {PATIENCE_SECONDS} seconds (an import?), so nothing was "
        "restored: try again later."
    )
