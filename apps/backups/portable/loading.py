"""Loading lines into tables: in bulk, table by table, in flat memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connections, transaction

from apps.backups.errors import OtherSchema, RestoreFailed
from apps.backups.portable.carried import Model, carried_models, links_of, tables_of, through_of
from apps.backups.portable.reading import Numbered, damaged
from apps.backups.portable.values import Take, taker_for
from apps.backups.portable.writing import encode
from apps.changesets.fields import AnyManyToMany, column_of, field_of
from apps.changesets.recording.renaming import former_names
from apps.changesets.sql import Sql

ROWS_AT_ONCE = 2000


@dataclass
class Loader:
    """Inserts the lines of a backup into the tables of a database; the caller handles transaction and recording."""

    using: str
    source: Path
    _tables: dict[Model, "_Table"] = field(default_factory=dict)

    def load(self, lines: Iterable[Numbered]) -> None:
        """Insert all rows; raises BackupUnreadable or OtherSchema for a line that is no row of these tables."""
        for label, of_table in groupby(lines, key=lambda numbered: numbered[1].get("model")):
            table = self._table(label)
            rows = (self._row(table, numbered) for numbered in of_table)
            while part := list(islice(rows, ROWS_AT_ONCE)):
                insert(self.using, table.name, table.columns, [row for row, _ in part])
                for number, link in enumerate(table.links):
                    pairs = [pair for _, linked in part for pair in linked[number]]
                    insert(self.using, link.table, link.columns, pairs)

    def _table(self, label: Any) -> "_Table":
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError, TypeError, AttributeError):
            model = None
        if model not in carried_models():
            raise OtherSchema(
                f"The backup {self.source.name} has rows of {label!r}, which no table here takes: nothing was "
                "restored. Restore it with the version of the console that made it."
            )
        return self._tables.setdefault(model, _Table(model, self.using))

    def _row(self, table: "_Table", numbered: Numbered) -> tuple[list[Any], list[list[tuple[Any, Any]]]]:
        number, line = numbered
        try:
            return table.row(line)
        except OtherSchema as error:
            raise OtherSchema(f"Line {number:,} of {self.source.name}: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
            message = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            raise damaged(self.source, f"line {number:,} is no row of {table.name} ({message[:120]})") from error


@dataclass
class _Link:
    name: str
    table: str
    columns: list[str]
    take: Take


class _Table:
    """Turns the lines of one model into rows."""

    def __init__(self, model: Model, using: str):
        connection, meta = connections[using], model._meta
        self.model = model
        self.name = meta.db_table
        self.fields = [field for field in meta.concrete_fields if not field.primary_key]
        self.columns = [column_of(field) for field in (meta.pk, *self.fields)]
        self.take_key = taker_for(meta.pk, connection)
        self.takes = [(field.name, taker_for(field, connection)) for field in self.fields]
        self.links = [_link(field, connection) for field in links_of(model)]
        self.former: dict[str, str | None] | None = None

    def row(self, line: dict[str, Any]) -> tuple[list[Any], list[list[tuple[Any, Any]]]]:
        """Return the values of the table's columns, and for each link the pairs of keys."""
        fields = line["fields"]
        key = self.take_key(line["pk"])
        if key is None:
            raise ValueError("it has no key")
        if len(fields) != len(self.takes) + len(self.links) or any(name not in fields for name, _ in self.takes):
            fields = self._complete(fields)
        values = [key, *(take(fields[name]) for name, take in self.takes)]
        return values, [[(key, link.take(target)) for target in fields[link.name]] for link in self.links]

    def _complete(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of an older backup by their present names, and defaults for newer fields.

        What a migration dropped since is left out; raises OtherSchema for any other field that the table does not have.
        """
        if fields.keys() - self._usual.keys():
            self.former = former_names(self.model) if self.former is None else self.former
            now = {name: self.former.get(name, name) for name in fields}
            fields = {new: fields[old] for old, new in now.items() if new is not None}
        if unknown := sorted(fields.keys() - self._usual.keys()):
            raise OtherSchema(
                f"{self.name} has no field {unknown[0]!r}; nothing was restored. Restore it with the version of the "
                "console that made it."
            )
        return {**self._usual, **fields}

    @cached_property
    def _usual(self) -> dict[str, Any]:
        usual = {field.name: json.loads(encode(field.get_default())) for field in self.fields}
        return {**usual, **{link.name: [] for link in self.links}}


def _link(field: AnyManyToMany, connection: Any) -> _Link:
    target = field_of(through_of(field), field.m2m_reverse_field_name())
    columns = [field.m2m_column_name(), field.m2m_reverse_name()]
    return _Link(field.name, field.m2m_db_table(), columns, taker_for(target, connection))


def insert(using: str, table: str, columns: list[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows into a table as fast as the database takes them."""
    if not rows:
        return
    sql = Sql(using)
    sql.load(sql.quote(table), columns, rows)


def empty(using: str, chosen: Iterable[Model]) -> None:
    """Delete all rows of these tables, referring tables first."""
    Sql(using).empty(*reversed(tables_of(tuple(chosen))))


@contextmanager
def all_or_nothing(using: str, source: Path) -> Iterator[None]:
    """Write everything within the block or nothing; what the database refuses becomes RestoreFailed."""
    try:
        with transaction.atomic(using=using):
            yield
            # Before the commit, because PostgreSQL makes no trigger on tables with unchecked constraints.
            connections[using].check_constraints()
    # psycopg raises ValueError for text that PostgreSQL cannot store.
    except (DatabaseError, ValueError) as error:
        message = " ".join(str(error).split())
        raise RestoreFailed(
            f"The database did not take the rows of {source.name}: {message[:200]}. It is as it was; choose another "
            "backup."
        ) from error
