"""The facts of a portable backup for its manifest: only the carried tables, and equal on every engine."""

import sqlite3

from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from apps.backups.catalogue.facts import Facts
from apps.backups.errors import DatabaseUnreadable, UnknownTable
from apps.backups.portable.carried import carried_models, links_of, through_of
from apps.backups.portable.writing import RowsSum
from apps.changesets.history.cursors import cursor_now
from apps.changesets.identity import identity_of
from apps.changesets.models import Changeset
from apps.changesets.sql import Sql


def facts_of(using: str, sums: dict[str, RowsSum], *, base: str | None = None, since: int | None = None) -> Facts:
    """Return the facts of a database, with the hashes in `sums`."""
    return Facts(
        engine=connections[using].vendor,
        server_version=_server_version(using),
        migrations=migrations_of(using),
        newest_changeset=newest_changeset(using),
        row_counts={**count_rows(using), **{table: rows_sum.rows for table, rows_sum in sums.items()}},
        contents={table: rows_sum.content for table, rows_sum in sums.items()},
        base=base,
        since_changeset=since,
        database=identity_of(using),
        cursor=cursor_now(using, settled=False).text,
    )


def count_rows(using: str) -> dict[str, int]:
    """Return the number of rows of each carried table, those of many-to-many fields included."""
    through = [through_of(field) for model in carried_models() for field in links_of(model)]
    return {model._meta.db_table: model._base_manager.using(using).count() for model in (*carried_models(), *through)}


def migrations_of(using: str) -> tuple[str, ...]:
    """Return the migrations that a database has, by app and name."""
    return tuple(sorted(f"{app}.{name}" for app, name in MigrationRecorder(connections[using]).applied_migrations()))


def newest_changeset(using: str) -> int | None:
    """Return the number of the newest changeset, or None where there is none."""
    return Changeset.objects.using(using).order_by("-pk").values_list("pk", flat=True).first()


def require_all(tables: tuple[str, ...]) -> None:
    """Raise UnknownTable when only some tables are chosen."""
    if tables:
        raise UnknownTable(
            f"A portable backup has all tables, and not {tables[0]} alone: leave the tables out, or make a full backup."
        )


def require_migrated(using: str) -> None:
    """Raise DatabaseUnreadable when the database lacks migrations, because this code could not read its tables."""
    executor = MigrationExecutor(connections[using])
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise DatabaseUnreadable(
            f"The database lacks migrations ({plan[0][0]} is the first), so no portable backup was made: run "
            "`manage.py migrate` first, or make a full backup."
        )


def _server_version(using: str) -> str:
    sql = Sql(using)
    return str(sql.value("SHOW server_version")) if sql.postgresql else sqlite3.sqlite_version
