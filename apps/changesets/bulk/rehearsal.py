"""A rehearsal of a bulk action: what it would write becomes the rows of a stored plan, and nothing is written.

The action's own `write` is called; `write_values`, `delete_rows` and statements of actions hand over here what they
would do, so that the rows that are shown are those of the code that does it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models

from apps.changesets.errors import BulkRefused
from apps.changesets.fields import AnyField, field_of
from apps.changesets.models import StoredPlan
from apps.changesets.plans.filling import changes_sql, differs, fields_sql, label_sql, places_sql, with_rows
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, is_tracked, tracked_for, tracked_models

CHANGED, DELETED, BLOCKED = "changed", "deleted", "blocked"


class Rehearsal:
    """Takes what an action would write, in place of the database."""

    def __init__(self, plan: StoredPlan) -> None:
        self.plan = plan
        self.fields: dict[str, dict[str, int]] = {}

    def set(self, rows: models.QuerySet[Any], values: Mapping[str, Any]) -> int:
        """Note that the rows would get these values."""
        sql = Sql(rows.db)
        quoted = sql.connection.schema_editor().quote_value
        fields = {field_of(rows.model, name): value for name, value in values.items()}
        after = {
            field: str(quoted(field.get_db_prep_save(getattr(value, "pk", value), sql.connection)))
            for field, value in fields.items()
        }
        return self._note(sql, rows, CHANGED, after)

    def delete(self, rows: models.QuerySet[Any]) -> int:
        """Note that the rows would be deleted."""
        return self._note(Sql(rows.db), rows, DELETED, {})

    def _note(self, sql: Sql, rows: models.QuerySet[Any], bucket: str, after: Mapping[AnyField, str]) -> int:
        if not is_tracked(rows.model):
            return 0
        try:
            keys, params = rows.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            return 0
        tracked = tracked_for(rows.model)
        source = sql.with_model(tracked).fill("FROM {live} l WHERE l.{pk} IN ({keys})", keys=keys)
        return self.note(sql, tracked, source, params, bucket=bucket, after=after)

    def note(
        self,
        sql: Sql,
        tracked: Tracked,
        source: str,
        params: Any = (),
        *,
        bucket: str = CHANGED,
        after: Mapping[AnyField, str],
        notes: str = "NULL",
    ) -> int:
        """Note the rows of a FROM, whose table `l` has the live rows.

        `after` has the SQL of what they would get, `notes` that of what is said of them.
        """
        # Beside bound values a percent sign is written twice.
        changes = changes_sql(sql, after).replace("%", "%%") if params else changes_sql(sql, after)
        conditions = {field.name: differs(sql, field, value) for field, value in after.items()}
        number = with_rows(sql.with_model(tracked), self.plan).run(
            """
            INSERT INTO {rows} ({stored})
            SELECT {plan}, '{label}', '{bucket}', FALSE, SUBSTR(CAST(l.{pk} AS text), 1, 255),
                {name}, {fields}, {places}, {changes}, {notes}
            {source} ORDER BY l.{pk}
            """,
            params,
            label=tracked.label,
            bucket=bucket,
            name=label_sql(sql, tracked, "l"),
            fields=fields_sql(conditions),
            places=places_sql(sql, tracked, "l"),
            changes=changes if after else "NULL",
            notes=notes,
            source=source,
        )
        self._count(tracked, after, number)
        return number

    def _count(self, tracked: Tracked, after: Mapping[AnyField, str], number: int) -> None:
        of_model = self.fields.setdefault(tracked.label, {}) if after and number else {}
        for field in after:
            of_model[field.name] = of_model.get(field.name, 0) + number


class WritesAllTheSame(BulkRefused):
    """An action writes by a statement that a rehearsal does not take: this is a mistake of the action."""


def _refuse_writes(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    words = sql.split(maxsplit=3)
    if words[:1] == ["UPDATE"] or words[:2] in (["DELETE", "FROM"], ["INSERT", "INTO"]):
        table = words[1 if words[0] == "UPDATE" else 2].strip('"')
        if any(table == tracked.table for tracked in tracked_models()):
            raise WritesAllTheSame(f"The rows of this action cannot be shown: it would write to {table} itself.")
    return execute(sql, params, many, context)


_rehearsed: ContextVar[Rehearsal | None] = ContextVar("rehearsed", default=None)


def rehearsed() -> Rehearsal | None:
    """Return the rehearsal that takes what is written now, or None: it is written."""
    return _rehearsed.get()


@contextmanager
def rehearsing(rehearsal: Rehearsal) -> Iterator[None]:
    """Within, what bulk actions write goes to the rehearsal, and not to the database."""
    token = _rehearsed.set(rehearsal)
    try:
        with connections["default"].execute_wrapper(_refuse_writes):
            yield
    finally:
        _rehearsed.reset(token)
