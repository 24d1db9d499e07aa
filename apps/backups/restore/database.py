"""Restoring a database: checked and backed up first, all of it or nothing, and noted in the journal."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresqlWrapper

from apps.backups.aliases import elsewhere, engine_of, sqlite_file, without_password
from apps.backups.catalogue.folder import private_folder
from apps.backups.catalogue.journal import note
from apps.backups.catalogue.left_out import log_everybody_out
from apps.backups.catalogue.manifests import Backup
from apps.backups.drivers import postgresql, sqlite_restoring
from apps.backups.errors import ChangedMeanwhile, RestoreRefused, TablesRefused, meaning_for_restore
from apps.backups.portable.cutting import Upto
from apps.backups.restore.fill import fill, steps_to
from apps.backups.restore.jobs import Done, Job, Progress, require_quiet
from apps.backups.restore.point_in_time import in_words
from apps.backups.restore.tables import PATIENCE_SECONDS, require_choosable, restore_rows, why_not_restore
from apps.changesets.identity import identity_of, place_of, set_identity
from apps.changesets.models import Actor
from apps.changesets.processes.locking import lock_tables
from apps.changesets.sql import Sql

ATTEMPTS = 3


@dataclass(frozen=True)
class Restored:
    """The restored backup, its target, the result, and the time it took."""

    backup: Backup
    into: str
    done: Done
    seconds: float

    @property
    def rows(self) -> int:
        """The number of rows of all restored tables."""
        return sum(self.done.row_counts.values())


def restore(
    backup: Backup,
    *,
    actor: Actor,
    reason: str = "",
    into: str | None = None,
    tables: tuple[str, ...] = (),
    upto: Upto | None = None,
    trust: bool = False,
    using: str = "default",
    progress: Progress = lambda step: None,
) -> Restored:
    """Make the live database, or a new one at the file or URL `into`, hold exactly what the backup has.

    With `tables`, only their rows are restored, as one changeset. With `upto`, the increments on it are replayed up to
    that changeset or moment. What this installation did not sign is restored only with `trust`. A live database is
    backed up first; whenever this process dies, it is as before or as after. Migrations that the backup lacks are run.
    Raises a BackupFailure with one sentence; then the database is as it was. The journal has both outcomes.
    """
    started = time.monotonic()
    engine = engine_of(into) if into is not None else connections[using].vendor
    if upto is not None and (tables or backup.tables):
        raise TablesRefused("Only the whole database goes back to a changeset or moment: leave the tables out.")
    with ExitStack() as files:
        steps = steps_to(backup, files, engine=engine, progress=progress, upto=upto, trust=trust)
        job = Job(steps, tables or backup.tables, into, using, actor, reason, progress)
        require_choosable(backup, job.tables)
        if why_not := why_not_restore(actor, job.tables):
            raise RestoreRefused(why_not)
        if into is None:
            require_quiet(using)
        with _noted(job) as outcome:
            done = _carry_out(job, engine)
            restored = Restored(job.backup, _where(job), done, time.monotonic() - started)
            outcome.update(
                safety=done.safety.id if done.safety else None,
                changeset=done.changeset,
                rows=restored.rows,
                drift=done.drift,
            )
    return restored


def _carry_out(job: Job, engine: str) -> Done:
    if job.tables:
        return restore_rows(job)
    if job.into is None:
        return _into_sqlite(job) if engine == "sqlite" else _into_postgresql(job)
    with elsewhere(job.into) as alias:
        if engine == "sqlite":
            return _fill(alias, job)
        with transaction.atomic(using=alias):
            return _fill(alias, job)


def _fill(using: str, job: Job, *, identity: str = "") -> Done:
    """Fill a database, in which nobody is logged in, and which stays the one it was; a new one gets a name."""
    done = fill(using, job.steps, progress=job.progress)
    log_everybody_out(using)
    set_identity(identity, using)
    return done


def _identity_after(job: Job) -> str:
    """Return the name of the live database; one that was lost comes back under the name that its backup has."""
    return _live_identity(job.using) or ("" if job.backup.foreign else job.backup.database)


@contextmanager
def _noted(job: Job) -> Iterator[dict[str, Any]]:
    """Note in the journal that a restore begins and how it ends; the block fills in the outcome."""
    about = {
        "restore": f"{time.time_ns():x}",
        "backup": job.backup.id,
        "into": _where(job),
        **({"database": _live_identity(job.using)} if job.into is None else {}),
        **({"trusted": True} if job.backup.foreign else {}),
        "tables": list(job.tables),
        **({"upto": in_words(job.steps[-1].upto)} if job.steps[-1].upto is not None else {}),
        "actor": job.actor.get_username() if job.actor is not None and job.actor.pk else "",
        "reason": job.reason,
    }
    outcome: dict[str, Any] = {}
    note(**about, result="begun")
    try:
        try:
            yield outcome
        except (DatabaseError, sqlite3.Error, OSError) as error:
            raise meaning_for_restore(error, job.backup.id, patience=PATIENCE_SECONDS) from error
    except BaseException as error:
        note(**about, result="failed", error=str(error) or type(error).__name__)
        raise
    note(**about, result="restored", **outcome)


def _live_identity(using: str) -> str:
    if connections[using].vendor == "sqlite" and not sqlite_restoring.is_there(using):
        return ""
    try:
        return identity_of(using)
    except DatabaseError:
        return ""  # It cannot be read, so backing it up fails with its own sentence.


def _into_sqlite(job: Job) -> Done:
    """Prepare everything in another file, and let SQLite copy that over the live database in one transaction."""
    identity = _identity_after(job)
    with private_folder() as folder:
        prepared = folder / "restored.sqlite3"
        with sqlite_file(prepared) as alias:
            done = _fill(alias, job, identity=identity)
        sqlite_restoring.make_one_file(prepared)
        for attempt in range(1, ATTEMPTS + 1):
            with sqlite_restoring.watching(job.using) as require_unchanged:
                safety = job.back_up() if sqlite_restoring.is_there(job.using) else None
                job.progress("put it in place")
                try:
                    sqlite_restoring.restore_into(prepared, job.using, meanwhile=require_unchanged)
                    break
                except ChangedMeanwhile:
                    # Writes after the safety backup would be lost, so the safety backup is made again.
                    if attempt == ATTEMPTS:
                        raise
    return replace(done, safety=safety)


def _into_postgresql(job: Job) -> Done:
    """Do everything in one transaction that locks out other writers before the safety backup."""
    connection = connections[job.using]
    try:
        with transaction.atomic(using=job.using, durable=True):
            safety = job.back_up() if _keep_writers_out(job.using) else None
            return replace(_fill(job.using, job, identity=_identity_after(job)), safety=safety)
    finally:
        # The script changed settings of the connection, and pooled connections may have plans for the old tables.
        connection.close()
        if isinstance(connection, PostgresqlWrapper):
            connection.close_pool()


def _keep_writers_out(using: str) -> list[str]:
    """Lock all tables against writing until the transaction ends, and return them."""
    sql = Sql(using)
    sql.run("SET LOCAL lock_timeout = '{seconds}s'", seconds=str(PATIENCE_SECONDS))
    tables = postgresql.tables_in(sql)
    if tables:
        lock_tables(tables, using=using)
    return tables


def _where(job: Job) -> str:
    if job.into is not None:
        return without_password(job.into)
    return place_of(job.using)
