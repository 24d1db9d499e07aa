"""Loading a stored plan: its rows go back into the tables that writing works from, as people decided about them."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from apps.imports.models import Decision, ImportRun, Operation, PlannedRow
from apps.imports.staging.tables import Staging

_CHUNK = 2000


class Loaded(NamedTuple):
    """What applying needs of a planned row; making whole objects of them would take longer than writing does."""

    id: int
    line: int | None
    object_id: str
    superseded: bool
    kept: bool
    kept_values: dict[str, list[Any]] | None
    payload: dict[str, Any]
    history_id: int | None
    decision: str


def load_plan(run: ImportRun, staging: Staging) -> int:
    """Fill the new tables of `staging` with the rows of `run` that are to be written; returns how many they are.

    Rows that a person decided to leave alone, and those that write nothing, stay out.
    """
    upstream = staging.upstream.strip('"')
    # What each row expects its object to be like: untouched since the plan was made.
    staging.run("CREATE TEMP TABLE {expected} (old_pk {type} PRIMARY KEY, history_id bigint)",
                type=staging.column_type(staging.spec.natural))  # fmt: skip
    wants = [staging.want(link.field) for link in staging.links]
    total = 0
    with staging.writing():
        for rows in _chunks(run, operation=Operation.NEW):
            staging.load_staged(_staged(staging, rows))
            total += len(rows)
        for rows in _chunks(run, operation=Operation.CHANGED):
            columns = ["line", "old_pk", *staging.values, upstream, "kept", *(want.strip('"') for want in wants)]
            staging.load("imports_changed", columns, _changed(staging, rows))
            _expect(staging, rows)
            total += len(rows)
        for rows in _chunks(run, operation=Operation.MISSING):
            rows = [row for row in rows if row.superseded or staging.options.missing != "report"]
            staging.load("imports_missing", ["old_pk"], ((staging.key_of(row.object_id),) for row in rows))
            _expect(staging, rows)
            total += len(rows)
    _finish(staging)
    return total


def _finish(staging: Staging) -> None:
    """Let the database find the rows as it does while planning: without the index each rename scans all changes."""
    staging.finish()
    staging.run("CREATE INDEX imports_changed_old_pk ON {changed} (old_pk)")
    staging.analyze("imports_changed", ["line", "old_pk"])
    for table in ("imports_missing", "imports_expected"):
        staging.analyze(table, ["old_pk"])


def _chunks(run: ImportRun, **which: Any) -> Iterator[list[Loaded]]:
    after = 0
    rows = PlannedRow.objects.filter(run=run, **which).exclude(decision=Decision.LEAVE).order_by("id")
    values = rows.values_list(*Loaded._fields)
    while chunk := list(map(Loaded._make, values.filter(id__gt=after)[:_CHUNK])):
        yield chunk
        after = chunk[-1].id


def _expect(staging: Staging, rows: list[Loaded]) -> None:
    staging.load("imports_expected", ["old_pk", "history_id"],
                 ((staging.key_of(row.object_id), row.history_id) for row in rows))  # fmt: skip


def _staged(staging: Staging, rows: list[Loaded]) -> Iterator[tuple]:
    for row in rows:
        values = planned_values(row)
        yield (row.line, *(values[field] for field in staging.layout.staged), _text(row.payload["upstream"]))


def _changed(staging: Staging, rows: list[Loaded]) -> Iterator[tuple]:
    for row in rows:
        values, links = decided(staging, row)
        kept = 1 if row.kept else 0
        yield (
            row.line,
            staging.key_of(row.object_id),
            *(values[field] for field in staging.values),
            _text(row.payload["upstream"]),
            kept,
            *(links[link.field] for link in staging.links),
        )


def decided(staging: Staging, row: Loaded) -> tuple[dict[str, Any], dict[str, bool]]:
    """Return final values and wanted links of a changed row, with what a person decided about its corrections."""
    values, links = planned_values(row), dict(row.payload["links"])
    place = {Decision.TAKE: 1, Decision.KEEP: 2}.get(Decision(row.decision))
    if place is None or not row.kept_values:
        return values, links
    moved = {field: three[place] for field, three in row.kept_values.items() if values[field] != three[place]}
    values |= moved
    for derived in staging.spec.derived:
        if derived.follows in moved and not (derived.merged and derived.field in row.kept_values):
            derive: Callable[[list[Any]], list[Any]] = derived.derive
            values[derived.field] = derive([values[derived.follows]])[0]
    for link in staging.links:
        if moved.keys() & set(link.follows) and link.field not in staging.options.skip_links:
            links[link.field] = True
    return values, links


def planned_values(row: Loaded) -> dict[str, Any]:
    """Return the values that a new or changed row will have: what upstream says, but for what its own values say."""
    return {**(row.payload["upstream"] or {}), **row.payload["values"]}


def _text(upstream: Any) -> str | None:
    """Return upstream values as Django's JSONField writes them."""
    return None if upstream is None else json.dumps(upstream)
