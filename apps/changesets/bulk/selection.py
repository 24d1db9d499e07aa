"""The objects that a bulk action is about: their keys in a temporary table, however many they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models.expressions import RawSQL

from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_for

TABLE = "bulk_selected"


@dataclass(frozen=True)
class Selection:
    """The selected objects of a model; `table` has their keys in its column `pk`."""

    model: type[models.Model]
    sql: Sql
    number: int
    # Any change of a selected object, and any that comes or goes, makes it another text.
    seen: str
    # Further temporary tables that go with the selection.
    temps: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        return self.sql.temp(TABLE)

    def keys(self) -> RawSQL:
        """Return the keys as a subquery."""
        return RawSQL(f"SELECT pk FROM {self.table}", ())  # noqa: S611 - the name is ours

    def rows(self) -> models.QuerySet:
        """Return the selected objects as they are now."""
        return self.model._base_manager.filter(pk__in=self.keys())

    def pointing(self, model: type[models.Model], field: str) -> models.QuerySet:
        """Return the objects of another model that point to the selected ones by this field."""
        return model._base_manager.filter(**{f"{field}__in": self.keys()})


@contextmanager
def selecting(objects: models.QuerySet, *, using: str = "default") -> Iterator[Selection]:
    """Lend the objects as a selection that stays what it is while the block changes them."""
    sql, tracked = Sql(using), tracked_for(objects.model)
    sql.fresh_temp(TABLE, f"pk {sql.key_type(tracked)} PRIMARY KEY")
    try:
        query, params = objects.using(using).order_by().values_list("pk").distinct().query.sql_with_params()
    except EmptyResultSet:
        number = 0
    else:
        # The keys of what the list's filter, its search and the ticks leave.
        number = sql.run(f"INSERT INTO {sql.temp(TABLE)} (pk) {query}", params)
    sql.analyse(TABLE)
    # The newest history row of any selected object.
    newest = sql.value(
        f"SELECT MAX(history_id) FROM {sql.quote(tracked.history_table)} "
        f"WHERE {sql.quote(tracked.pk)} IN (SELECT pk FROM {sql.temp(TABLE)})"
    )
    selection = Selection(objects.model, sql, number, f"{number}.{newest or 0}")
    yield selection
    # After an error the transaction is gone, and the table with it; or the next selection makes it anew.
    for name in (TABLE, *selection.temps):
        sql.drop_temp(name)
