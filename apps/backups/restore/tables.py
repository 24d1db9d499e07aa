"""Restoring the rows of chosen tables, live or elsewhere: one changeset, recorded and revertible like any other.

Each table becomes exactly what the backup has: rows that the backup lacks are deleted, others are changed or inserted.
Equal rows are not written.
"""

from collections.abc import Sequence
from pathlib import Path

from django.db import connections, transaction

from apps.backups.aliases import elsewhere
from apps.backups.catalogue.facts import MIGRATIONS
from apps.backups.catalogue.left_out import is_left_out
from apps.backups.catalogue.manifests import Backup
from apps.backups.drivers.saved_columns import defaults_of
from apps.backups.drivers.saved_rows import Saved, at_hand, saved_tables
from apps.backups.errors import TablesRefused, UnknownTable
from apps.backups.kinds import NATIVE_KINDS
from apps.backups.restore.fill import migrate, raise_sequences
from apps.backups.restore.jobs import Done, Job
from apps.changesets.context import Source, changeset
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.processes.locking import alone, patience
from apps.changesets.recording.audit import find_drift
from apps.changesets.rights import within_rights
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

PATIENCE_SECONDS = 60


def offered(backup: Backup) -> list[str]:
    """Return the tables of a backup whose rows people bring back alone, the tracked ones; only native ones have any."""
    if backup.kind not in NATIVE_KINDS:
        return []
    return [tracked.table for tracked in tracked_models() if tracked.table in backup.row_counts]


def why_not_restore(actor: Actor, tables: Sequence[str]) -> str | None:
    """Return why somebody may not restore these tables (none: the whole database), or None.

    Accounts, groups and permissions are for superusers; what is tracked can be reverted. Who uses the command line has
    the files anyway.
    """
    tracked = {of.table for of in tracked_models()}
    if actor is None or actor.is_superuser or (tables and tracked.issuperset(tables)):
        return None
    return (
        "Only a superuser restores accounts, groups, permissions and all else that is not tracked: choose the rows of "
        "tables, or ask a superuser. Nothing was restored."
    )


def require_choosable(backup: Backup, tables: Sequence[str]) -> None:
    """Raise UnknownTable or TablesRefused unless the backup has these tables and they can be restored alone."""
    if unknown := sorted(set(tables) - set(backup.row_counts)):
        raise UnknownTable(
            f"The backup {backup.id} has no table {unknown[0]!r}: choose from {', '.join(sorted(backup.row_counts))}."
        )
    if refused := sorted(filter(_belongs_together, tables)):
        raise TablesRefused(
            f"{refused[0]} comes back only with the whole database, since rows and their history belong together: "
            "leave it out, or restore everything (--into restores it elsewhere)."
        )


def _belongs_together(table: str) -> bool:
    """Whether a table holds history, changesets or the list of migrations, or nothing at all in a backup."""
    together = {MIGRATIONS, *(tracked.history_table for tracked in tracked_models())}
    return table in together or is_left_out(table) or table.startswith(f"{Changeset._meta.app_label}_")


def restore_rows(job: Job) -> Done:
    """Make the tables of the job equal to those of the backup.

    A new database gets all tables and the recording first. There is no changeset when nothing tracked changed.
    """
    step = job.steps[-1]
    if not step.driver.native:
        raise TablesRefused(
            f"Chosen tables come out of full backups, and {step.backup.id} is of kind {step.backup.kind}: choose a "
            "full one, or restore everything."
        )
    if job.into is None:
        with at_hand(job.using, step.file), patience(PATIENCE_SECONDS, using=job.using):
            return _write(job, job.using)
    with elsewhere(job.into) as alias:
        if connections[alias].vendor == "sqlite":
            # Before the backup is attached, because its tables would be taken for the missing ones.
            migrate(alias, progress=job.progress)
        with at_hand(alias, step.file), transaction.atomic(using=alias):
            migrate(alias, progress=job.progress)
            return _write(job, alias)


