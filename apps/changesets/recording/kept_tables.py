"""Migration operations for tables that must survive a migration backwards."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations.base import Operation
from simple_history.models import HistoricalChanges

from apps.changesets.recording.renaming import RenameKeptField

SET_ASIDE = "__set_aside"


class CreateKeptModel(migrations.CreateModel):
    """CreateModel whose table is set aside when migrated backwards, and brought back when migrated forward again.

    History and changesets are what the console is for; unapplying their migration must never lose them silently. A
    table without rows is dropped as usual.
    """

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        """Keep the table also where Django puts two operations on it together, as a plain CreateModel."""
        reduced = super().reduce(operation, app_label)
        if isinstance(reduced, bool):
            return reduced
        return [_kept(step) if getattr(step, "name", "") == self.name else step for step in reduced]

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        aside = aside_name(schema_editor, table)
        if aside in schema_editor.connection.introspection.table_names():
            schema_editor.alter_db_table(model, aside, table)
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        if model._base_manager.using(schema_editor.connection.alias).exists():
            schema_editor.alter_db_table(model, table, aside_name(schema_editor, table))
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class KeepingAutodetector(MigrationAutodetector):
    """Finds what has changed in the models as Django does, and keeps history, and what is kept beside it."""

    def add_operation(self, app_label: str, operation: Operation, *args: Any, **kwargs: Any) -> None:
        if HistoricalChanges in getattr(operation, "bases", ()):
            operation = _kept(operation)
        if type(operation) is migrations.RenameField:
            renamed = RenameKeptField(operation.model_name, operation.old_name, operation.new_name)
            is_tracked = (app_label, f"historical{operation.model_name_lower}") in self.to_state.models
            operation = renamed if is_tracked else operation
        super().add_operation(app_label, operation, *args, **kwargs)


def _kept(operation: Operation) -> Operation:
    """Return an operation that makes a table as one that keeps it."""
    if type(operation) is not migrations.CreateModel:
        return operation
    return CreateKeptModel(
        operation.name, operation.fields, operation.options, bases=operation.bases, managers=operation.managers
    )


def aside_name(schema_editor: BaseDatabaseSchemaEditor, table: str) -> str:
    """Return the name that `table` has while it is set aside, within the database's length limit."""
    limit = schema_editor.connection.ops.max_name_length() or 200
    return table[: limit - len(SET_ASIDE)] + SET_ASIDE
