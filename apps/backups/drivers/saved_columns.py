"""The columns of a table in a backup from before migrations: what they are called now, and what is kept under names."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.db import connections, models

from apps.backups.errors import TablesRefused
from apps.changesets.fields import column_of, field_of
from apps.changesets.names import Renaming, carry
from apps.changesets.recording.renaming import former_names

Model = type[models.Model]


def columns_now(using: str, table: str, saved: Sequence[str]) -> dict[str, str | None]:
    """Return the present name of each column of a backup, None where a migration dropped it.

    Raises TablesRefused for a column that no migration tells of, and where a newer column has no field.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        live = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    if live == set(saved):
        return {column: column for column in saved}
    model = _model_of(table)
    former = _former_columns(model) if model else {}
    now = {column: column if column in live else former.get(column) for column in saved}
    fields = {column_of(field) for field in model._meta.concrete_fields} if model else set()
    unknown = {column for column in saved if column not in live and column not in former}
    if differing := sorted(unknown | (live - fields - set(now.values()))):
        raise TablesRefused(
            f"{table} has other columns now than in the backup ({', '.join(differing)}), so its rows cannot come back "
            "by themselves: restore the whole backup, elsewhere with --into."
        )
    return now


def defaults_of(using: str, table: str, columns: Sequence[str]) -> list[Any]:
    """Return what columns that a backup does not have yet get in rows that come back."""
    model = _model_of(table)
    fields = {column_of(field): field for field in model._meta.concrete_fields} if model else {}
    connection = connections[using]
    return [fields[column].get_db_prep_save(fields[column].get_default(), connection) for column in columns]


def carry_in(using: str, table: str, temporary: str) -> None:
    """Let what the rows in a temporary table keep under former names of fields follow the renames since."""
    model = _model_of(table)
    for old, new in former_names(model).items() if model else ():
        if model and new is not None:
            carry(Renaming(model._meta.label_lower, old, new, using, _in_table(model, temporary), None))


def _model_of(table: str) -> Model | None:
    return next((model for model in apps.get_models() if model._meta.db_table == table), None)


def _former_columns(model: Model) -> dict[str, str | None]:
    """Return the present columns of former ones, None where one is gone; those of a link end in _id."""
    return {
        f"{old}{end}": None if new is None else column_of(field_of(model, new))
        for old, new in former_names(model).items()
        for end in ("", "_id")
    }


def _in_table(model: Model, table: str) -> Model:
    """Return the model, without its links, as one whose rows are in another table."""
    meta = type("Meta", (), {"app_label": model._meta.app_label, "db_table": table, "apps": Apps()})
    fields = {field.name: field.clone() for field in model._meta.concrete_fields if not field.is_relation}
    return type(model.__name__, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
