"""The columns of an exported table, and its rows as plain values that are safe in a spreadsheet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import tablib
from django.db import models
from django.db.models import QuerySet
from import_export.fields import Field
from import_export.resources import ModelResource

from apps.changesets.fields import field_of, target_of
from apps.changesets.text import harmless
from apps.imports.registry import spec_for

Cell = str | int | float | bool | None
PART = 2000
_TEXT = models.CharField | models.TextField | models.DateField | models.UUIDField


@dataclass(frozen=True)
class ExportColumn:
    """The header of a column, and whether it holds text: a spreadsheet must not turn an ident 1E4 into a number."""

    header: str
    is_text: bool


@dataclass(frozen=True)
class Table:
    """A name, the columns, and rows that can be read once."""

    name: str
    columns: tuple[ExportColumn, ...]
    rows: Iterator[list[Cell]]

    @property
    def header(self) -> list[str]:
        """The names of the columns, in their order."""
        return [column.header for column in self.columns]


class ExportResource(ModelResource):
    """A resource whose rows are read by one query in parts, and whose text no spreadsheet will run."""

    def table(self, queryset: QuerySet) -> Table:
        """Return the rows of `queryset`, in its order, as a table; nothing is read before its rows are."""
        fields = [self.fields[name] for name in self.get_export_order()]
        columns = [
            ExportColumn(field.column_name, _is_text(self._meta.model, field.attribute or field.column_name))
            for field in fields
        ]
        paths = [field.attribute or field.column_name for field in fields]
        rows = queryset.values_list(*paths).iterator(chunk_size=PART)
        odd = spec_for(self._meta.model).has_days_or_ids
        plain = (map(_plain, row) for row in rows) if odd else rows
        name = str(self._meta.model._meta.verbose_name_plural)
        return Table(name, tuple(columns), ([harmless(value) for value in row] for row in plain))

    def export(self, queryset: QuerySet | None = None, **_kwargs: Any) -> tablib.Dataset:
        """Return the same rows for an export through import-export."""
        table = self.table(self.get_queryset() if queryset is None else queryset)
        return tablib.Dataset(*table.rows, headers=table.header, title=table.name)


def resource_of(model: type[models.Model]) -> type[ExportResource]:
    """Return the resource of a model: its columns are those that an import of the model reads, links by their codes.

    Raises LookupError where nothing imports the model.
    """
    spec = spec_for(model)
    columns = {column.field: column.refers for column in spec.columns if column.stored}
    links = {
        name: Field(attribute=f"{name}__{refers.by}", column_name=name) for name, refers in columns.items() if refers
    }
    meta = type("Meta", (), {"model": model, "fields": tuple(columns)})
    return type(f"{model.__name__}Resource", (ExportResource,), {**links, "Meta": meta})


def _plain(value: Any) -> Any:
    """Return a value as files have it: days and UUIDs are text."""
    return str(value) if isinstance(value, date | UUID) else value


def _is_text(model: type[models.Model], path: str) -> bool:
    *links, last = path.split("__")
    for link in links:
        model = target_of(field_of(model, link))
    return isinstance(field_of(model, last), _TEXT)
