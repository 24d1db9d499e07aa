"""How many objects a changeset created, changed, renamed and deleted, and in which fields."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apps.changesets.fields import column_of
from apps.changesets.history.net_changes import (
    Rows,
    net_objects,
    net_select,
    net_table,
    row_before,
    rows_of,
    single_select,
)
from apps.changesets.models import Changeset
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

OPERATIONS = ("created", "changed", "renamed", "deleted")
Counts = dict[str, dict[str, int]]
# The type of a history row as two bits; 1 is a change.
CREATED, DELETED = 0, 2


def count_changes(
    changeset_id: int, *, using: str = "default", among: Sequence[Tracked] | None = None
) -> tuple[Counts, Counts]:
    """Return objects by model label and operation, and changed objects by model label and field; no zeros.

    `renamed` objects (another primary key, the same stable key) are among `changed` too. `among` is what is tracked as
    the tables are, where they may not be as the models are.
    """
    sql = Sql(using)
    counted = _count_objects(sql, changeset_id, tracked_models() if among is None else among)
    fields = {
        tracked.label: _count_fields(sql, tracked, *_changed_rows(sql, tracked, changeset_id, once=once))
        for tracked, of_model, once in counted
        if of_model.get("changed")
    }
    return _by_label(counted), fields


def _count_objects(sql: Sql, changeset_id: int, among: Sequence[Tracked]) -> list[tuple[Tracked, dict[str, int], bool]]:
    """Return what `_count_model` does for each model of which the changeset has rows."""
    written = _rows_written(sql, changeset_id, among)
    return [
        (tracked, *_count_model(sql, tracked, changeset_id, written[tracked.label]))
        for tracked in among
        if tracked.label in written
    ]


def _by_label(counted: Sequence[tuple[Tracked, dict[str, int], bool]]) -> Counts:
    return {tracked.label: of_model for tracked, of_model, _once in counted}


def field_counts_of(changeset: Changeset, *, counts: Counts, using: str = "default") -> Counts:
    """Return changed objects by model label and field, as stored, or counted now where they are not (direct writes)."""
    if changeset.field_counts is not None:
        stored: Counts = changeset.field_counts
        return stored
    sql, rows = Sql(using), rows_of(changeset.pk)
    return {
        tracked.label: _count_fields(sql, tracked, _changed(sql, tracked, rows), rows.params)
        for tracked in tracked_models()
        if counts.get(tracked.label, {}).get("changed")
    }


def _changed_rows(sql: Sql, tracked: Tracked, changeset_id: int, *, once: bool) -> tuple[str, Sequence[Any]]:
    """Return where the rows before and after of the changed objects are, straight after `_count_model`."""
    if once:
        rows = rows_of(changeset_id)
        return _both_ends(sql, tracked, single_select(sql, tracked, rows)), rows.params
    return sql.temp(net_table(tracked)), ()


def _changed(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return the history rows before and after of what was there before and after."""
    both = "WHERE n.before_pk IS NOT NULL AND n.after_pk IS NOT NULL"
    return _both_ends(sql, tracked, net_select(sql, tracked, rows), both)


def _both_ends(sql: Sql, tracked: Tracked, net: str, condition: str = "") -> str:
    return sql.fill(
        "(SELECT {before} AS before_id, n.after_id FROM ({net}) n {condition})",
        before=row_before(sql, tracked),
        net=net,
        condition=condition,
    )


def _count_fields(sql: Sql, tracked: Tracked, net: str, params: Sequence[Any] = ()) -> dict[str, int]:
    """Return how many changed objects differ in each field that is news; fields without any are left out."""
    differ = [f"count(CASE WHEN {sql.differ([column_of(field)], 'b', 'a')} THEN 1 END)" for field in tracked.news]
    numbers = sql.with_model(tracked).rows(
        """
        SELECT {numbers} FROM {net} n
        JOIN {history} b ON b.history_id = n.before_id JOIN {history} a ON a.history_id = n.after_id
        """,
        params,
        numbers=", ".join(differ),
        net=net,
    )[0]
    return {field.name: number for field, number in zip(tracked.news, numbers, strict=True) if number}


def total(counts: Counts | None, operations: Iterable[str] = ("created", "changed", "deleted")) -> int:
    """Return the number of objects in `counts` over all models, for the operations given."""
    return sum(model.get(operation, 0) for model in (counts or {}).values() for operation in operations)


def _rows_written(sql: Sql, changeset_id: int, among: Sequence[Tracked]) -> dict[str, dict[str, tuple[int, int]]]:
    """Return how many rows of history the changeset has, by model label and type, and of how many keys the changed."""
    selects = [
        sql.with_model(tracked).fill(
            """
            SELECT '{label}', history_type, count(*), count(DISTINCT CASE WHEN history_type = '~' THEN {pk} END)
            FROM {history} WHERE changeset_id = %s GROUP BY history_type
            """,
            label=tracked.label,
        )
        for tracked in among
    ]
    written: dict[str, dict[str, tuple[int, int]]] = {}
    for label, history_type, *numbers in sql.rows(
        "{selects}", [changeset_id] * len(selects), selects=" UNION ALL ".join(selects)
    ):
        written.setdefault(label, {})[history_type] = tuple(numbers)
    return written


