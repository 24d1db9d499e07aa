"""The rows of chosen tables of a backup, in tables that SQL can compare with the live ones."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote as quote_url

from django.db import connections

from apps.backups.drivers.archive import rows_of, script_of
from apps.backups.drivers.postgresql import find_program
from apps.backups.drivers.saved_columns import carry_in, columns_now
from apps.backups.errors import BackupUnreadable
from apps.changesets.sql import Sql

_SAVED = "saved"
_COPY = re.compile(rb"COPY .+? \((?P<columns>.+)\) FROM stdin;\n")


@dataclass(frozen=True)
class Saved:
    """The SQL name of the saved rows of a table, and those of its present columns that they have."""

    name: str
    columns: list[str]


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


def saved_tables(using: str, file: Path, tables: Sequence[str]) -> dict[str, Saved]:
    """Return how this transaction reads the saved rows of each table.

    Columns that were renamed since have their present names. Raises TablesRefused when the backup has a column that no
    migration tells of, or lacks one that has no field.
    """
    load = _attached if connections[using].vendor == "sqlite" else _loaded
    return {table: load(using, file, table) for table in tables}


def _attached(using: str, _file: Path, table: str) -> Saved:
    name = _temporary(table)
    sql = Sql(using, saved=_SAVED, table=table, name=name)
    now = columns_now(using, table, sql.firsts("SELECT name FROM pragma_table_info(%s, %s)", [table, _SAVED]))
    taken = {old: new for old, new in now.items() if new is not None}
    if all(old == new for old, new in taken.items()):
        return Saved(sql.fill("{saved}.{table}"), list(taken))
    sql.drop_temps([name])
    sql.run(
        "CREATE TEMPORARY TABLE {name} AS SELECT {columns} FROM {saved}.{table}",
        columns=", ".join(f"{sql.quote(old)} AS {sql.quote(new)}" for old, new in taken.items()),
    )
    carry_in(using, table, name)
    return Saved(sql.temp(sql.fill("{name}")), list(taken.values()))


def _loaded(using: str, file: Path, table: str) -> Saved:
    """Stream the rows out of the dump into a temporary table."""
    name = _temporary(table)
    sql = Sql(using, table=table, name=name)
    temporary = sql.temp(sql.fill("{name}"))
    options = ["--data-only", f"--table={table}"]
    with sql.connection.cursor() as cursor, script_of(find_program("pg_restore"), file, *options) as script:
        for line in script:
            if header := _COPY.fullmatch(line):
                columns = [column.strip().strip('"') for column in header["columns"].decode().split(",")]
                now = columns_now(using, table, columns)
                # What migrations dropped since is in the dump, and is read as text.
                kept = [sql.quote(new) if new else f"NULL::text AS {sql.quote(old)}" for old, new in now.items()]
                sql.run(
                    """
                    CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {kept} FROM {table} WITH NO DATA
                    """,
                    kept=", ".join(kept),
                )
                names = sql.names(new or old for old, new in now.items())
                with cursor.copy(f"COPY {temporary} ({names}) FROM stdin") as copy:
                    for part in rows_of(script):
                        copy.write(part)
                break
        else:
            raise BackupUnreadable(f"The backup {file.name} has no rows of {table}: choose another one.")
        for _rest in script:
            pass
        if any(old != new for old, new in now.items()):
            carry_in(using, table, name)
        sql.run("ANALYZE {temporary}", temporary=temporary)
    return Saved(temporary, [new for new in now.values() if new])


def _temporary(table: str) -> str:
    return f"saved_{table}"[:63]
