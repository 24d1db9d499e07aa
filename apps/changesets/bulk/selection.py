"""The objects that a bulk action is about: their keys in a temporary table, however many they are."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, models
from django.db.models.expressions import RawSQL

from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for

TABLE = "bulk_selected"


@dataclass(frozen=True)
class Selection:
    """The selected objects of a model; `table` has their keys in its column `pk`."""

    model: type[models.Model]
    sql: Sql
    number: int
    # Any change of a selected object, and any that comes or goes, makes it another text.
    seen: str
    # The temporary tables that go with the selection.
    temps: list[str]

    @property
    def table(self) -> str:
        return self.sql.temp(TABLE)

    def keys(self) -> RawSQL:
        """Return the keys as a subquery."""
        return _keys_in(self.sql, TABLE)

    def rows(self) -> models.QuerySet[Any]:
        """Return the selected objects as they are now."""
        return self.model._base_manager.filter(pk__in=self.keys())

    def subset(self, name: str, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Return some of the selected objects by their keys as they are now, so that what tells them is asked once."""
        key = self.sql.key_type(tracked_for(self.model))
        self.sql.run("CREATE TEMPORARY TABLE {name} (pk {key} PRIMARY KEY)", name=name, key=key)
        self.temps.append(name)
        _fill(self.sql, name, rows.order_by().values_list("pk"))
        return self.model._base_manager.filter(pk__in=_keys_in(self.sql, name))

    def keys_in_order(self) -> list[Any]:
        """Return the keys of the selected objects."""
        return self.sql.firsts("SELECT pk FROM {table} ORDER BY pk", table=self.table)

    def only(self, keys: Sequence[Any]) -> "Selection":
        """Leave only the objects of these keys selected; what was planned with the others is forgotten."""
        self.sql.drop_temps(self.temps[1:])
        del self.temps[1:]
        self.sql.empty(TABLE)
        self.sql.load(self.table, ["pk"], [(key,) for key in keys])
        return replace(self, number=len(keys))

    def without(self, keys: str) -> "Selection":
        """Take the objects of the keys that a query gives out of the selection; what was planned is forgotten."""
        gone = self.sql.run("DELETE FROM {table} WHERE pk IN ({keys})", table=self.table, keys=keys)
        self.sql.drop_temps(self.temps[1:])
        del self.temps[1:]
        return replace(self, number=self.number - gone)

    def pointing(self, model: type[models.Model], field: str) -> models.QuerySet[Any]:
        """Return the objects of another model that point to the selected ones by this field."""
        return model._base_manager.filter(**{f"{field}__in": self.keys()})


@contextmanager
def selecting(objects: models.QuerySet[Any]) -> Iterator[Selection]:
    """Yield the objects as a selection that stays the same while the block changes them."""
    sql, tracked, temps = Sql(), tracked_for(objects.model), [TABLE]
    # PostgreSQL hashes the keys; an index of 85,000 texts takes longer than all that it is used for.
    index = "NOT NULL" if sql.postgresql else "PRIMARY KEY"
    sql.run("CREATE TEMPORARY TABLE {name} (pk {key} {index})", name=TABLE, key=sql.key_type(tracked), index=index)
    try:
        number = _fill(sql, TABLE, objects.using(sql.using).order_by().values_list("pk"))
        sql.analyze(TABLE)
        newest = _newest(sql, tracked, number)
        yield Selection(objects.model, sql, number, f"{number}.{newest or 0}", temps)
    finally:
        # After an error of the database its transaction is gone, and the tables with it.
        if not (sql.connection.in_atomic_block and isinstance(sys.exc_info()[1], DatabaseError)):
            sql.drop_temps(temps)


def _fill(sql: Sql, table: str, keys: models.QuerySet[Any]) -> int:
    """Put the keys of what the list's filter, its search and the ticks leave into the table; return how many."""
    try:
        query, params = (keys.distinct() if _joins(keys) else keys).query.sql_with_params()
    except EmptyResultSet:
        return 0
    return sql.run("INSERT INTO {table} (pk) {query}", params, table=sql.temp(table), query=query)


def _keys_in(sql: Sql, table: str) -> RawSQL:
    return RawSQL(sql.fill("SELECT pk FROM {table}", table=sql.temp(table)), ())  # noqa: S611 - the name is ours


def _joins(keys: models.QuerySet[Any]) -> bool:
    """Whether the query joins tables, and so may have an object twice."""
    str(keys.query)
    return len([table for table, uses in keys.query.alias_refcount.items() if uses]) > 1


def _newest(sql: Sql, tracked: Tracked, number: int) -> int | None:
    """Return the newest history row of any selected object; of all objects it is that of the table."""
    newest: int | None = sql.with_model(tracked).value(
        """
        SELECT CASE WHEN (SELECT COUNT(*) FROM {live}) = %s THEN (SELECT MAX(history_id) FROM {history})
        ELSE (SELECT MAX(history_id) FROM {history} WHERE {pk} IN (SELECT pk FROM {selected})) END
        """,
        [number],
        selected=sql.temp(TABLE),
    )
    return newest
