"""The rows of a revert plan as they are stored: each object of the working copies, with its values now and after."""

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from apps.changesets.fields import column_of
from apps.changesets.models import PlanRow, StoredPlan
from apps.changesets.plans.filling import (
    after_in,
    changes_sql,
    differs,
    fields_sql,
    label_sql,
    object_sql,
    places_sql,
    with_rows,
)
from apps.changesets.plans.rows import Wanted, rows_of
from apps.changesets.revert.listing import PlannedRow, blocked_rows
from apps.changesets.revert.matching import copy_of
from apps.changesets.revert.reasons import Row
from apps.changesets.revert.verdicts import Bucket, Cause
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_label

_LEFT = "(w.w_kept <> '' OR w.w_why IS NOT NULL)"


def fill_rows(sql: Sql, plan: StoredPlan, touched: list[Tracked], *, chosen: Collection[int]) -> None:
    """Store the objects of the working copies as the rows of a plan, by key; nothing of most passes through Python."""
    for tracked in touched:
        _fill(sql, plan, tracked)
    for tracked in touched:
        _add_causes(sql, plan, tracked, blocked_rows(sql, tracked, touched, chosen=chosen))


def count_fields(sql: Sql, touched: list[Tracked]) -> dict[str, dict[str, int]]:
    """Return how many restored objects get another value in each field, by model label; no zeros."""
    fields = {}
    for tracked in touched:
        numbers = copy_of(sql, tracked).rows(
            "SELECT {numbers} FROM {working} w JOIN {live} l ON l.{pk} = w.w_live WHERE w.w_verdict = {restored}",
            numbers=", ".join(
                f"count(CASE WHEN {differs(sql, field, value)} THEN 1 END)"
                for field, value in after_in(sql, tracked, "w").items()
            ),
        )[0]
        counted = {field.name: number for field, number in zip(tracked.news, numbers, strict=True) if number}
        if counted:
            fields[tracked.label] = counted
    return fields


def as_planned(row: PlanRow) -> PlannedRow:
    """Return a stored row as its explanation is made of it."""
    notes: dict[str, Any] = row.notes or {}
    pk = str(tracked_by_label(row.model).model._meta.pk.to_python(row.object_pk))
    return PlannedRow(
        row.model,
        Bucket(row.bucket),
        Row(pk, row.label, notes.get("kept") or "", notes.get("code") or "", notes.get("cause")),
        tuple(Cause(**cause) for cause in notes.get("causes", ())),
        notes.get("further", 0),
    )


def _fill(sql: Sql, plan: StoredPlan, tracked: Tracked) -> None:
    """Store every object of a model; its changes are the fields that it gets another value in."""
    after = after_in(sql, tracked, "w")
    with_rows(copy_of(sql, tracked), plan).run(
        """
        INSERT INTO {rows} ({stored})
        SELECT {plan}, '{label}', coalesce(w.w_verdict, CASE WHEN {left} THEN {kept} ELSE {already} END),
            coalesce({left} AND w.w_verdict IN ({restored}, {deleted}, {recreated}), FALSE),
            SUBSTR(CAST(coalesce(w.w_live, w.{pk}) AS text), 1, 255), {name}, {fields}, {places},
            CASE WHEN w.w_verdict IN ({restored}, {recreated}) THEN {changes} END,
            CASE WHEN {left} OR w.w_verdict = {blocked} THEN {notes} END
        FROM {working} w LEFT JOIN {live} l ON l.{pk} = w.w_live
        ORDER BY coalesce(w.w_live, w.{pk}), w.w_id
        """,
        label=tracked.label,
        name=label_sql(sql, tracked, "w"),
        left=_LEFT,
        # The fields that change, and those that are kept.
        fields=fields_sql(
            {
                field.name: f"(w.w_verdict = '{Bucket.RESTORED}' AND {differs(sql, field, value)}) "
                f"OR ' ' || w.w_kept LIKE '% {column_of(field)}:%'"
                for field, value in after.items()
            }
        ),
        places=places_sql(sql, tracked, "l", "w"),
        changes=changes_sql(sql, after),
        notes=object_sql(sql, {"kept": "w.w_kept", "code": "w.w_why", "cause": "w.w_cause"}),
    )


def _add_causes(sql: Sql, plan: StoredPlan, tracked: Tracked, rows: Collection[PlannedRow]) -> None:
    """Note with blocked rows what refers to them, which only the working copies know."""
    if not rows:
        return
    blocked = rows_of(plan, Wanted(str(Bucket.BLOCKED), tracked.label))
    notes = [
        {"kept": planned.row.kept, "code": planned.row.code, "cause": planned.row.cause}
        | {"causes": [asdict(cause) for cause in planned.causes], "further": planned.further}
        for planned in rows
    ]
    # Both are in the order of the keys.
    values = zip(map(json.dumps, notes), blocked.values_list("pk", flat=True), strict=True)
    with_rows(sql, plan).run_many("UPDATE {rows} SET notes = %s WHERE id = %s", values)
