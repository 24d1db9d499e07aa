"""Portable: the rows of all tables as compressed JSON lines, which `loaddata` reads too, for SQLite and PostgreSQL."""

from pathlib import Path

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from apps.backups.errors import UnknownTable
from apps.backups.facts import Facts
from apps.backups.portable.carried import carried_models
from apps.backups.portable.loading import Loader, all_or_nothing, empty
from apps.backups.portable.reading import check_whole, read_lines
from apps.backups.portable.snapshot import snapshot
from apps.backups.portable.writing import Told, count_links, packed, server_version, write_rows
from apps.changesets.models import Changeset

SUFFIX = ".jsonl.gz"


def copy_into(using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts:
    """Write the rows of all tables as they are committed now into the empty file `target`, and return their facts.

    Raises DatabaseUnreadable, and UnknownTable for chosen tables.
    """
    require_all(tables)
    with snapshot(using) as alias:
        return write_all(alias, target)


def write_all(using: str, target: Path) -> Facts:
    """Write the rows of all tables as the transaction that is open sees them, and return their facts."""
    with packed(target) as stream:
        told = {model._meta.db_table: write_rows(using, model, stream) for model in carried_models()}
    return facts_of(using, told)


def restore_into(source: Path, using: str) -> None:
    """Replace all rows by those of the file; raises BackupUnreadable, OtherSchema or RestoreFailed."""
    with all_or_nothing(using, source):
        empty(using, carried_models())
        Loader(using, source).load(read_lines(source))


def check(source: Path) -> None:
    """Raise BackupUnreadable unless the file is whole, and has lines."""
    check_whole(source)


def facts(using: str, *, hashed: bool = False) -> Facts:
    """Return the facts of what is in the database now."""
    if hashed:
        return facts_of(using, {model._meta.db_table: write_rows(using, model, None) for model in carried_models()})
    counts = {model._meta.db_table: model._base_manager.using(using).count() for model in carried_models()}
    return facts_of(using, {table: Told(rows) for table, rows in counts.items()}, hashed=False)


def facts_of(using: str, told: dict[str, Told], *, hashed: bool = True) -> Facts:
    """Return the facts of a database whose tables have these rows."""
    return Facts(
        engine=connections[using].vendor,
        server_version=server_version(using),
        migrations=migrations_of(using),
        newest_changeset=newest_changeset(using),
        row_counts={**{table: each.rows for table, each in told.items()}, **count_links(using, carried_models())},
        contents={table: each.content for table, each in told.items()} if hashed else {},
    )


def migrations_of(using: str) -> tuple[str, ...]:
    """Return the migrations that a database has, by app and name."""
    return tuple(sorted(f"{app}.{name}" for app, name in MigrationRecorder(connections[using]).applied_migrations()))


def newest_changeset(using: str) -> int | None:
    """Return the number of the newest changeset, or None where there is none."""
    return Changeset.objects.using(using).order_by("-pk").values_list("pk", flat=True).first()


def require_all(tables: tuple[str, ...]) -> None:
    """Raise UnknownTable when only some tables are asked for."""
    if tables:
        raise UnknownTable(
            f"A portable backup has all tables, and not {tables[0]} alone: leave the tables out, or make a full backup."
        )
