"""Automatic backups, made before an import, a bulk deletion or a migration."""

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import connections
from django.utils import timezone

from apps.backups.catalogue.manifests import Backup, chain_of, own_backups
from apps.backups.catalogue.pruning import prune_automatic
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure, ChainBroken, NoBase
from apps.backups.kinds import BEFORE_BULK, BEFORE_IMPORT, INCREMENTAL, NATIVE_KINDS
from apps.backups.portable.base import find_base
from apps.changesets.errors import ChangesetError
from apps.changesets.hooks import Coming
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

RECENT = timedelta(hours=1)
# Before an act on at most so many objects an increment will do, where the full backup under it was proved to restore.
FEW = 1000


class NotBackedUp(ChangesetError):
    """The backup before an act could not be made, so the act was not done."""


def back_up_before(
    kind: str, *, actor: Actor, reason: str, using: str = "default", objects: int | None = None
) -> Backup | None:
    """Return a backup that holds the present state; None when nothing was recorded yet, or BACKUPS_AUTOMATIC is off.

    Raises BackupFailure.
    """
    if not settings.BACKUPS_AUTOMATIC or not _history_counts(using):
        return None
    return recent_or_new(kind, actor=actor, reason=reason, using=using, objects=objects)


def recent_or_new(
    kind: str, *, actor: Actor, reason: str, using: str = "default", objects: int | None = None
) -> Backup:
    """Return a backup of the last hour if nothing was recorded since, or make one and prune old automatic ones.

    `objects` is how many the act changes, if that is known: before few of them the backup may be an increment.
    Raises BackupFailure.
    """
    few = objects is not None and objects <= FEW
    if recent := newest_complete(using, increments=few):
        return recent
    made = _increment(actor, reason, using) if few else None
    made = made or create_backup(actor=actor, reason=reason, kind=kind, using=using)
    prune_automatic(using=using)
    return made


def _increment(actor: Actor, reason: str, using: str) -> Backup | None:
    """Return a new increment on a backup that was proved to restore; None where there is none to go on from."""
    with suppress(NoBase):
        if _is_on_proven(find_base(using), using):
            # The act waits for it, and for no storage elsewhere.
            return create_backup(actor=actor, reason=reason, kind=INCREMENTAL, using=using, send=False)
    return None


def _is_on_proven(backup: Backup, using: str) -> bool:
    """Whether the full backup that restoring this one begins with was proved to restore."""
    with suppress(ChainBroken):
        return chain_of(backup, {known.id: known for known in own_backups(using)}.get)[0].verified_at is not None
    return False


def newest_complete(using: str = "default", *, increments: bool = False) -> Backup | None:
    """Return a backup of the last hour that holds every change recorded so far, if there is one.

    With `increments` it may be one on a full backup that was proved to restore.
    """
    oldest, counts = timezone.now() - RECENT, _history_counts(using)
    # Half way through migrations the table may lack other columns.
    changesets = Changeset.objects.using(using).only("created_at").order_by("-pk")
    newest = changesets.first() if counts else None
    for backup in own_backups(using):
        if backup.created_at < oldest or newest is None:
            return None
        own_engine = not backup.tables and backup.engine == connections[using].vendor
        usable = backup.kind in NATIVE_KINDS or (
            increments and backup.kind == INCREMENTAL and _is_on_proven(backup, using)
        )
        # After a restore or a reset another changeset may have this number, with as many rows.
        same = backup.newest_changeset == newest.pk and newest.created_at <= backup.created_at
        # The newest changeset may be one of direct writes that grows; each write adds a history row.
        same = same and counts.items() <= backup.row_counts.items()
        if own_engine and usable and same and not backup.is_bad and backup.file.is_file():
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
        reason = f"before {coming.act}"
        made = back_up(kind, actor=coming.actor, reason=reason, using=coming.using, objects=coming.objects)
    except BackupFailure as error:
        if coming.required:
            raise NotBackedUp(str(error)) from error
        raise NotBackedUp(
            f"{error} Nothing was changed: a backup comes first, unless BACKUPS_AUTOMATIC is off in the settings."
        ) from error
    return made.id if made else None
