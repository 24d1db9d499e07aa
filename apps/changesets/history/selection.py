"""The choice of changes to show: by operation, field, place and text, as a page or as a stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import UUIDField

from apps.changesets.fields import column_of, field_of, stored_value, target_of
from apps.changesets.folding import folded, folded_sql
from apps.changesets.history import net_changes
from apps.changesets.history.net_changes import Rows, row_before
from apps.changesets.sql import Row, Sql
from apps.changesets.tracking import Tracked

Pair = tuple[int | None, int | None]
CHUNK = 500
OPERATIONS = {
    "created": "n.before_pk IS NULL",
    "changed": "n.before_pk IS NOT NULL AND n.after_pk IS NOT NULL",
    "renamed": "n.before_pk <> n.after_pk",
    "deleted": "n.after_pk IS NULL",
}
KEY_ORDER = "coalesce(n.after_pk, n.before_pk), n.after_id"


@dataclass(frozen=True)
class Filters:
    """What a person wants to see of the changes of one model; empty is everything.

    `operation` is one of OPERATIONS (`changed` has the renamed among them); `field` a field that differs before and
    after; `place` the key of what the model is filtered by (its country); `text` is searched in key and name, and in
    the values of `field`.
    """

    operation: str = ""
    field: str = ""
    place: str = ""
    text: str = ""

    @property
    def needs_values(self) -> bool:
        return bool(self.field or self.place or self.text)


@dataclass(frozen=True)
class Selection:
    """The changes of one model in some history rows; `single` says that each row is an object of its own."""

    tracked: Tracked
    rows: Rows
    filters: Filters = Filters()
    single: bool = False


def is_single(sql: Sql, tracked: Tracked, changeset_id: int, counts: dict[str, int] | None) -> bool:
    """Whether the changeset wrote one row an object and renamed none, as its stored counts tell."""
    if not counts or counts.get("renamed"):
        return False
    written = sql.with_model(tracked).value("SELECT count(*) FROM {history} WHERE changeset_id = %s", [changeset_id])
    return int(written) == sum(counts.values())


def pairs_on_page(sql: Sql, selection: Selection, *, start: int, limit: int) -> list[Pair]:
    """Return a page of the changes by key, as history rows before and after."""
    return [(before, after) for before, after, _ in _page(sql, selection, start, limit, number="NULL")]


def page_and_count(sql: Sql, selection: Selection, *, start: int, limit: int) -> tuple[list[Pair], int]:
    """Return a page of the changes, and how many there are, from one reading; beyond the last page there are none."""
    rows = _page(sql, selection, start, limit, number="count(*) OVER ()")
    return [(before, after) for before, after, _ in rows], rows[0][2] if rows else 0


def _page(sql: Sql, selection: Selection, start: int, limit: int, *, number: str) -> list[Row]:
    parts, params = parts_of(sql, selection)
    # The rows before are looked up only for what stands on the page.
    return sql.rows(
        """
        SELECT {before}, n.after_id, n.number FROM (
            SELECT n.*, {number} AS number FROM {source} WHERE {condition}
            ORDER BY {key_order} LIMIT {limit} OFFSET {start}
        ) n ORDER BY {key_order}
        """,
        params,
        number=number,
        limit=str(int(limit)),
        start=str(int(start)),
        **parts,
    )


def stream_pairs(sql: Sql, selection: Selection) -> Iterator[list[Pair]]:
    """Yield all the changes by key, some hundred at a time, from one query."""
    parts, params = parts_of(sql, selection)
    yield from sql.chunks(
        "SELECT {before}, n.after_id FROM {source} WHERE {condition} ORDER BY {key_order}", params, size=CHUNK, **parts
    )


def parts_of(sql: Sql, selection: Selection, *, joined: bool = False) -> tuple[dict[str, str], list[Any]]:
    """Return the parts of a SELECT of the changes: {source}, {condition}, {before}, {key_order}; and its parameters.

    The net rows are called `n`; the history rows `b` (before) and `a` (after) are joined where they are read: by a
    filter, or by who asks for them.
    """
    tracked, filters = selection.tracked, selection.filters
    sql = sql.with_model(tracked)
    select = net_changes.single_select if selection.single else net_changes.net_select
    before, params = row_before(sql, tracked, selection.rows), list(selection.rows.params)
    source = f"({select(sql, tracked, selection.rows)}) n"
    if joined or filters.needs_values:
        joins = " LEFT JOIN {history} b ON b.history_id = {before} LEFT JOIN {history} a ON a.history_id = n.after_id"
        source += sql.fill(joins, before=before)
    conditions = ["TRUE"]
    if filters.operation:
        conditions.append(OPERATIONS[filters.operation])
    if filters.field:
        column = column_of(field_of(tracked.model, filters.field))
        conditions.append(f"{OPERATIONS['changed']} AND {sql.differ([column], 'b', 'a')}")
    if filters.place and tracked.filter_by:
        column = sql.quote(column_of(field_of(tracked.model, tracked.filter_by)))
        conditions.append(f"b.{column} = %s OR a.{column} = %s")
        params += [stored_place(sql, tracked, filters.place)] * 2
    if filters.text:
        condition, values = _text_condition(sql, tracked, filters)
        conditions.append(condition)
        params += values
    condition = " AND ".join(f"({condition})" for condition in conditions)
    return {"source": source, "condition": condition, "before": before, "key_order": KEY_ORDER}, params


def _text_condition(sql: Sql, tracked: Tracked, filters: Filters) -> tuple[str, list[str]]:
    """Return the condition on key, name and the values of the chosen field, before and after; and its parameters."""
    columns = [name for name in (tracked.pk, "name") if name in tracked.columns]
    if filters.field:
        columns.append(column_of(field_of(tracked.model, filters.field)))
    searched = [contains(sql, f"{side}.{sql.quote(column)}") for column in columns for side in "ba"]
    texts = [filters.text] * len(columns)
    if isinstance(tracked.model._meta.pk, UUIDField) and not sql.postgresql:
        texts[0] = filters.text.replace("-", "")  # SQLite stores UUIDs without dashes.
    values = [pattern(text) for text in texts for _side in "ba"]
    field = field_of(tracked.model, filters.field) if filters.field else None
    if field is not None and field.is_relation and _has_name(target_of(field)):
        target = target_of(field)._meta
        for side in "ba":
            # What was linked, or is, has the text in its name.
            linked = sql.fill(
                "{side}.{column} IN (SELECT r.{target_pk} FROM {target} r WHERE {named})",
                side=side,
                column=sql.quote(column_of(field)),
                target_pk=sql.quote(column_of(target.pk)),
                target=sql.quote(target.db_table),
                named=contains(sql, f"r.{sql.quote('name')}"),
            )
            searched.append(linked)
            values.append(pattern(filters.text))
    return " OR ".join(searched), values


def stored_place(sql: Sql, tracked: Tracked, place: str) -> Any:
    """Return the key of what a model is filtered by, as people write it, as the database takes it."""
    return stored_value(field_of(tracked.model, tracked.filter_by or ""), place, sql.connection)


def contains(sql: Sql, expression: str) -> str:
    """Return the condition that a column has the text of a pattern in it, whatever the case and accents of letters."""
    return f"{folded_sql(f'CAST({expression} AS text)', sql.connection)} LIKE %s ESCAPE '!'"


def pattern(text: str) -> str:
    """Return the pattern for `contains`."""
    return f"%{literally(folded(text))}%"


def literally(text: str) -> str:
    """Return the text such that LIKE, with `!` for ESCAPE, reads nothing in it as wild."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _has_name(model: Any) -> bool:
    return any(field.column == "name" for field in model._meta.concrete_fields)
