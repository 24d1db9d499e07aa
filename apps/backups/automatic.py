"""Automatic backups, made before an import, a bulk deletion or a migration."""

from datetime import timedelta

from django.conf import settings
from django.db import connections
from django.utils import timezone

from apps.backups.catalogue.manifests import Backup, own_backups
from apps.backups.catalogue.pruning import prune_automatic
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure
from apps.backups.kinds import BEFORE_BULK, BEFORE_IMPORT, NATIVE_KINDS
from apps.changesets.errors import ChangesetError
from apps.changesets.hooks import Coming
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

RECENT = timedelta(hours=1)


class NotBackedUp(ChangesetError):
    """The backup before an act could not be made, so the act was not done."""


def back_up_before(kind: str, *, actor: Actor, reason: str, using: str = "default") -> Backup | None:
    """Return a backup that holds the present state; None when nothing was recorded yet, or BACKUPS_AUTOMATIC is off.

    Raises BackupFailure.
    """
    if not settings.BACKUPS_AUTOMATIC or not _history_counts(using):
        return None
    return recent_or_new(kind, actor=actor, reason=reason, using=using)


def recent_or_new(kind: str, *, actor: Actor, reason: str, using: str = "default") -> Backup:
    """Return a backup of the last hour if nothing was recorded since, or make one and prune old automatic ones.

    Raises BackupFailure.
    """
    if recent := newest_complete(using):
        return recent
    made = create_backup(actor=actor, reason=reason, kind=kind, using=using)
    prune_automatic(using=using)
    return made


def newest_complete(using: str = "default") -> Backup | None:
    """Return a backup of the last hour that holds every change recorded so far, if there is one."""
    oldest, counts = timezone.now() - RECENT, _history_counts(using)
    # Half way through migrations the table may lack other columns.
    changesets = Changeset.objects.using(using).only("created_at").order_by("-pk")
    newest = changesets.first() if counts else None
    for backup in own_backups(using):
        if backup.created_at < oldest or newest is None:
            return None
        whole = backup.kind in NATIVE_KINDS and not backup.tables and backup.engine == connections[using].vendor
        # After a restore or a reset another changeset may have this number, with as many rows.
        same = backup.newest_changeset == newest.pk and newest.created_at <= backup.created_at
        # The newest changeset may be one of direct writes that grows; each write adds a history row.
        same = same and counts.items() <= backup.row_counts.items()
        if whole and same and not backup.is_bad and backup.file.is_file():
            return backup
    return None


def _history_counts(using: str) -> dict[str, int]:
    """Return the number of rows of each history table that has any; empty before the tables are made."""
    existing = set(connections[using].introspection.table_names())
    if Changeset._meta.db_table not in existing:
        return {}
    names = [tracked.history_table for tracked in tracked_models() if tracked.history_table in existing]
    return {name: number for name, number in Sql(using).count_rows(names).items() if number}


def before_act(coming: Coming) -> str | None:
    """Back up before an import or a bulk deletion, and return the name of the backup.

    Raises NotBackedUp when that fails; then the act must not be done.
    """
    kind = BEFORE_IMPORT if coming.kind == Kind.IMPORT else BEFORE_BULK
    back_up = recent_or_new if coming.required else back_up_before
    try:
        made = back_up(kind, actor=coming.actor, reason=f"before {coming.act}", using=coming.using)
    except BackupFailure as error:
        if coming.required:
            raise NotBackedUp(str(error)) from error
        raise NotBackedUp(
            f"{error} Nothing was changed: a backup comes first, unless BACKUPS_AUTOMATIC is off in the settings."
        ) from error
    return made.id if made else None
