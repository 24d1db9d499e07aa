"""The rows of a revert plan in words: which object, what becomes of it, and who stands in the way."""

from collections.abc import Iterator

from apps.changesets.models import Changeset
from apps.changesets.revert import blocking, working
from apps.changesets.revert.verdicts import Bucket, Verdict
from apps.changesets.revert.working import working_table
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

WORDS = {
    working.CHANGED_SINCE: "created by the changeset and changed since",
    working.DELETED_SINCE: "deleted since",
    working.THERE_AGAIN: "deleted by the changeset and made anew since",
    blocking.REFERENCED: "other rows still refer to it",
    blocking.MISSING_TARGET: "it would point to something that is gone",
    blocking.UNIQUE_CLASH: "another row has its unique value now",
}
# What a person must know of comes first.
ORDER = (Bucket.BLOCKED, Bucket.KEPT, Bucket.RESTORED, Bucket.DELETED, Bucket.RECREATED)


def list_verdicts(sql: Sql, touched: list[Tracked], *, limit: int) -> Iterator[Verdict]:
    """Yield up to `limit` verdicts of each bucket; one that kept something names who changed it since."""
    for bucket in ORDER:
        left = limit
        for tracked in touched:
            for verdict in _of_bucket(sql, tracked, bucket, left):
                left -= 1
                yield verdict


def _of_bucket(sql: Sql, tracked: Tracked, bucket: Bucket, limit: int) -> list[Verdict]:
    if limit <= 0:
        return []
    if bucket == Bucket.KEPT:
        condition = "(w_kept <> '' OR w_why IS NOT NULL) AND coalesce(w_verdict, '') <> 'blocked'"
    else:
        condition = f"w_verdict = '{bucket}'"
    pk = sql.quote(tracked.pk)
    label = sql.quote("name") if "name" in tracked.columns else pk
    rows = sql.rows(
        f"SELECT coalesce(w_live, {pk}), {label}, w_kept, w_why, "
        f"(SELECT h.changeset_id FROM {sql.quote(tracked.history_table)} h "
        f" WHERE h.{pk} = coalesce(w.w_live, w.{pk}) ORDER BY h.history_id DESC LIMIT 1) "
        f"FROM {sql.temp(working_table(tracked))} w WHERE {condition} ORDER BY 1 LIMIT {int(limit)}"
    )
    who = {c.pk: c for c in Changeset.objects.using(sql.using).filter(pk__in={row[4] for row in rows})}
    return [_verdict(tracked, bucket, row, who) for row in rows]


def _verdict(tracked: Tracked, bucket: Bucket, row: tuple, who: dict[int, Changeset]) -> Verdict:
    pk, label, kept, code, changeset_id = row
    why = WORDS.get(code or "", "")
    if bucket == Bucket.KEPT:
        if kept:
            fields = {tracked.fields_by_column[column] for column in kept.split()}
            # What follows from other fields is no news beside them.
            news = {field for field in fields if field.editable} or fields
            why = f"{', '.join(sorted(str(field.verbose_name) for field in news))} changed since"
        by = who.get(changeset_id)
        if by is not None:
            why += f", last in {by}" + (f" by {by.actor_name}" if by.actor_name else "")
    keeps = bucket in (Bucket.KEPT, Bucket.BLOCKED)
    return Verdict(tracked.label, str(pk), str(label), bucket, why, changeset_id if keeps else None)
