"""The migration operation that renames a field together with everything that is kept beside history under its name."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from apps.changesets.names import Renaming, carry


class RenameKeptField(migrations.RenameField):
    """RenameField that carries pins, values of upstream, mappings and counts along, forward and back.

    All in the transaction of the migration: there is no moment in which they have lost their field.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        self._carry(app_label, schema_editor, to_state, self.old_name, self.new_name)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        super().database_backwards(app_label, schema_editor, from_state, to_state)
        self._carry(app_label, schema_editor, to_state, self.new_name, self.old_name)

    def _carry(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: Any, before: str, after: str
    ) -> None:
        using, model = schema_editor.connection.alias, state.apps.get_model(app_label, self.model_name)
        history = f"historical{self.model_name_lower}"
        if not self.allow_migrate_model(using, model):
            return
        carry(
            Renaming(
                label=f"{app_label}.{self.model_name_lower}",
                old=before,
                new=after,
                using=using,
                model=model,
                history=state.apps.get_model(app_label, history) if (app_label, history) in state.models else None,
            )
        )


def former_names(model: type[Model]) -> dict[str, str | None]:
    """Return what the fields that a model once had are called now; None for those that a migration dropped."""
    now: dict[str, str | None] = {}
    fields = {field.name for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many)}
    disk = MigrationLoader(None).disk_migrations
    for _name, migration in sorted((key[1], step) for key, step in disk.items() if key[0] == model._meta.app_label):
        for operation in migration.operations:
            if getattr(operation, "model_name_lower", "") != model._meta.model_name:
                continue
            if isinstance(operation, migrations.RenameField):
                now = {old: operation.new_name if name == operation.old_name else name for old, name in now.items()}
                now[operation.old_name] = operation.new_name
            elif isinstance(operation, migrations.RemoveField):
                now = {old: None if name == operation.name else name for old, name in now.items()}
                now[operation.name] = None
    return {old: name for old, name in now.items() if old not in fields}