def _count_model(
    sql: Sql, tracked: Tracked, changeset_id: int, rows: dict[str, tuple[int, int]]
) -> tuple[dict[str, int], bool]:
    """Return the objects by operation, and whether all were changed by one row each; otherwise the net table is filled
    where any was changed. `rows` has the rows of history and their changed keys by type."""
    # Most changesets are all of one sort, and then an object cannot stand there twice (but for changes).
    if set(rows) == {"+"}:
        return {"created": rows["+"][0]}, False
    if set(rows) == {"-"}:
        return {"deleted": rows["-"][0]}, False
    if set(rows) == {"~"} and rows["~"][0] == rows["~"][1]:
        return {"changed": rows["~"][0]}, True
    net_objects(sql, tracked, changeset_id)
    created, deleted, changed, renamed = sql.with_temps(net=net_table(tracked)).rows(
        """
        SELECT count(CASE WHEN before_id IS NULL THEN 1 END), count(CASE WHEN after_id IS NULL THEN 1 END),
               count(CASE WHEN before_id IS NOT NULL AND after_id IS NOT NULL THEN 1 END),
               count(CASE WHEN before_pk <> after_pk THEN 1 END)
        FROM {net}
        """
    )[0]
    counts = {"created": created, "changed": changed, "renamed": renamed, "deleted": deleted}
    # Created and deleted again is nothing on balance, yet rows were written: keep the changeset.
    return {name: number for name, number in counts.items() if number} or {"changed": 0}, False


def counts_of_many(changesets: Iterable[Changeset], *, using: str = "default") -> dict[int, Counts]:
    """Return the counts by changeset; those of direct writes, which may still grow, are counted now.

    Their rows are counted in one query a model: an object is created, changed or deleted by its first and last row.
    """
    stored = {changeset.pk: changeset.counts for changeset in changesets}
    growing = [pk for pk, counts in stored.items() if counts is None]
    counted: dict[int, Counts] = {pk: counts or {} for pk, counts in stored.items()}
    if not growing:
        return counted
    counted.update(_count_by_ends(Sql(using), "changeset_id IN ({marks})", growing))
    return counted


def miscounted(using: str = "default") -> Iterator[tuple[Changeset, Counts, Counts]]:
    """Yield the changesets whose stored counts are not those of their rows, with the true counts of objects and fields.

    Pruned ones have no rows to count; a direct write is counted when it is shown.
    """
    sql, models = Sql(using), tracked_models()
    by_ends, labels = _count_by_ends(sql, "TRUE"), {tracked.label for tracked in models}
    changesets = Changeset.objects.using(using).filter(counts__isnull=False, pruned_at=None).order_by("pk")
    for changeset in list(changesets):
        ends = by_ends.get(changeset.pk, {})
        stored = {label: counts for label, counts in (changeset.counts or {}).items() if label in labels}
        # What went and came may be one object under another key.
        moved = any({"created", "deleted"} <= model.keys() for model in ends.values())
        # Fields are counted where that is news only.
        if (moved or ends != stored) and _by_label(_count_objects(sql, changeset.pk, models)) != stored:
            yield changeset, *count_changes(changeset.pk, using=using)


def _count_by_ends(sql: Sql, condition: str, params: Sequence[Any] = ()) -> dict[int, Counts]:
    """Return the counts by changeset as the first and last row of each object there tell, in one query a model."""
    counted: dict[int, Counts] = {}
    for tracked in tracked_models():
        rows = sql.with_model(tracked).rows(
            """
            SELECT changeset_id, first_end & 3, last_end & 3, count(*) FROM (
                SELECT changeset_id, min({end}) AS first_end, max({end}) AS last_end
                FROM {history} WHERE {condition} GROUP BY changeset_id, {pk}
            ) o GROUP BY changeset_id, first_end & 3, last_end & 3
            """,
            params,
            # The number of a row and its type in one number: the rows at both ends are not looked up again.
            end=f"history_id * 4 + CASE history_type WHEN '+' THEN {CREATED} WHEN '-' THEN {DELETED} ELSE 1 END",
            condition=sql.fill(condition, marks=sql.marks(params)),
        )
        for changeset_id, first, last, number in rows:
            operation = _operation(first, last)
            if operation:
                of_model = counted.setdefault(changeset_id, {}).setdefault(tracked.label, {})
                of_model[operation] = of_model.get(operation, 0) + number
    return counted


def may_have_renamed(changeset: Changeset, tracked: Tracked) -> bool:
    """Whether a changeset may have renamed objects of a model; a direct write is not counted while it may grow."""
    return changeset.counts is None or bool(changeset.counts.get(tracked.label, {}).get("renamed"))


def words_for(counts: Counts) -> str:
    """Return counts as people read them: `+17,730 ~16,942 -118`."""
    signs = (("+", "created"), ("~", "changed"), ("-", "deleted"))
    parts = [f"{sign}{number:,}" for sign, name in signs if (number := total(counts, [name]))]
    return " ".join(parts) or "nothing"


def _operation(first: int, last: int) -> str:
    if last == DELETED:
        return "" if first == CREATED else "deleted"
    return "created" if first == CREATED else "changed"
