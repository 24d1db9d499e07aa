"""PostgreSQL: pg_dump in its custom format, of a snapshot whose rows are counted for the manifest."""

import logging
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.backups.catalogue.facts import Facts, read_facts, require_tables
from apps.backups.catalogue.left_out import is_left_out
from apps.backups.drivers.archive import list_to_play, play, script_of
from apps.backups.errors import (
    BackupFailure,
    CopyDamaged,
    DatabaseBusy,
    DatabaseUnreadable,
    DumpFailed,
    ProgramMissing,
    RestoreFailed,
    disk_full,
)
from apps.changesets.recording import uninstall_recording
from apps.changesets.sql import Sql

PATIENCE_SECONDS = 60
MAGIC = b"PGDMP"
# A sum over the rows in any order: a lost, doubled or altered row changes it. Hashing the text of the rows takes a
# third of the time of pg_dump, runs beside it in the same snapshot, and works for every type.
CONTENT = "COALESCE(SUM(hashtextextended(t::text, 0)::numeric), 0)"
_AS_TEXT = (
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres';"
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'"
)
logger = logging.getLogger(__name__)
_DOES = {"pg_dump": "made", "pg_restore": "restored"}


def size(using: str) -> int:
    """Return the size of the database in bytes; a dump is smaller, compressed and without indexes."""
    with _own_connection(using) as own:
        return _database_size(own)


def facts(using: str, *, hashed: bool = False) -> Facts:
    """Return the facts of the database, as an open transaction sees it."""
    with transaction.atomic(using=using):
        return _facts(connections[using], content=CONTENT if hashed else "NULL")


def check(source: Path) -> None:
    """Raise BackupUnreadable unless pg_restore can read the file, ObjectsRefused, or ProgramMissing."""
    with list_to_play(find_program("pg_restore"), source):
        pass


def restore_bare(source: Path, using: str) -> None:
    """Restore the tables of a dump of chosen ones with their rows, without links, indexes and recording."""
    _play(source, using, "--no-owner", "--no-privileges", "--section=pre-data", "--section=data")


def restore_into(source: Path, using: str) -> None:
    """Replace all tables by those of the dump, inside the caller's transaction.

    Raises BackupUnreadable, DumpFailed, ProgramMissing or RestoreFailed; the caller rolls back.
    """
    drop_tables(using)
    _play(source, using, "--no-owner")


def _play(source: Path, using: str, *options: str) -> None:
    program = find_program("pg_restore")
    try:
        with connections[using].cursor() as cursor:
            with (
                list_to_play(program, source) as chosen,
                script_of(program, source, f"--use-list={chosen}", *options) as script,
                _without_rights(Sql(using)),
            ):
                play(script, cursor)
            # The script emptied it, so that no bare name is looked up.
            cursor.execute("RESET search_path")
    except (DatabaseError, InterfaceError) as error:
        raise RestoreFailed(
            f"PostgreSQL did not take the backup: {_first_line(str(error))}. The database is as it was."
        ) from error


@contextmanager
def _without_rights(sql: Sql) -> Iterator[None]:
    """Act within as a role that may do nothing but make tables here; who is no superuser acts as itself.

    A default or an index of an archive may call functions, and a superuser's can read files.
    """
    if not sql.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield
        return
    sql = sql.with_names(role=f"restoring_{secrets.token_hex(8)}", schema=sql.value("SELECT current_schema()"))
    sql.run("CREATE ROLE {role} NOLOGIN")
    sql.run("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}")
    sql.run("SET LOCAL ROLE {role}")
    yield
    sql.run("RESET ROLE")
    sql.run("REASSIGN OWNED BY {role} TO CURRENT_USER")
    sql.run("DROP OWNED BY {role}")
    sql.run("DROP ROLE {role}")


