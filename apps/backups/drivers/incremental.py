"""Incremental: what was recorded since another backup, and the other tables that changed, as compressed JSON lines."""

from pathlib import Path

from apps.backups.catalogue.facts import Facts
from apps.backups.catalogue.manifests import Backup
from apps.backups.portable.base import Heading, find_base, number_after, read_heading, require_whole
from apps.backups.portable.carried import history_models, other_models
from apps.backups.portable.facts import facts_of, migrations_of, require_all, require_migrated
from apps.backups.portable.reading import check_whole
from apps.backups.portable.replaying import replay
from apps.backups.portable.snapshot import snapshot
from apps.backups.portable.untracked import touched_lines
from apps.backups.portable.writing import RowsSum, encode, packed, write_rows
from apps.changesets.models import Changeset

SUFFIX = ".increment.jsonl.gz"


def copy_into(using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts:
    """Write what was recorded since the newest backup that this database goes on from; return the facts of all of it.

    Raises NoBase where there is none, DatabaseUnreadable, and UnknownTable for chosen tables.
    """
    require_all(tables)
    with snapshot(using) as alias:
        require_migrated(alias)
        return write_since(alias, target, find_base(alias))


def write_since(using: str, target: Path, base: Backup) -> Facts:
    """Write what the open transaction sees recorded since the base, and return the facts of the database."""
    after = number_after(using, base)
    newest = Changeset.objects.using(using).filter(pk=base.newest_changeset or 0).first()
    heading = Heading(
        base=base.id,
        migrations=migrations_of(using),
        after=after,
        base_newest=base.newest_changeset,
        base_newest_at=newest.created_at.isoformat() if newest else None,
        base_rows={model._meta.db_table: base.row_counts[model._meta.db_table] for model in history_models()},
    )
    sums: dict[str, RowsSum] = {}
    with packed(target) as stream:
        stream.write(heading.line)
        for model in other_models():
            table = model._meta.db_table
            # A native base has no hash that could be compared, so the table is written.
            known = base.contents.get(table) if base.kind != "full" else None
            sums[table] = write_rows(using, model, None)
            if sums[table].content != known:
                stream.write(f"{encode({'replaced': model._meta.label_lower})}\n".encode())
                write_rows(using, model, stream)
        written = {
            model._meta.db_table: write_rows(
                using, model, stream, only=lambda rows: rows.filter(changeset_id__gt=after)
            ).rows
            for model in history_models()
        }
        require_whole(using, base, after, written)
        for line in touched_lines(using):
            stream.write(line)
        stream.write(f"{encode({'end': True})}\n".encode())
    return facts_of(using, sums, base=base.id, since=after)


def restore_into(source: Path, using: str) -> None:
    """Bring a database that holds what the base has to where it was when the increment was made; all or nothing.

    Raises BackupUnreadable, ChainBroken, OtherSchema or RestoreFailed.
    """
    replay(source, using)


def check(source: Path) -> None:
    """Raise BackupUnreadable unless the file is whole, and begins as an increment does."""
    check_whole(source)
    read_heading(source)


def facts(using: str, *, hashed: bool = False) -> Facts:
    """Return the facts of the database; only tables that are neither tracked nor history are hashed."""
    return facts_of(using, {m._meta.db_table: write_rows(using, m, None) for m in other_models()} if hashed else {})
