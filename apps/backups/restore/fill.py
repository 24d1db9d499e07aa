"""Filling a database from backups: rows, migrations, recording, sequences, and the proof that history is complete."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from apps.backups.catalogue.facts import Facts
from apps.backups.catalogue.manifests import Backup, list_backups
from apps.backups.drivers import NATIVE, Driver
from apps.backups.drivers.postgresql import drop_tables
from apps.backups.errors import NewerSchema, NotTheSame, OtherEngine
from apps.backups.migrating import without_backup
from apps.backups.portable.cutting import Upto
from apps.backups.portable.facts import migrations_of
from apps.backups.portable.older import carry_names, facts_as_in
from apps.backups.portable.replaying import replay
from apps.backups.restore.jobs import Done, Progress, Step
from apps.backups.restore.opening import driver_of, needed_for, opened
from apps.backups.restore.point_in_time import plan_restore
from apps.changesets.recording import install_recording, recording_problems, uninstall_recording
from apps.changesets.recording.audit import find_drift
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models


def require_fitting(backup: Backup, driver: Driver, *, engine: str) -> None:
    """Raise OtherEngine or NewerSchema when a backup cannot be restored into a database of this engine by this code."""
    if driver.native and backup.engine != engine:
        raise OtherEngine(
            f"The backup {backup.id} is of a {_named(backup.engine)} database and cannot be restored into "
            f"{_named(engine)}: nothing was restored. A backup of kind data moves between them."
        )
    loader = MigrationLoader(None)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    known |= {f"{app}.{name}" for migration in loader.disk_migrations.values() for app, name in migration.replaces}
    if newer := sorted(set(backup.migrations) - known):
        raise NewerSchema(
            f"The backup {backup.id} was made by a newer version of the console ({newer[0]} is not known here): "
            "nothing was restored. Install that version, and restore with it."
        )


def steps_to(
    backup: Backup, files: ExitStack, *, engine: str, progress: Progress, upto: Upto | None = None, trust: bool = False
) -> list[Step]:
    """Return the files to restore, in order, each checked to be signed unless they are trusted, to fit, and unchanged.

    With `upto`, the chain goes through this backup to the one that reaches there.
    """
    steps = []
    chain = needed_for(backup, trust=trust) if upto is None else plan_restore(_beside(backup), upto, through=backup)
    for link in chain:
        progress(f"check {link.id}")
        driver = driver_of(link)
        require_fitting(link, driver, engine=engine)
        cut = upto if link is chain[-1] and link.base is not None else None
        steps.append(Step(link, files.enter_context(opened(link, trust=trust)), driver, cut))
    return steps


def _beside(backup: Backup) -> list[Backup]:
    """Return the backups of the same database, of which a chain can be put together."""
    return [other for other in list_backups() if (other.database, other.foreign) == (backup.database, backup.foreign)]


def fill(using: str, steps: Sequence[Step], *, progress: Progress) -> Done:
    """Restore these backups into a database, one after the other, and bring it to the schema of this code.

    On PostgreSQL everything happens in the transaction that the caller opened. Raises a BackupFailure; then the caller
    must drop the database or roll back.
    """
    migrated: tuple[str, ...] = ()
    if not steps[0].driver.native:
        drop_tables(using)
    portable: list[Path] = []
    older = False
    for step in steps:
        if not step.driver.native:
            migrated += migrate(using, progress=progress)
            uninstall_recording(using)
            portable.append(step.file)
            older = bool(set(migrations_of(using)) - set(step.backup.migrations))
        progress(f"restore {step.backup.id}")
        if step.upto is not None:
            replay(step.file, using, upto=step.upto)
            continue
        step.driver.restorer.restore_into(step.file, using)
        if older:
            require_same(step, facts_as_in(portable, using))
        else:
            require_same(step, step.driver.writer.facts(using, hashed=bool(step.backup.contents)))
        # The recording is made anew: what a file names like it may do something else.
        uninstall_recording(using)
    if older:
        # Only after the last one, because each is compared under the names that it has.
        carry_names(using)
    migrated += migrate(using, progress=progress)
    if recording_problems(using):
        install_recording(using)
    if not steps[-1].driver.native:
        raise_sequences(using)
    progress("audit")
    if connections[using].vendor == "postgresql":
        # Without this the planner knows nothing of the new tables.
        Sql(using).run("ANALYZE")
    objects, drifts = find_drift(using)
    counts = NATIVE[connections[using].vendor].writer.facts(using).row_counts
    # For a portable backup the tables are made first; those migrations are none that it lacks.
    lacked = tuple(name for name in migrated if name not in steps[0].backup.migrations)
    return Done(counts, objects, sum(drift.total for drift in drifts), lacked)


def require_same(step: Step, facts: Facts) -> None:
    """Raise NotTheSame unless each table has the same number of rows, and the same hash, as in the backup."""
    backup = step.backup
    for table in sorted(backup.row_counts):
        rows = facts.row_counts.get(table)
        if rows != backup.row_counts[table]:
            has = "is not there" if rows is None else f"has {rows:,} rows"
            raise NotTheSame(
                f"{table} {has} after restoring {backup.id}, and had {backup.row_counts[table]:,} when it was backed "
                "up: the backup is not good, choose another one."
            )
        hashed = {table} <= backup.contents.keys() & facts.contents.keys()
        if hashed and facts.contents[table] != backup.contents[table]:
            raise NotTheSame(
                f"The rows of {table} after restoring {backup.id} are not those that were backed up: the backup is not "
                "good, choose another one."
            )


def lacking(backup: Backup, using: str) -> tuple[str, ...]:
    """Return the migrations of this code that a backup lacks, in their order."""
    executor = MigrationExecutor(connections[using])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    return tuple(name for name in names if name not in backup.migrations)


def migrate(using: str, *, progress: Progress) -> tuple[str, ...]:
    """Run the migrations that a database lacks, and return their names."""
    executor = MigrationExecutor(connections[using])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return ()
    progress("migrate")
    # Content types have other numbers in this database.
    ContentType.objects.clear_cache()
    postgresql = connections[using].vendor == "postgresql"
    if postgresql:
        # The rows were written in this transaction: PostgreSQL alters no table whose rows have checks to come.
        Sql(using).run("SET CONSTRAINTS ALL IMMEDIATE")
    # Without a backup before it: nothing here is live yet.
    with without_backup(True):
        call_command(MigrateCommand(), database=using, interactive=False, verbosity=0)
    ContentType.objects.clear_cache()
    if postgresql:
        Sql(using).run("SET CONSTRAINTS ALL DEFERRED")
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def raise_sequences(using: str, tables: Iterable[str] | None = None) -> None:
    """Set PostgreSQL's sequences of these tables (None: of all) above every key that was ever used.

    SQLite looks at the rows themselves.
    """
    sql = Sql(using)
    if not sql.postgresql:
        return
    history = {tracked.table: (tracked.history_table, tracked.pk) for tracked in tracked_models()}
    with sql.connection.cursor() as cursor:
        introspection = sql.connection.introspection
        names = list(introspection.table_names(cursor) if tables is None else tables)
        sequences = [sequence for name in names for sequence in introspection.get_sequences(cursor, name)]
    for table, column in ((sequence["table"], sequence["column"]) for sequence in sequences):
        of_table = sql.with_names(table=table, column=column)
        name = sql.value("SELECT pg_get_serial_sequence(%s, %s)", [sql.quote(table), column])
        kept = "0"
        if history.get(table, ("", ""))[1] == column:
            # The key of a deleted row stays that row's.
            kept = of_table.fill("(SELECT max({column}) FROM {history})", history=sql.quote(history[table][0]))
        of_table.run(
            """
            SELECT setval('{sequence}', GREATEST(
                (SELECT max({column}) FROM {table}), (SELECT last_value FROM {sequence}), {kept}, 1
            ))
            """,
            sequence=name,
            kept=kept,
        )


def _named(engine: str) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(engine, engine)
