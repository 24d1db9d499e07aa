"""The rows of a revert plan in words: which object, what becomes of it, and who or what stands in the way."""

from collections.abc import Collection, Iterator

from apps.changesets.revert.obstacles import explain_blocked
from apps.changesets.revert.reasons import Row, explain_kept, name_changesets
from apps.changesets.revert.verdicts import Bucket, Verdict, Window
from apps.changesets.revert.working import copy_of
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

# What a person must know of comes first.
ORDER = (Bucket.BLOCKED, Bucket.KEPT, Bucket.RESTORED, Bucket.DELETED, Bucket.RECREATED)


def list_verdicts(sql: Sql, touched: list[Tracked], *, window: Window, chosen: Collection[int]) -> Iterator[Verdict]:
    """Yield the verdicts in the window, model by model; `chosen` are the changesets that are reverted.

    One that is kept names who changed it since, one that is blocked what stands in the way.
    """
    for bucket in [window.bucket] if window.bucket else ORDER:
        start, left = window.start, window.limit
        for tracked in touched:
            if left <= 0:
                break
            number = count_in(sql, tracked, bucket)
            if start < number:
                rows = _rows(sql, tracked, bucket, start, left)
                left -= len(rows)
                yield from _explained(sql, tracked, bucket, rows, touched, chosen)
            start = max(0, start - number)


def count_in(sql: Sql, tracked: Tracked, bucket: Bucket) -> int:
    """Return how many objects of a model's working copy are in the bucket."""
    return copy_of(sql, tracked).value("SELECT count(*) FROM {working} WHERE {which}", which=_which_in(bucket))


def _which_in(bucket: Bucket) -> str:
    """Return the condition that a row of a working copy is in the bucket; one kept in part is in two."""
    kept = "(w_kept <> '' OR w_why IS NOT NULL)"
    if bucket == Bucket.KEPT:
        return f"{kept} AND coalesce(w_verdict, '') <> '{Bucket.BLOCKED}'"
    if bucket == Bucket.ALREADY:
        return f"w_verdict IS NULL AND NOT {kept}"
    return f"w_verdict = '{bucket}'"


def _rows(sql: Sql, tracked: Tracked, bucket: Bucket, start: int, limit: int) -> list[Row]:
    found = copy_of(sql, tracked).rows(
        """
        SELECT coalesce(w_live, {pk}), {label}, w_kept, w_why, w_cause FROM {working}
        WHERE {which} ORDER BY 1, w_id LIMIT {limit} OFFSET {start}
        """,
        label=sql.quote("name" if "name" in tracked.columns else tracked.pk),
        which=_which_in(bucket),
        limit=str(int(limit)),
        start=str(int(start)),
    )
    field = tracked.model._meta.pk
    return [
        Row(str(field.to_python(key)), str(name), kept, code or "", cause) for key, name, kept, code, cause in found
    ]


def _explained(
    sql: Sql, tracked: Tracked, bucket: Bucket, rows: list[Row], touched: list[Tracked], chosen: Collection[int]
) -> list[Verdict]:
    if bucket == Bucket.KEPT:
        verdicts = explain_kept(tracked, rows, chosen=chosen, using=sql.using)
    elif bucket == Bucket.BLOCKED:
        verdicts = explain_blocked(sql, tracked, rows, touched, chosen=chosen)
    else:
        return [Verdict(tracked.label, row.pk, row.label, bucket) for row in rows]
    return name_changesets(verdicts, using=sql.using)
