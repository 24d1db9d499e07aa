"""Restoring chosen tables, live or into a fresh database: backed up first, one changeset, all of it or nothing."""

from django.db import connections, transaction

from apps.backups.aliases import elsewhere
from apps.backups.drivers.saved_rows import at_hand
from apps.backups.errors import TablesRefused
from apps.backups.restore.fill import migrate
from apps.backups.restore.jobs import Done, Job
from apps.backups.restore.rows import restore_tables
from apps.changesets.context import Source, changeset
from apps.changesets.locking import lock_tracked_tables, patience
from apps.changesets.models import Kind
from apps.changesets.recording.audit import find_drift

PATIENCE_SECONDS = 60


def restore_rows(job: Job) -> Done:
    """Make the tables of the job what the backup has.

    A fresh database gets all tables first, and recording is on. There is no changeset where nothing tracked changed.
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
            # Before the backup is attached, whose tables would be taken for those that are not there yet.
            migrate(alias, progress=job.progress)
        with at_hand(alias, step.file), transaction.atomic(using=alias):
            migrate(alias, progress=job.progress)
            return _write(job, alias)


def _write(job: Job, using: str) -> Done:
    backup, live = job.backup, job.into is None
    with changeset(
        kind=Kind.RESTORE,
        # The people of the live database are not elsewhere.
        actor=job.actor if live else None,
        reason=job.reason or f"Tables of {backup.id}",
        source=Source(backup.path, backup.sha256, backup.size_bytes),
        using=using,
    ) as made:
        lock_tracked_tables(using, mode="EXCLUSIVE")
        safety = job.back_up() if live else None
        job.progress(f"restore {', '.join(job.tables)}")
        counts = restore_tables(using, job.steps[-1].file, job.tables)
    job.progress("audit")
    objects, drifts = find_drift(using)
    return Done(counts, objects, sum(drift.total for drift in drifts), safety=safety, changeset=made.pk)
