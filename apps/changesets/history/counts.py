"""How many objects a changeset created, changed, renamed and deleted, and in which fields."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apps.changesets.fields import column_of
from apps.changesets.history.net_changes import (
    Rows,
    net_select,
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
    counted = _count(Sql(using), changeset_id, tracked_models() if among is None else among)
    objects = {label: of_model for label, (of_model, _fields) in counted.items()}
    return objects, {label: fields for label, (of_model, fields) in counted.items() if of_model.get("changed")}


def field_counts_of(changeset: Changeset, *, counts: Counts, using: str = "default") -> Counts:
    """Return changed objects by model label and field, as stored, or counted now where they are not (direct writes)."""
    if changeset.field_counts is not None:
        stored: Counts = changeset.field_counts
        return stored
    sql, rows = Sql(using), rows_of(changeset.pk)
    return {
        tracked.label: _count_net(sql, tracked, net_select(sql, tracked, rows), rows)[1]
        for tracked in tracked_models()
        if counts.get(tracked.label, {}).get("changed")
    }


def _count(
    sql: Sql, changeset_id: int, among: Sequence[Tracked], *, fields: bool = True
) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Return what `_count_model` does for each model of which the changeset has rows, by label."""
    written = _rows_written(sql, changeset_id, among)
    return {
        tracked.label: _count_model(sql, tracked, changeset_id, written[tracked.label], fields=fields)
        for tracked in among
        if tracked.label in written
    }


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
    sql: Sql, tracked: Tracked, changeset_id: int, written: dict[str, tuple[int, int]], *, fields: bool
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the objects by operation, and the changed ones by field, where `fields` are wanted.

    `written` has the rows of history and their changed keys by type.
    """
    # Most changesets are all of one sort, and then an object cannot stand there twice (but for changes).
    if set(written) == {"+"}:
        return {"created": written["+"][0]}, {}
    if set(written) == {"-"}:
        return {"deleted": written["-"][0]}, {}
    rows, once = rows_of(changeset_id), set(written) == {"~"} and written["~"][0] == written["~"][1]
    if once and not fields:
        return {"changed": written["~"][0]}, {}
    net = single_select(sql, tracked, rows) if once else net_select(sql, tracked, rows)
    objects, of_fields = _count_net(sql, tracked, net, rows, fields=fields)
    # Created and deleted again is nothing on balance, yet rows were written: keep the changeset.
    return objects or {"changed": 0}, of_fields


def _count_net(
    sql: Sql, tracked: Tracked, net: str, rows: Rows, *, fields: bool = True
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the objects of one of the SELECTs of net changes by operation, and by field that is news; no zeros."""
    sql = sql.with_model(tracked)
    differ = [sql.differ([column_of(field)], "b", "a") for field in tracked.news] if fields else []
    # What is absent before or after has neither row here: no field of it differs.
    both_ends = """
        LEFT JOIN {history} b ON b.history_id = n.before_id AND n.after_pk IS NOT NULL
        LEFT JOIN {history} a ON a.history_id = n.after_id AND n.before_pk IS NOT NULL
    """
    numbers = sql.rows(
        """
        SELECT count(CASE WHEN n.before_pk IS NULL THEN 1 END), count(CASE WHEN n.after_pk IS NULL THEN 1 END),
               count(CASE WHEN n.before_pk IS NOT NULL AND n.after_pk IS NOT NULL THEN 1 END),
               count(CASE WHEN n.before_pk <> n.after_pk THEN 1 END) {differ}
        FROM (SELECT n.before_pk, n.after_pk, n.after_id, {before} AS before_id FROM ({net}) n) n {both_ends}
        """,
        rows.params,
        differ="".join(f", count(CASE WHEN {of_field} THEN 1 END)" for of_field in differ),
        before=row_before(sql, tracked),
        net=net,
        both_ends=sql.fill(both_ends) if fields else "",
    )[0]
    created, deleted, changed, renamed = numbers[:4]
    objects = {"created": created, "changed": changed, "renamed": renamed, "deleted": deleted}
    of_fields = zip((field.name for field in tracked.news), numbers[4:], strict=False)
    return _without_zeros(objects), _without_zeros(dict(of_fields))


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
        if moved or ends != stored:
            counted = _count(sql, changeset.pk, models, fields=False)
            # Fields are counted where that is news only.
            if {label: of_model for label, (of_model, _fields) in counted.items()} != stored:
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


def _without_zeros(numbers: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number}


def _operation(first: int, last: int) -> str:
    if last == DELETED:
        return "" if first == CREATED else "deleted"
    return "created" if first == CREATED else "changed"
