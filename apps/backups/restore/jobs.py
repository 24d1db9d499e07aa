"""The job of a restore, and its result."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from apps.backups.catalogue.manifests import Backup
from apps.backups.creating import create_backup
from apps.backups.drivers import Driver
from apps.backups.errors import CopyDamaged, DatabaseUnreadable, RestoreRefused
from apps.backups.guards import GUARDS
from apps.backups.kinds import BEFORE_RESTORE
from apps.backups.portable.cutting import Upto
from apps.changesets.models import Actor

Progress = Callable[[str], None]


def require_quiet(using: str) -> None:
    """Raise RestoreRefused when work is going on whose rows a restore would replace."""
    for guard in GUARDS.of():
        if reason := guard(using):
            raise RestoreRefused(reason)


@dataclass(frozen=True)
class Step:
    """One file to restore: the backup, its plain file, and what restores it."""

    backup: Backup
    file: Path
    driver: Driver
    # Of an increment: the changeset or moment at which to stop; None restores all of it.
    upto: Upto | None = None


@dataclass(frozen=True)
class Job:
    """Files to restore in this order, or only some tables of the last one, into the live database or another one."""

    steps: list[Step]
    tables: tuple[str, ...]
    into: str | None
    using: str
    actor: Actor
    reason: str
    progress: Progress

    @property
    def backup(self) -> Backup:
        """The backup that a person chose."""
        return self.steps[-1].backup

    def back_up(self) -> Backup:
        """Back up the live database, so that the restore can be undone."""
        self.progress("back up what is there now")
        why = f"before {self.backup.id} is restored"
        try:
            return create_backup(actor=self.actor, reason=why, kind=BEFORE_RESTORE, using=self.using)
        except (CopyDamaged, DatabaseUnreadable) as error:
            name = connections[self.using].settings_dict["NAME"]
            raise RestoreRefused(
                f"What is there now is damaged and cannot be backed up, so nothing was restored over it: move {name} "
                "away (with its -wal and -shm, if it is a file), and restore again."
            ) from error


@dataclass(frozen=True)
class Done:
    """The result of a restore: rows of each table, objects, and how many objects differ from their history.

    `migrated` are the migrations that ran, `safety` is the backup made before, `changeset` is the number of the
    changeset that restored chosen tables.
    """

    row_counts: dict[str, int]
    objects: int
    drift: int
    migrated: tuple[str, ...] = ()
    safety: Backup | None = None
    changeset: int | None = None
