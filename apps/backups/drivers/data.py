"""Portable: the rows of all tables as compressed JSON lines, which `loaddata` reads too, for SQLite and PostgreSQL."""

from pathlib import Path

from apps.backups.catalogue.facts import Facts
from apps.backups.portable.carried import carried_models
from apps.backups.portable.facts import facts_of, require_all, require_migrated
from apps.backups.portable.loading import Loader, all_or_nothing, empty
from apps.backups.portable.reading import check_whole, read_lines
from apps.backups.portable.snapshot import snapshot
from apps.backups.portable.writing import packed, write_rows

SUFFIX = ".jsonl.gz"


def copy_into(using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts:
    """Write the rows of all tables as they are committed now into the empty file `target`, and return their facts.

    Raises DatabaseUnreadable, and UnknownTable for chosen tables.
    """
    require_all(tables)
    with snapshot(using) as alias:
        require_migrated(alias)
        return write_all(alias, target)


def write_all(using: str, target: Path) -> Facts:
    """Write the rows of all tables as the transaction that is open sees them, and return their facts."""
    with packed(target) as stream:
        sums = {model._meta.db_table: write_rows(using, model, stream) for model in carried_models()}
    return facts_of(using, sums)


def restore_into(source: Path, using: str) -> None:
    """Replace all rows by those of the file; raises BackupUnreadable, OtherSchema or RestoreFailed."""
    with all_or_nothing(using, source):
        empty(using, carried_models())
        Loader(using, source).load(read_lines(source))


def check(source: Path) -> None:
    """Raise BackupUnreadable unless the file is whole, and has lines."""
    check_whole(source)


def facts(using: str, *, hashed: bool = False) -> Facts:
    """Return the facts of the database."""
    if hashed:
        return facts_of(using, {model._meta.db_table: write_rows(using, model, None) for model in carried_models()})
    return facts_of(using, {})
