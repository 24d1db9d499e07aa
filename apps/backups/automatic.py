"""Automatic backups, made before an import, a bulk deletion or a migration."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, migrations
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from apps.backups.catalogue.manifests import Backup, chain_of, own_backups
from apps.backups.catalogue.pruning import prune_automatic
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure, ChainBroken, NoBase
from apps.backups.kinds import BEFORE_BULK, BEFORE_IMPORT, BEFORE_MIGRATION, INCREMENTAL, NATIVE_KINDS
from apps.backups.portable.base import find_base
from apps.changesets.errors import ChangesetError
from apps.changesets.hooks import Coming
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.recording.kept_tables import CreateKeptModel
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


_forced: ContextVar[bool] = ContextVar("migrations that drop data go on without a backup", default=False)


class BackupNeeded(BackupFailure):
    """Migrating back would drop data that no recent backup holds."""


@contextmanager
def without_backup(forced: bool) -> Iterator[None]:
    """Within the block, if `forced`, migrations that drop data run without a backup."""
    before = _forced.set(forced)
    try:
        yield
    finally:
        _forced.reset(before)


def before_migrate(*, using: str, plan: list[tuple[Any, bool]], **kwargs: Any) -> None:
    """Make a backup before migrations that drop data; raises BackupFailure when a backward one would have none."""
    if _forced.get() or connections[using].in_atomic_block:
        return
    dropping = list(_dropping(plan, connections[using]))
    if not dropping:
        return
    names = ", ".join(dict.fromkeys(name for name, _ in dropping))
    if settings.BACKUPS_AUTOMATIC:
        # Also where history is set aside already and nothing seems to have been recorded: the rows are there.
        recent_or_new(BEFORE_MIGRATION, actor=None, reason=f"before a migration that drops {names}", using=using)
        return
    if any(backwards for _, backwards in dropping) and not newest_complete(using):
        raise BackupNeeded(
            f"Going back would drop {names}, and no backup of the last hour holds them: make one with "
            "`manage.py backup create`, or add --force to go on without."
        )


def _dropping(plan: list[tuple[Any, bool]], connection: BaseDatabaseWrapper) -> Iterator[tuple[str, bool]]:
    """Yield each table or column with rows that the plan drops, and whether by migrating back."""
    existing = set(connection.introspection.table_names())
    for migration, backwards in plan:
        for operation in migration.operations:
            if getattr(operation, "options", {}).get("proxy"):
                continue  # A proxy has no table of its own.
            model, column = _dropped(operation, backwards=backwards)
            table = model and _table_of(migration.app_label, model)
            if table in existing and Sql(connection).has_rows(table):
                yield (f"{column} of {table}" if column else table), backwards


def _dropped(operation: Any, *, backwards: bool) -> tuple[str, str]:
    """Return the model whose table, or whose column, this operation drops; empty strings when none."""
    if backwards and isinstance(operation, migrations.CreateModel) and not isinstance(operation, CreateKeptModel):
        return operation.name, ""
    if not backwards and isinstance(operation, migrations.DeleteModel):
        return operation.name, ""
    if isinstance(operation, migrations.AddField if backwards else migrations.RemoveField):
        return operation.model_name, operation.name
    return "", ""


def _table_of(app_label: str, model: str) -> str:
    try:
        return apps.get_model(app_label, model)._meta.db_table
    except LookupError:
        return f"{app_label}_{model.lower()}"
