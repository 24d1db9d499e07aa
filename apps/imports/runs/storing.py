"""Storing a plan: the rows of its temporary tables become rows that people page through and that are applied later.

The tables of a plan are temporary and die with their connection. They are copied in chunks, each a short transaction,
so that on SQLite others can write in between.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import transaction

from apps.imports.models import FAR_KM, ImportRun, PlannedRow, RefusedCell, RowKind
from apps.imports.plan.plan import ImportPlan
from apps.imports.results import Progress, quiet
from apps.imports.runs.plan_rows import all_rows
from apps.imports.runs.states import hold
from apps.imports.staging.tables import Staging


@dataclass
class PlanFigures:
    """How many objects change in each field, how many move, and how many do nothing but move a little."""

    fields: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    slight: int = 0
    farthest_km: float = 0.0

    def add(self, row: dict[str, Any]) -> None:
        """Count a row of the plan."""
        if row["kind"] != RowKind.CHANGED:
            return
        self.fields.update(row["changes"].keys())
        km = row["moved_km"]
        if km is not None and km >= FAR_KM:
            self.moved += 1
            self.farthest_km = max(self.farthest_km, km)
        self.slight += row["slight"]

    def as_json(self) -> dict[str, Any]:
        """Return what the run remembers of them."""
        return {
            "fields": dict(self.fields),
            "moved": self.moved,
            "slight": self.slight,
            "farthest_km": round(self.farthest_km, 3),
        }


_CHUNK = 5000
_COLUMNS = (
    *("run_id", "line", "kind", "renamed", "kept", "deleted_here", "superseded", "old_pk", "new_pk", "label"),
    *("changes", "kept_values", "payload", "disputed", "history_id", "decision", "decided_by_name", "left_alone"),
    *("moved_km", "slight"),
)


def store_plan(plan: ImportPlan, run: ImportRun, *, progress: Progress | None = None) -> PlanFigures:
    """Write the rows of `plan` as the rows of `run`, in place of those it had, and return the figures of them.

    The tracked tables are only read. Raises RunRefused when the run was failed in between, because its worker reported
    nothing.
    """
    staging = plan.staging
    progress = progress or quiet
    with _portion(staging, run):
        PlannedRow.objects.filter(run=run).delete()
        RefusedCell.objects.filter(run=run).delete()
    table = PlannedRow._meta.db_table
    done, figures = 0, PlanFigures()
    for rows in all_rows(staging):
        while chunk := list(islice(rows, _CHUNK)):
            for row in chunk:
                figures.add(row)
            with _portion(staging, run):
                staging.load(table, _COLUMNS, (_line(run, **row) for row in chunk))
            done += len(chunk)
            progress("store", done)
    _store_unchanged(staging, run, lambda rows: progress("store", done + rows))
    store_refused(staging, run)
    return figures


def store_refused(staging: Staging, run: ImportRun) -> None:
    """Write the refused cells of a plan, with which its refused rows can be downloaded."""
    refused = ((run.pk, cell.line, cell.column[:255], cell.value, cell.rule, cell.hint) for cell in staging.refusals())
    while cells := list(islice(refused, _CHUNK)):
        with _portion(staging, run):
            staging.load(RefusedCell._meta.db_table, ("run_id", "line", "column", "value", "rule", "hint"), cells)


@contextmanager
def _portion(staging: Staging, run: ImportRun) -> Iterator[None]:
    """Open a short transaction and check that the run is this worker's: rows of two workers must not mix."""
    inside = staging.connection.in_atomic_block
    # Inside a transaction of the caller there is nothing to keep short.
    with nullcontext() if inside else transaction.atomic(using=staging.using):
        hold(run)
        yield


def _line(run: ImportRun, *, kind: RowKind, line: int | None, **values: Any) -> tuple:
    return (
        run.pk,
        line,
        str(kind),
        values.get("renamed", False),
        values.get("kept", False),
        values.get("deleted_here", False),
        values.get("superseded", False),
        str(values.get("old_pk") or ""),
        str(values.get("new_pk") or "")[:255],
        (values.get("label") or "")[:255],
        _json(values.get("changes")),
        _json(values.get("kept_values")),
        values.get("payload"),
        _json(values.get("disputed")),
        values.get("history_id"),
        "",
        "",
        values.get("left_alone", ""),
        values.get("moved_km"),
        values.get("slight", False),
    )


def _json(value: Any) -> str | None:
    return json.dumps(value) if value else None


def _store_unchanged(staging: Staging, run: ImportRun, tell: Callable[[int], None]) -> None:
    """Store the rows whose object is as they say already: most of a file, and nothing of them passes through Python."""
    done = after = 0
    tables = staging.with_names(table=PlannedRow._meta.db_table, columns=_COLUMNS)
    # The last line of the next rows.
    while upto := tables.value(
        """
        SELECT MAX(line) FROM (SELECT line FROM {matched} WHERE line > %s ORDER BY line LIMIT {limit}) c
        """,
        [after],
        limit=str(_CHUNK),
    ):
        with _portion(staging, run):
            # Rows of the file with an object, which is not among those that change.
            done += tables.run(
                """
                INSERT INTO {table} ({columns})
                SELECT %s, m.line, %s, FALSE, FALSE, FALSE, FALSE, {old_pk}, {old_pk},
                       COALESCE(SUBSTR(l.{label}, 1, 255), ''), NULL, NULL, NULL, NULL, NULL, '', '', '', NULL, FALSE
                FROM {matched} m JOIN {live} l ON l.{pk} = m.old_pk WHERE m.line > %s AND m.line <= %s
                AND NOT EXISTS (SELECT 1 FROM {changed} x WHERE x.line = m.line) ORDER BY m.line
                """,
                [run.pk, str(RowKind.UNCHANGED), after, upto],
                old_pk="SUBSTR(CAST(m.old_pk AS text), 1, 255)",
                label=staging.column(staging.spec.label),
            )
        after = upto
        tell(done)
