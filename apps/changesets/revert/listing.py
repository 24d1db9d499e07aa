"""The rows of a revert plan in words: the object, its bucket, and what stands in the way."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from apps.changesets.revert.matching import copy_of
from apps.changesets.revert.obstacles import Referring, explain_blocked, referring_to
from apps.changesets.revert.reasons import Row, explain_kept, name_changesets
from apps.changesets.revert.verdicts import Bucket, Cause, Verdict, Window
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_label

# What a person must know of comes first.
ORDER = (Bucket.BLOCKED, Bucket.KEPT, Bucket.RESTORED, Bucket.DELETED, Bucket.RECREATED)
# So many keys are asked about at once.
_AT_ONCE = 500


class PlannedRow(NamedTuple):
    """An object of a plan as it is remembered: what becomes of it, and what its explanation is made of.

    Only what the working copies know (which objects refer to a blocked one) is worked out when the plan is made; all
    else (who changed it since, with which values) is read from history when the row is shown.
    """

    model: str
    bucket: Bucket
    row: Row
    causes: tuple[Cause, ...] = ()
    further: int = 0


def list_verdicts(sql: Sql, touched: list[Tracked], *, window: Window, chosen: Collection[int]) -> Iterator[Verdict]:
    """Yield the verdicts in the window, model by model; `chosen` are the changesets that are reverted."""
    rows = list(list_rows(sql, touched, window=window, chosen=chosen))
    yield from explain(rows, chosen=chosen)


def list_rows(sql: Sql, touched: list[Tracked], *, window: Window, chosen: Collection[int]) -> Iterator[PlannedRow]:
    """Yield the rows in the window, model by model."""
    for bucket in [window.bucket] if window.bucket else ORDER:
        start, left = window.start, window.limit
        for tracked in touched:
            if left <= 0:
                break
            number = count_in(sql, tracked, bucket)
            if start < number:
                rows = _rows(sql, tracked, bucket, start, left)
                left -= len(rows)
                yield from _with_causes(sql, tracked, bucket, rows, touched, chosen)
            start = max(0, start - number)


def blocked_rows(sql: Sql, tracked: Tracked, touched: list[Tracked], *, chosen: Collection[int]) -> list[PlannedRow]:
    """Return all blocked objects of a model by key, with what refers to them."""
    rows = _rows(sql, tracked, Bucket.BLOCKED, 0, count_in(sql, tracked, Bucket.BLOCKED))
    return list(_with_causes(sql, tracked, Bucket.BLOCKED, rows, touched, chosen))


def explain(rows: Iterable[PlannedRow], *, chosen: Collection[int]) -> list[Verdict]:
    """Return the rows as verdicts: who changed since what is kept of each, and what is in the way of a blocked one."""
    verdicts: list[Verdict] = []
    for (label, bucket), group in groupby(rows, key=lambda row: (row.model, row.bucket)):
        of_bucket, tracked = list(group), tracked_by_label(label)
        of_model = [planned.row for planned in of_bucket]
        if bucket == Bucket.BLOCKED:
            referring = {planned.row.pk: Referring(planned.causes, planned.further) for planned in of_bucket}
            verdicts += explain_blocked(tracked, of_model, referring, chosen=chosen)
            continue
        left = [row for row in of_model if bucket == Bucket.KEPT or row.kept or row.code]
        kept = {verdict.pk: verdict for verdict in explain_kept(tracked, left, chosen=chosen)} if left else {}
        plain = [Verdict(label, row.pk, row.label, bucket) for row in of_model]
        verdicts += [replace(kept.get(verdict.pk, verdict), bucket=bucket) for verdict in plain]
    return name_changesets(verdicts)


def count_in(sql: Sql, tracked: Tracked, bucket: Bucket) -> int:
    """Return how many objects of a model's working copy are in the bucket."""
    number = copy_of(sql, tracked).value("SELECT count(*) FROM {working} WHERE {which}", which=_which_in(bucket))
    return int(number)


def count_partly(sql: Sql, tracked: Tracked) -> int:
    """Return how many objects of a model's working copy are written, and have values that are left alone."""
    number = copy_of(sql, tracked).value(
        "SELECT count(*) FROM {working} WHERE {kept} AND w_verdict IS NOT NULL", kept=_which_in(Bucket.KEPT)
    )
    return int(number)


def _which_in(bucket: Bucket) -> str:
    """Return the condition that a row of a working copy is in the bucket; one kept in part is in two."""
    kept = "(w_kept <> '' OR w_why IS NOT NULL)"
    if bucket == Bucket.KEPT:
        return f"{kept} AND coalesce(w_verdict, '') <> '{Bucket.BLOCKED}'"
    if bucket == Bucket.ALREADY:
        return f"w_verdict IS NULL AND NOT {kept}"
    return f"w_verdict = '{bucket}'"


def _rows(sql: Sql, tracked: Tracked, bucket: Bucket, start: int, limit: int) -> list[Row]:
    rows = copy_of(sql, tracked).rows(
        """
        SELECT coalesce(w_live, {pk}), {label}, w_kept, w_why, w_cause, w_verdict IS NOT NULL FROM {working}
        WHERE {which} ORDER BY 1, w_id LIMIT {limit} OFFSET {start}
        """,
        label=sql.quote("name" if "name" in tracked.columns else tracked.pk),
        which=_which_in(bucket),
        limit=str(int(limit)),
        start=str(int(start)),
    )
    field = tracked.model._meta.pk
    return [
        Row(str(field.to_python(key)), str(name), kept, code or "", cause, bool(written))
        for key, name, kept, code, cause, written in rows
    ]


def _with_causes(
    sql: Sql, tracked: Tracked, bucket: Bucket, rows: list[Row], touched: list[Tracked], chosen: Collection[int]
) -> Iterator[PlannedRow]:
    for first in range(0, len(rows), _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        referring = referring_to(sql, tracked, part, touched, chosen=chosen) if bucket == Bucket.BLOCKED else {}
        for row in part:
            causes, further = referring.get(row.pk, ((), 0))
            yield PlannedRow(tracked.label, bucket, row, tuple(causes), further)
