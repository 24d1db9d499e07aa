"""The facts of a database for its manifest, read from the copy itself or from the dumped snapshot."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from apps.backups.catalogue.left_out import is_left_out
from apps.backups.errors import UnknownTable
from apps.changesets.history.cursors import Fetch, cursor_now
from apps.changesets.identity import TABLE as IDENTITY
from apps.changesets.identity import identity_of
from apps.changesets.models import Changeset, ChangesetTransaction
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

MIGRATIONS = "django_migrations"


@dataclass(frozen=True)
class Facts:
    """The numbers and names that describe a database at one moment."""

    engine: str
    server_version: str
    migrations: tuple[str, ...]
    newest_changeset: int | None
    row_counts: dict[str, int]
    # The name of the database; empty where it has none yet.
    database: str = ""
    # A hash over the rows of each table, where the driver takes one.
    contents: dict[str, str] = field(default_factory=dict)
    # Of an incremental backup: the full one that it goes on from, and the changeset after which it has all.
    base: str | None = None
    since_changeset: int | None = None
    # The place in the order of commits up to which it holds the history; empty where migrations are lacking.
    cursor: str = ""


def read_facts(
    fetch: Fetch,
    sql: Sql,
    *,
    engine: str,
    server_version: str,
    tables: list[str],
    only: Collection[str] = (),
    content: str = "NULL",
) -> Facts:
    """Return the facts of a database whose tables are these; `fetch` runs a query that `sql` filled.

    `only` limits the counted tables; `content` is SQL that hashes the rows of a table called `t`.
    """
    # The name of the database is the one thing that a restore does not bring back.
    chosen = sorted({*(only or tables)} - {IDENTITY})
    # The number of rows of each table, and a hash over them.
    count = "SELECT COUNT(*), {content} FROM {table} t"
    # A table that is left out is empty in the backup.
    empty = (0, None if content == "NULL" else 0)
    counted = {
        table: empty if is_left_out(table) else fetch(sql.with_names(table=table).fill(count, content=content))[0]
        for table in chosen
    }
    return Facts(
        engine=engine,
        server_version=server_version,
        migrations=_migrations(fetch, sql) if MIGRATIONS in tables else (),
        newest_changeset=_newest_changeset(fetch, sql) if Changeset._meta.db_table in tables else None,
        row_counts={table: count for table, (count, _) in counted.items()},
        contents={table: str(content) for table, (_, content) in counted.items() if content is not None},
        database=identity_of(sql.using, fetch=fetch),
        cursor=cursor_now(sql.using, settled=False, fetch=fetch).text if _history_tables() <= {*tables} else "",
    )


def require_tables(chosen: Iterable[str], existing: Iterable[str]) -> None:
    """Raise UnknownTable when one of the chosen tables does not exist, or is never backed up."""
    existing = [table for table in existing if not is_left_out(table)]
    if unknown := sorted(set(chosen) - set(existing)):
        raise UnknownTable(f"There is no table {unknown[0]!r}: choose from {', '.join(sorted(existing))}.")


def _history_tables() -> set[str]:
    return {
        IDENTITY,
        Changeset._meta.db_table,
        ChangesetTransaction._meta.db_table,
        *(tracked.history_table for tracked in tracked_models()),
    }


def _migrations(fetch: Fetch, sql: Sql) -> tuple[str, ...]:
    # The applied migrations, each once, by app and name.
    rows = fetch(sql.with_names(table=MIGRATIONS).fill("SELECT DISTINCT app, name FROM {table} ORDER BY app, name"))
    return tuple(f"{app}.{name}" for app, name in rows)


def _newest_changeset(fetch: Fetch, sql: Sql) -> int | None:
    # The number of the newest changeset, or nothing where there is none.
    table = Changeset._meta.db_table
    newest: int | None = fetch(sql.with_names(table=table).fill("SELECT MAX(id) FROM {table}"))[0][0]
    return newest
