"""Migrations that drop data: a backup is made first, and migrating back without one is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, migrations
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.backups.automatic import newest_complete, recent_or_new
from apps.backups.errors import BackupFailure
from apps.backups.kinds import BEFORE_MIGRATION
from apps.changesets.recording.kept_tables import CreateKeptModel
from apps.changesets.sql import Sql

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
