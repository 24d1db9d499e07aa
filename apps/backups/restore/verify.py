"""Verifying a backup: it is restored into a scratch database, and every table is compared with the manifest."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from django.db import DatabaseError, connections, transaction

from apps.backups.aliases import scratch_postgresql, sqlite_file
from apps.backups.catalogue.folder import private_folder
from apps.backups.catalogue.manifests import Backup, amend
from apps.backups.catalogue.offsite import tell_copy
from apps.backups.drivers import postgresql
from apps.backups.drivers.sqlite import contents_of
from apps.backups.errors import (
    BackupAltered,
    BackupFailure,
    BackupUnreadable,
    NotTheSame,
    OtherEngine,
    meaning_for_restore,
)
from apps.backups.portable.older import dropped_in
from apps.backups.restore.fill import fill, lacking, require_same, steps_to
from apps.backups.restore.jobs import Done, Progress, Step
from apps.backups.restore.opening import driver_of, needed_for, opened
from apps.backups.restore.tables import PATIENCE_SECONDS

# These errors show a bad backup; all others show an obstacle of today.
AGAINST = (BackupAltered, BackupUnreadable, NotTheSame)


def verify(backup: Backup, *, using: str = "default", progress: Progress = lambda step: None) -> Backup:
    """Restore a backup into a scratch database, compare, and return it with the proof in its manifest.

    The code is that of a restore. Each table must have the number of rows and the hash of the snapshot that was backed
    up. On PostgreSQL the hash was taken from the snapshot. On SQLite it is taken from the copy, which is the snapshot
    page by page and which its SHA-256 proves unchanged. Raises a BackupFailure; if the backup is bad, its manifest
    says so.
    """
    try:
        steps, filled = _prove(backup, using=using, progress=progress)
    except AGAINST as error:
        _note_fault(backup, error)
        raise
    proof = f"Restored into a scratch database: {backup.rows:,} rows in {len(backup.row_counts):,} tables are the same"
    if filled.migrated:
        proof = f"Made before migration {_in_words(filled.migrated)}; all its rows are there. {proof}"
        if dropped := dropped_in([step.file for step in steps if not step.driver.native]):
            proof += f", without what migrations dropped since ({', '.join(dropped)})"
    if filled.drift:
        proof += f"; {filled.drift:,} objects differ from their history, as they did when it was made"
    contents = steps[-1].backup.contents
    return tell_copy(amend(backup, verified_at=datetime.now(tz=UTC), verified=f"{proof}.", contents=contents))


def _in_words(migrated: Sequence[str]) -> str:
    return migrated[0] + (f" and {len(migrated) - 1:,} more" if migrated[1:] else "")


def _note_fault(backup: Backup, error: Exception) -> None:
    """Write the fault into the manifest, and into those of bad backups under it: nothing may go on from them."""
    for under in needed_for(backup)[:-1]:
        try:
            with opened(under):
                pass
        except AGAINST as found:
            tell_copy(amend(under, verified_at=None, verified=str(found)))
        except (BackupFailure, OSError):
            continue  # An obstacle of today does not make it bad.
    tell_copy(amend(backup, verified_at=None, verified=str(error)))


def _prove(backup: Backup, *, using: str, progress: Progress) -> tuple[list[Step], Done]:
    live = connections[using].vendor
    engine = backup.engine if driver_of(backup).native else live
    if engine == "postgresql" and live != "postgresql":
        raise OtherEngine(
            f"The backup {backup.id} is of a PostgreSQL database: verify it with DATABASE_URL naming one on a server "
            "of its own kind."
        )
    with ExitStack() as files:
        steps = [_hashed(step) for step in steps_to(backup, files, engine=engine, progress=progress)]
        try:
            with _scratch(engine, using=using) as alias:
                return steps, _fill(alias, steps, progress=progress)
        except (DatabaseError, sqlite3.Error, OSError) as error:
            raise meaning_for_restore(error, backup.id, patience=PATIENCE_SECONDS) from error


def _fill(alias: str, steps: list[Step], *, progress: Progress) -> Done:
    """Restore as a restore does; a backup of chosen tables, without the others, is restored with its rows only."""
    step = steps[-1]
    if not step.backup.tables:
        return fill(alias, steps, progress=progress)
    restore_into = postgresql.restore_bare if step.backup.engine == "postgresql" else step.driver.restorer.restore_into
    progress(f"restore {step.backup.id}")
    restore_into(step.file, alias)
    require_same(step, step.driver.writer.facts(alias, hashed=True))
    return Done(step.backup.row_counts, 0, 0, lacking(step.backup, alias))


def _hashed(step: Step) -> Step:
    """Return the step with the hashes that SQLite's driver leaves for now."""
    backup = step.backup
    if backup.contents or not step.driver.native or backup.engine != "sqlite":
        return step
    return replace(step, backup=replace(backup, contents=contents_of(step.file)))


@contextmanager
def _scratch(engine: str, *, using: str) -> Iterator[str]:
    if engine == "sqlite":
        with private_folder() as folder, sqlite_file(folder / "scratch.sqlite3") as alias:
            yield alias
        return
    with scratch_postgresql(using) as alias, transaction.atomic(using=alias):
        yield alias
