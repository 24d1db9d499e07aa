"""Names of fields that are kept beside history: a rename carries them along, and what lost its field is named.

History itself follows a rename by its columns. Pins, values of upstream, mappings and counts hold names instead; each
app adds a keeper that knows its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode

from django.db import connections
from django.db.models import Model, QuerySet

from apps.changesets.hooks import Hook
from apps.changesets.models import COLUMNS, Changeset, Kind, SavedView

T = TypeVar("T")


@dataclass(frozen=True)
class Renaming:
    """A field of a model that gets another name; `model` and `history` are as the migration leaves them."""

    label: str
    old: str
    new: str
    using: str
    model: type[Model]
    history: type[Model] | None

    def keys(self, document: Mapping[str, T]) -> dict[str, T]:
        """Return a document with the new name, in the place of the old one; what had the new name lost its field."""
        kept = {key: value for key, value in document.items() if key != self.new or self.old not in document}
        return {self.new if key == self.old else key: value for key, value in kept.items()}

    def names(self, names: Iterable[str]) -> list[str]:
        """Return names with the new one in the place of the old one."""
        return [self.new if name == self.old else name for name in names]


class Keeper(Protocol):
    """What an app keeps under names of fields."""

    def carry(self, renaming: Renaming) -> None:
        """Put what is kept under the old name under the new one, in the open transaction."""

    def strays(self, using: str) -> Iterator[str]:
        """Yield a sentence for each thing that has an effect and whose name no field answers to."""


KEEPERS: Hook[Keeper] = Hook()


def carry(renaming: Renaming) -> None:
    """Let all that is kept beside history follow a renamed field."""
    for keeper in KEEPERS.of():
        keeper.carry(renaming)


def strays(using: str = "default") -> list[str]:
    """Return a sentence for each thing that is kept under the name of a field that is not there any more."""
    return [sentence for keeper in KEEPERS.of() for sentence in keeper.strays(using)]


def rows_in(model: type[Model], using: str, *columns: str) -> QuerySet[Any]:
    """Return the rows of a model as far as its table has these columns now; none half way through migrations."""
    connection = connections[using]
    with connection.cursor() as cursor:
        table = model._meta.db_table
        if table not in connection.introspection.table_names(cursor):
            return model._base_manager.none()
        there = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    return model._base_manager.using(using) if there.issuperset(columns) else model._base_manager.none()


def rewrite(rows: QuerySet[Any], column: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON column of each of these rows, without reading any other column."""
    for pk, document in list(rows.exclude(**{f"{column}__isnull": True}).values_list("pk", column)):
        if (changed := change(document)) != document:
            rows.filter(pk=pk).update(**{column: changed})


class ChangesetNames:
    """The counts by field that changesets have, the fields that reverts were limited to, and those of saved views."""

    def carry(self, renaming: Renaming) -> None:
        """Count under the new name."""
        changesets = rows_in(Changeset, renaming.using, "kind", "field_counts", "summary")
        counted = changesets.filter(**{f"field_counts__{renaming.label}__has_key": renaming.old})
        rewrite(counted, "field_counts", lambda by_model: _counts(by_model, renaming))
        limited = changesets.filter(kind=Kind.REVERT, summary__scope__fields__isnull=False)
        rewrite(limited, "summary", lambda summary: _summary(summary, renaming))
        views = rows_in(SavedView, renaming.using, "model", "query")
        rewrite(views.filter(model=renaming.label), "query", lambda query: _query(query, renaming))
        found_by = views.filter(model=Changeset._meta.label_lower, query__contains="field=")
        rewrite(found_by, "query", lambda query: _found_by(query, renaming))

    def strays(self, using: str) -> Iterator[str]:
        """Yield nothing: counts tell what was, also of a field that is gone, which a list passes over in a view."""
        yield from ()


def _counts(by_model: dict[str, Any], renaming: Renaming) -> dict[str, Any]:
    return {**by_model, renaming.label: renaming.keys(by_model[renaming.label])}


def _summary(summary: dict[str, Any], renaming: Renaming) -> dict[str, Any]:
    scope = summary["scope"]
    # A scope without models is about fields of this name of every model.
    if scope.get("models") and not {renaming.label, renaming.label.rpartition(".")[2]} & set(scope["models"]):
        return summary
    return {**summary, "scope": {**scope, "fields": renaming.names(scope["fields"])}}


def _query(query: str, renaming: Renaming) -> str:
    """Return the query of a list's address, with the new name in its filters and among its columns."""

    def renamed(name: str, value: str) -> tuple[str, str]:
        field, sign, lookup = name.partition("__")
        columns = ",".join(renaming.names(value.split(","))) if name == COLUMNS else value
        return f"{renaming.new if field == renaming.old else field}{sign}{lookup}", columns

    return urlencode([renamed(*pair) for pair in parse_qsl(query, keep_blank_values=True)], safe=",")


def _found_by(query: str, renaming: Renaming) -> str:
    """Return the query of a search for changesets, with the new name where they are found by the field."""
    model = renaming.label.rpartition(".")[2]
    fields = {f"{name}.{renaming.old}": f"{name}.{renaming.new}" for name in (model, renaming.label)}
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(key, fields.get(value, value) if key == "field" else value) for key, value in pairs], safe=",")


KEEPERS.add(ChangesetNames())