def _write(job: Job, using: str) -> Done:
    backup, live = job.backup, job.into is None
    with (
        within_rights(job.actor if live else None),
        changeset(
            kind=Kind.RESTORE,
            # Another database does not have the users of the live one.
            actor=job.actor if live else None,
            reason=job.reason or f"Tables of {backup.id}",
            source=Source(backup.path, backup.sha256, backup.size_bytes),
            using=using,
        ) as made,
        alone(made, using=using),
    ):
        safety = job.back_up() if live else None
        job.progress(f"restore {', '.join(job.tables)}")
        counts = restore_tables(using, job.steps[-1].file, job.tables)
    job.progress("audit")
    objects, drifts = find_drift(using)
    return Done(counts, objects, sum(drift.total for drift in drifts), safety=safety, changeset=made.pk)


def restore_tables(using: str, file: Path, tables: Sequence[str]) -> dict[str, int]:
    """Make these tables hold the rows of the backup, in the open transaction; return the number of rows of each.

    Raises TablesRefused when a row would point to a missing one.
    """
    sql = Sql(using)
    for table, saved in saved_tables(using, file, tables).items():
        _make_same(sql, table, saved)
    _require_targets(sql, tables)
    raise_sequences(using, tables)
    return sql.count_rows(tables)


def _make_same(sql: Sql, table: str, saved: Saved) -> None:
    """Make the rows equal in the columns that the backup has; in newer ones rows that come back get the default."""
    columns = saved.columns
    with sql.connection.cursor() as cursor:
        introspection = sql.connection.introspection
        live_columns = [column.name for column in introspection.get_table_description(cursor, table)]
        constraints = introspection.get_constraints(cursor, table).values()
    key = next(constraint["columns"][0] for constraint in constraints if constraint["primary_key"])
    sql = sql.with_names(live=table, key=key, columns=columns).with_parts(saved=saved.name)
    live = sql.quote(table)
    # Rows that the backup does not have.
    sql.run("DELETE FROM {live} WHERE NOT EXISTS (SELECT 1 FROM {saved} s WHERE s.{key} = {live}.{key})")
    for constraint in constraints:
        unique = constraint["unique"] and not constraint["primary_key"] and constraint["columns"]
        if unique and set(unique).issubset(columns):
            # Rows whose unique value another row has in the backup: they are inserted again, so that values can swap.
            sql.run(
                """
                DELETE FROM {live} WHERE EXISTS (SELECT 1 FROM {saved} s WHERE {same} AND s.{key} <> {live}.{key})
                """,
                same=sql.same(constraint["columns"], "s", live),
            )
    # Rows that differ from the backup.
    sql.run(
        "UPDATE {live} SET {taken} FROM {saved} s WHERE s.{key} = {live}.{key} AND ({differ})",
        taken=sql.taken(columns, of="s"),
        differ=sql.differ(columns, live, "s"),
    )
    newer = [column for column in live_columns if column not in columns]
    # Rows that are only in the backup.
    sql.run(
        """
        INSERT INTO {live} ({columns}{newer}) SELECT {values}{defaults} FROM {saved} s
        WHERE NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{key} = s.{key})
        """,
        defaults_of(sql.using, table, newer),
        newer="".join(f", {sql.quote(column)}" for column in newer),
        values=sql.names(columns, of="s"),
        defaults=", %s" * len(newer),
    )


def _require_targets(sql: Sql, tables: Sequence[str]) -> None:
    """Raise TablesRefused when a link from or to one of these tables has no target."""
    with sql.connection.cursor() as cursor:
        introspection = sql.connection.introspection
        links = [
            (table, column, *target[:2])
            for table in introspection.table_names(cursor)
            for column, target in introspection.get_relations(cursor, table).items()
        ]
    for table, column, target_column, target in links:
        if not {table, target} & set(tables):
            continue
        # Rows whose target is missing.
        lost = sql.with_names(table=table, column=column, target=target, key=target_column).value(
            """
            SELECT count(*) FROM {table} l
            WHERE l.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {target} t WHERE t.{key} = l.{column})
            """
        )
        if lost:
            raise TablesRefused(
                f"{lost:,} rows of {table} would point to rows of {target} that are not there ({column}): nothing was "
                f"restored. Restore {target if table in tables else table} along with it."
            )
