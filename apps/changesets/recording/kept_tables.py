"""Migration operations for tables that must survive a migration backwards."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SET_ASIDE = "__set_aside"


class CreateKeptModel(migrations.CreateModel):
    """CreateModel whose table is set aside when migrated backwards, and brought back when migrated forward again.

    History and changesets are what the console is for; unapplying their migration must never lose them silently. A
    table without rows is dropped as usual.
    """

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


def aside_name(schema_editor: BaseDatabaseSchemaEditor, table: str) -> str:
    """Return the name that `table` has while it is set aside, within the database's length limit."""
    limit = schema_editor.connection.ops.max_name_length() or 200
    return table[: limit - len(SET_ASIDE)] + SET_ASIDE
