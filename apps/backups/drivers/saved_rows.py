"""The rows of chosen tables of a backup, in tables that SQL can compare with the live ones."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote as quote_url

from django.db import connections

from apps.backups.drivers.archive import rows_of, script_of
from apps.backups.drivers.postgresql import find_program
from apps.backups.errors import BackupUnreadable, TablesRefused
from apps.changesets.sql import Sql

_SAVED = "saved"
_COPY = re.compile(rb"COPY .+? \((?P<columns>.+)\) FROM stdin;\n")


@contextmanager
def at_hand(using: str, file: Path) -> Iterator[None]:
    """Let transactions within the block read the backup; SQLite attaches the file, which needs no transaction open."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    sql = Sql(using, saved=_SAVED)
    sql.run("ATTACH DATABASE %s AS {saved}", [f"file:{quote_url(str(file))}?mode=ro"])
    try:
        yield
    finally:
        sql.run("DETACH DATABASE {saved}")


def saved_tables(using: str, file: Path, tables: Sequence[str]) -> dict[str, str]:
    """Return the SQL name under which this transaction reads the saved rows of each table.

    Raises TablesRefused when the table has other columns now.
    """
    load = _attached if connections[using].vendor == "sqlite" else _loaded
    return {table: load(using, file, table) for table in tables}


def _attached(using: str, _file: Path, table: str) -> str:
    sql = Sql(using, saved=_SAVED, table=table)
    _require_columns(using, table, sql.firsts("SELECT name FROM pragma_table_info(%s, %s)", [table, _SAVED]))
    return sql.fill("{saved}.{table}")


def _loaded(using: str, file: Path, table: str) -> str:
    """Stream the rows out of the dump into a temporary table."""
    sql = Sql(using, table=table, name=f"saved_{table}"[:63])
    temporary = sql.temp(sql.fill("{name}"))
    options = ["--data-only", f"--table={table}"]
    with sql.connection.cursor() as cursor, script_of(find_program("pg_restore"), file, *options) as script:
        sql.run("CREATE TEMPORARY TABLE {name} (LIKE {table}) ON COMMIT DROP")
        for line in script:
            if header := _COPY.fullmatch(line):
                columns = header["columns"].decode()
                _require_columns(using, table, [name.strip().strip('"') for name in columns.split(",")])
                with cursor.copy(f"COPY {temporary} ({columns}) FROM stdin") as copy:
                    for part in rows_of(script):
                        copy.write(part)
                break
        else:
            raise BackupUnreadable(f"The backup {file.name} has no rows of {table}: choose another one.")
        for _rest in script:
            pass
        sql.run("ANALYZE {temporary}", temporary=temporary)
    return temporary


def _require_columns(using: str, table: str, saved: list[str]) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        live = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    if differing := sorted(live ^ set(saved)):
        raise TablesRefused(
            f"{table} has other columns now than in the backup ({', '.join(differing)}), so its rows cannot come back "
            "by themselves: restore the whole backup, elsewhere with --into."
        )
