"""PostgreSQL: pg_dump in its custom format, of a snapshot whose rows are counted for the manifest."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.backups.errors import (
    BackupFailure,
    CopyDamaged,
    DatabaseBusy,
    DatabaseUnreadable,
    DumpFailed,
    ProgramMissing,
    disk_full,
)
from apps.backups.facts import Facts, read_facts

PATIENCE_SECONDS = 60
MAGIC = b"PGDMP"


def size(using: str) -> int:
    """Return how many bytes the database has; a dump, being compressed and without indexes, has fewer."""
    with _own_connection(using) as own:
        return _database_size(own)


def copy_into(using: str, target: Path) -> Facts:
    """Dump what is committed now into the empty file `target`, and return the facts of exactly that state.

    Raises CopyDamaged, DatabaseBusy, DatabaseUnreadable, DiskFull, DumpFailed or ProgramMissing.
    """
    program = find_program("pg_dump")
    with _own_connection(using) as own, _snapshot(own) as snapshot:
        with subprocess.Popen(  # noqa: S603 - a program of PostgreSQL's, and options that nobody types
            [program, *_options(snapshot, target), *_address(own)],
            env=_environment(own),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as dump:
            try:
                facts = _facts(own)
                complaints = dump.communicate()[1]
            except BaseException:
                dump.kill()
                raise
        if dump.returncode:
            raise _failed(dump.returncode, complaints, target, needed=_database_size(own))
    with target.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise CopyDamaged("pg_dump wrote no dump, though it said so: what it wrote was thrown away. Check pg_dump.")
    return facts


def find_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; raises ProgramMissing when it is not installed."""
    if found := shutil.which(name):
        return found
    raise ProgramMissing(
        f"{name} is not on PATH, so no backup was made: install PostgreSQL's client programs "
        "(on Debian the package postgresql-client) of the server's version or newer."
    )


def _options(snapshot: str, target: Path) -> list[str]:
    return [
        "--format=custom",
        "--no-password",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={PATIENCE_SECONDS * 1000}",
        f"--file={target}",
    ]


def _address(own: BaseDatabaseWrapper) -> list[str]:
    """Return host, port, user and database as options; Django's own words for psql, which pg_dump shares."""
    return own.client.settings_to_cmd_args_env(own.settings_dict, [])[0][1:]


def _environment(own: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the environment of the program: the password is in it, where other users of the machine cannot read it."""
    ours = own.client.settings_to_cmd_args_env(own.settings_dict, [])[1] or {}
    return {**os.environ, **ours, "LC_ALL": "C"}


@contextmanager
def _own_connection(using: str) -> Iterator[BaseDatabaseWrapper]:
    """Give a connection apart from the caller's, whose transaction may be open or broken."""
    own = connections.create_connection(using)
    try:
        yield own
    except (DatabaseError, InterfaceError) as error:
        if getattr(error.__cause__, "sqlstate", None) == "55P03":
            raise _busy() from error
        raise DatabaseUnreadable(
            f"The database cannot be read: {_first_line(str(error))}. No backup was made."
        ) from error
    finally:
        own.close()


@contextmanager
def _snapshot(own: BaseDatabaseWrapper) -> Iterator[str]:
    """Hold one committed state, and give the name by which pg_dump sees the same one."""
    with own.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
            cursor.execute("SELECT pg_export_snapshot()")
            yield cursor.fetchone()[0]
        finally:
            cursor.execute("ROLLBACK")


def _facts(own: BaseDatabaseWrapper) -> Facts:
    # The tables of our schema; temporary ones are not in it.
    names = _fetch(
        own,
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
    )
    return read_facts(
        lambda statement: _fetch(own, statement),
        own.ops.quote_name,
        engine="postgresql",
        server_version=_fetch(own, "SHOW server_version")[0][0],
        tables=[name for (name,) in names],
    )


def _fetch(own: BaseDatabaseWrapper, statement: str) -> list[tuple]:
    with own.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _database_size(own: BaseDatabaseWrapper) -> int:
    # How many bytes the database has on the server's disk.
    return _fetch(own, "SELECT pg_database_size(current_database())")[0][0]


def _failed(status: int, complaints: str, target: Path, *, needed: int) -> BackupFailure:
    if "No space left on device" in complaints or "Disk quota exceeded" in complaints:
        return disk_full(target.parent, needed=needed)
    if "lock timeout" in complaints:
        return _busy()
    said = _first_line(complaints) or f"it ended with status {status} and no word"
    return DumpFailed(f"pg_dump made no backup: {said}. Nothing of it is left.")


def _busy() -> DatabaseBusy:
    return DatabaseBusy(
        f"Somebody held a table for more than {PATIENCE_SECONDS} seconds (a migration?), so no backup was made: "
        "try again later."
    )


def _first_line(text: str) -> str:
    return next((line.strip().rstrip(".") for line in text.splitlines() if line.strip()), "")
