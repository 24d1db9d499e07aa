"""SQLite: a copy by the online backup API, in one file, while others read and write."""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote as quote_url

from django.db import connections

from apps.backups.catalogue.facts import MIGRATIONS, Facts, read_facts, require_tables
from apps.backups.catalogue.left_out import is_left_out
from apps.backups.errors import (
    BackupFailure,
    CopyDamaged,
    DatabaseBusy,
    DatabaseUnreadable,
    disk_full,
)
from apps.changesets.identity import TABLE as IDENTITY
from apps.changesets.processes.private_storage import sync_file
from apps.changesets.recording import is_of_recording
from apps.changesets.sql import Row, Sql

PATIENCE_SECONDS = 60
logger = logging.getLogger(__name__)
PAGES_PER_STEP = 1024
ROWS_AT_ONCE = 500


def size(using: str) -> int:
    """Return how many bytes the database has."""
    with _reading(using) as source:
        return _bytes(source)


def copy_into(using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts:
    """Copy the committed rows into the empty file `target`, check the copy, and return its facts.

    With `tables`, the other tables are dropped from the copy. A copy by pages has the bytes of deleted rows, those of
    sessions among them; so it is not the backup itself, which has only what is left of it. Raises CopyDamaged,
    DatabaseBusy, DatabaseUnreadable, DiskFull or UnknownTable.
    """
    pages = target.with_name(f"{target.name}-pages")
    pages.touch(mode=0o600)
    with (
        closing(sqlite3.connect(pages, isolation_level=None)) as whole,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        # The file is synced when it is complete; nobody relies on it before.
        whole.execute("PRAGMA synchronous = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        with _reading(using) as source:
            needed = _bytes(source)
            _copy(source, whole, target)
        try:
            _leave_out(whole, tables)
            whole.execute("VACUUM INTO ?", [str(target)])
            # Out of WAL mode, the copy is a single file wherever it is opened.
            copy.execute("PRAGMA journal_mode = DELETE")
            # Syncing the file while it is checked saves a tenth of the time.
            with ThreadPoolExecutor(max_workers=1) as meanwhile:
                synced = meanwhile.submit(sync_file, target)
                quick_check(copy)
                facts = _facts(copy, using)
                synced.result()
                return facts
        except sqlite3.DatabaseError as error:
            raise _meaning(error, target, needed=needed) or _damaged(str(error)) from error


def facts(using: str, *, hashed: bool = False) -> Facts:
    """Return the facts of the database, which is a file."""
    django = connections[using]
    django.ensure_connection()
    read = _facts(django.connection, using)
    return replace(read, contents=contents_of(Path(django.settings_dict["NAME"]))) if hashed else read


def contents_of(file: Path) -> dict[str, str]:
    """Return a hash over the rows of each table in a file, read in flat memory."""
    hashes = {}
    with closing(sqlite3.connect(f"file:{quote_url(str(file))}?mode=ro", uri=True)) as opened:
        tables = [table for table in tables_in(opened) if table != IDENTITY]
        # Text as its raw bytes, yet of another type than a blob of the same bytes.
        opened.text_factory = bytearray
        for table in tables:
            digest = hashlib.sha256()
            # In the order of the table itself, which is copied too.
            rows = opened.execute(Sql(table=table).fill("SELECT * FROM {table} NOT INDEXED"))
            while part := rows.fetchmany(ROWS_AT_ONCE):
                digest.update(repr(part).encode())
            hashes[table] = digest.hexdigest()
    return hashes


def tables_in(opened: sqlite3.Connection) -> list[str]:
    """Return the tables of a database that are not SQLite's own."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return [name for (name,) in opened.execute(names)]


def strangers_in(opened: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the triggers and views that are not the recording's: what they do, nobody knows who restores them."""
    found = opened.execute("SELECT type, name, tbl_name FROM sqlite_master WHERE type IN ('trigger', 'view')")
    return [(kind, name) for kind, name, table in found.fetchall() if not is_of_recording(name, table)]


def _leave_out(copy: sqlite3.Connection, tables: tuple[str, ...]) -> None:
    """Delete the rows that no backup has, and drop all tables but the chosen ones, if any are."""
    quote = connections["default"].ops.quote_name
    existing = tables_in(copy)
    require_tables(tables, existing)
    copy.execute("PRAGMA foreign_keys = OFF")
    for kind, name in strangers_in(copy):
        logger.warning("The %s %s is not the console's, and so in no backup.", kind, name)
        copy.execute(f"DROP {kind} IF EXISTS {quote(name)}")
    for name in filter(is_left_out, existing):
        copy.execute(Sql(table=name).fill("DELETE FROM {table}"))
    if not tables:
        return
    # Views and triggers refer to tables that are dropped.
    speaking = "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY type"
    for kind, name in copy.execute(speaking).fetchall():
        copy.execute(f"DROP {kind} IF EXISTS {quote(name)}")
    for name in set(existing) - {*tables, MIGRATIONS, IDENTITY}:
        copy.execute(f"DROP TABLE {quote(name)}")


@contextmanager
def _reading(using: str) -> Iterator[sqlite3.Connection]:
    """Give a connection of its own that sees one committed state until the end.

    In WAL mode a reader blocks no writer. Without the read transaction every commit would make the copy begin again,
    and on a busy database it would never end.
    """
    django = connections[using]
    # mode=rw: a missing database is an error; it is not created.
    uri = f"file:{quote_url(str(django.settings_dict['NAME']))}?mode=rw"
    try:
        source = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE_SECONDS)
    except sqlite3.Error as error:
        raise unreadable(django.settings_dict["NAME"], error) from error
    with closing(source):
        try:
            source.execute("BEGIN")
            # The transaction takes its snapshot with the first read.
            source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise unreadable(django.settings_dict["NAME"], error) from error
        yield source


def _copy(source: sqlite3.Connection, copy: sqlite3.Connection, target: Path) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS

    def after_each_step(status: int, _remaining: int, _total: int) -> None:
        # Without this Python would retry forever while the database is locked.
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > give_up:
            raise _busy()

    try:
        source.backup(copy, pages=PAGES_PER_STEP, progress=after_each_step, sleep=0.05)
    except sqlite3.Error as error:
        unreadable = DatabaseUnreadable(f"The database could not be copied into {target.parent}: {error}.")
        raise _meaning(error, target, needed=_bytes(source)) or unreadable from error


def _meaning(error: sqlite3.Error, target: Path, *, needed: int) -> BackupFailure | None:
    """Return the failure for an error of the disk; None when the error is about the content of the copy."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return disk_full(target.parent, needed=needed)
    if code is not None and code & 0xFF == sqlite3.SQLITE_IOERR:
        return BackupFailure(
            f"A disk failed while the backup was written in {target.parent}: {error}. Check the disks."
        )
    return None


def _bytes(source: sqlite3.Connection) -> int:
    return source.execute("PRAGMA page_count").fetchone()[0] * source.execute("PRAGMA page_size").fetchone()[0]


def quick_check(copy: sqlite3.Connection) -> None:
    """Raise CopyDamaged unless SQLite finds the database sound."""
    # The rows broke no constraint in the live database; parsing each JSON value again would double the time.
    copy.execute("PRAGMA ignore_check_constraints = ON")
    result = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise _damaged(result)


def _facts(copy: sqlite3.Connection, using: str) -> Facts:
    def fetch(statement: str) -> list[Row]:
        return copy.execute(statement).fetchall()

    return read_facts(
        fetch,
        Sql(using),
        engine="sqlite",
        server_version=sqlite3.sqlite_version,
        tables=tables_in(copy),
    )


def _busy() -> DatabaseBusy:
    return DatabaseBusy(
        f"Somebody held the database for more than {PATIENCE_SECONDS} seconds, so no backup was made: try again later."
    )


def unreadable(name: object, error: sqlite3.Error) -> DatabaseBusy | DatabaseUnreadable:
    """Return the failure for a database of this name that cannot be opened or read."""
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _busy()
    return DatabaseUnreadable(f"The database {name} cannot be read: {error}. No backup was made; check DATABASE_URL.")


def _damaged(result: str) -> CopyDamaged:
    return CopyDamaged(
        f"The copy of the database is damaged ({' '.join(result.split())}), so it was thrown away. The database itself "
        'is probably damaged too: check it with "PRAGMA integrity_check" before anything is written.'
    )