def drop_tables(using: str) -> None:
    """Drop all tables and the recording; does nothing on SQLite, where new files are filled."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    uninstall_recording(using)
    sql = Sql(connection)
    # All tables, also those that the dump does not know.
    for table in tables_in(sql):
        sql.with_names(table=table).run("DROP TABLE IF EXISTS {table} CASCADE")


def copy_into(using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts:
    """Dump the committed rows into the empty file `target`, and return the facts of exactly that state.

    `tables` limits the dump to these.

    Raises UnknownTable, CopyDamaged, DatabaseBusy, DatabaseUnreadable, DiskFull, DumpFailed or ProgramMissing.
    """
    program = find_program("pg_dump")
    with _own_connection(using) as own, _snapshot(own) as snapshot:
        existing = tables_in(Sql(own))
        require_tables(tables, existing)
        left_out = [f"--exclude-table-data={own.ops.quote_name(name)}" for name in existing if is_left_out(name)]
        left_out += [f"--exclude-table={own.ops.quote_name(name)}" for name in _views_in(Sql(own))]
        with subprocess.Popen(  # noqa: S603 - a program of PostgreSQL's, and options that nobody types
            [program, *_options(own, snapshot, target, tables), *left_out, *_address(own)],
            env=_environment(own),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as dump:
            try:
                facts = _facts(own, only=tables)
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
    if program := shutil.which(name):
        return program
    raise ProgramMissing(
        f"{name} is not on PATH, so no backup was {_DOES[name]}: install PostgreSQL's client programs "
        "(on Debian the package postgresql-client) of the server's version or newer."
    )


def _options(own: BaseDatabaseWrapper, snapshot: str, target: Path, tables: tuple[str, ...]) -> list[str]:
    return [
        *(f"--table={own.ops.quote_name(table)}" for table in tables),
        "--format=custom",
        # A tenth larger than by default, in less than half the time: it pays for the hashes of the rows.
        "--compress=3",
        "--no-password",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={PATIENCE_SECONDS * 1000}",
        f"--file={target}",
    ]


def _address(own: BaseDatabaseWrapper) -> Sequence[str]:
    """Return host, port, user and database as options; those that Django gives psql serve pg_dump, too."""
    return own.client.settings_to_cmd_args_env(own.settings_dict, [])[0][1:]


def _environment(own: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the environment of the program; the password is in it, because arguments are readable by others."""
    connecting = own.client.settings_to_cmd_args_env(own.settings_dict, [])[1] or {}
    return {**os.environ, **connecting, "LC_ALL": "C"}


@contextmanager
def _own_connection(using: str) -> Iterator[BaseDatabaseWrapper]:
    """Give a new connection, because the transaction of the caller's may be open or broken."""
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
    """Hold a snapshot of the committed rows, and give the name by which pg_dump sees the same one."""
    sql = Sql(own)
    sql.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        sql.run("SET LOCAL lock_timeout = '{seconds}s'", seconds=str(PATIENCE_SECONDS))
        yield sql.value("SELECT pg_export_snapshot()")
    finally:
        sql.run("ROLLBACK")


def _facts(own: BaseDatabaseWrapper, *, only: tuple[str, ...] = (), content: str = CONTENT) -> Facts:
    sql = Sql(own)
    # So that values as text are the same on every server.
    sql.run(_AS_TEXT)
    return read_facts(
        lambda statement: sql.rows("{statement}", statement=statement),
        sql,
        engine="postgresql",
        server_version=sql.value("SHOW server_version"),
        tables=tables_in(sql),
        only=only,
        content=content,
    )


def tables_in(sql: Sql) -> list[str]:
    """Return the tables of our schema; temporary ones are not in it."""
    return sql.firsts("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")


def _views_in(sql: Sql) -> list[str]:
    """Return the views of our schema, none of which is the console's."""
    views = sql.firsts(
        """
        SELECT relname FROM pg_class WHERE relkind IN ('v', 'm', 'f')
        AND relnamespace = current_schema()::regnamespace ORDER BY relname
        """
    )
    for view in views:
        logger.warning("The view %s is not the console's, and so in no backup.", view)
    return views


def _database_size(own: BaseDatabaseWrapper) -> int:
    # How many bytes the database has on the server's disk.
    size: int = Sql(own).value("SELECT pg_database_size(current_database())")
    return size


def _failed(status: int, complaints: str, target: Path, *, needed: int) -> BackupFailure:
    if "No space left on device" in complaints or "Disk quota exceeded" in complaints:
        return disk_full(target.parent, needed=needed)
    if "lock timeout" in complaints:
        return _busy()
    message = _first_line(complaints) or f"it ended with status {status} and no message"
    return DumpFailed(f"pg_dump made no backup: {message}. Nothing of it is left.")


def _busy() -> DatabaseBusy:
    return DatabaseBusy(
        f"Somebody held a table for more than {PATIENCE_SECONDS} seconds (a migration?), so no backup was made: "
        "try again later."
    )


def _first_line(text: str) -> str:
    return next((line.strip().rstrip(".") for line in text.splitlines() if line.strip()), "")
