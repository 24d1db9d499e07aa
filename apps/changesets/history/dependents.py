"""What hangs on what: the later changesets that built on what a changeset did, each with its reasons.

A later changeset builds on an earlier one where it changes a field that the earlier one had changed on the same object,
renames or deletes the object, makes it anew, or links something to an object that the earlier one had created.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from apps.changesets.fields import column_of, target_of
from apps.changesets.history.cache import remembered, state_of_tables
from apps.changesets.history.net_changes import net_objects, net_table
from apps.changesets.models import Changeset, Kind, Status
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

# So many changesets are followed: what hangs on those is not looked up any more.
MOST_FOLLOWED = 12
CHANGED, RENAMED, DELETED, CREATED, LINKED = "changed", "renamed", "deleted", "created", "linked"


@dataclass(frozen=True)
class Reason:
    """What a later changeset did to how many objects of a model; with `field`, in which field, or by which link."""

    model: str
    did: str
    number: int
    field: str = ""


@dataclass(frozen=True)
class Hold:
    """That the changeset `later` built on `earlier`, and why."""

    earlier: int
    later: int
    reasons: tuple[Reason, ...]


def holds_on(changeset: Changeset) -> list[Hold]:
    """Return what hangs on a changeset, and what hangs on that; nearest first. It is worked out once for each state."""
    state = state_of_tables()
    found, queue, seen = [], deque([changeset.pk]), {changeset.pk}
    while queue and len(seen) <= MOST_FOLLOWED:
        earlier = queue.popleft()
        for hold in remembered(f"hangs-on-{earlier}", state, partial(_holds, earlier)):
            found.append(hold)
            if hold.later not in seen:
                seen.add(hold.later)
                queue.append(hold.later)
    return found


def _holds(pk: int) -> list[Hold]:
    changeset = Changeset.objects.using("default").get(pk=pk)
    # A revert undoes, and what it reverted is behind it: neither builds on the other.
    undone = {*changeset.reverted_by.values_list("pk", flat=True), *changeset.reverts.values_list("pk", flat=True)}
    by_later: dict[int, list[Reason]] = {}
    sql = Sql()
    for tracked in tracked_models():
        touched = changeset.counts is None or tracked.label in changeset.counts
        if touched and net_objects(sql, tracked, pk):
            for later, reason in [*_same_objects(sql, tracked, pk), *_links(sql, tracked, pk)]:
                by_later.setdefault(later, []).append(reason)
    told = Changeset.objects.using("default").filter(pk__in=by_later).exclude(pk__in=undone)
    told = told.exclude(kind__in=[Kind.BASELINE, Kind.MIGRATION]).exclude(status=Status.FAILED)
    return [Hold(pk, later, tuple(by_later[later])) for later in told.order_by("pk").values_list("pk", flat=True)]


def _same_objects(sql: Sql, tracked: Tracked, pk: int) -> Iterator[tuple[int, Reason]]:
    """Yield what later changesets did to the objects of the net table.

    An object is known by its stable key, whatever it is called by then; without one by its primary key.
    """
    by_pk = "h.{pk} = coalesce(n.after_pk, n.before_pk)"
    if tracked.stable_key is None:
        yield from _later(sql, tracked, pk, by_pk)
        return
    yield from _later(sql, tracked, pk, "h.{stable} = coalesce(n.after_stable, n.before_stable)")
    # What has none, and whatever took the primary key of an object that is gone.
    taken = "n.after_id IS NULL AND h.{stable} IS DISTINCT FROM n.before_stable"
    yield from _later(sql, tracked, pk, f"{by_pk} AND (coalesce(n.after_stable, n.before_stable) IS NULL OR {taken})")


def _later(sql: Sql, tracked: Tracked, pk: int, same: str) -> Iterator[tuple[int, Reason]]:
    known = sql.with_model(tracked).with_temps(net=net_table(tracked))
    # The objects whose field the later changeset changed, and the earlier one had.
    changed = [
        known.fill(
            """
            count(DISTINCT CASE WHEN h.history_type = '~' AND h.{column} IS DISTINCT FROM p.{column}
                AND (n.before_id IS NULL OR b.{column} IS DISTINCT FROM a.{column}) THEN h.{pk} END)
            """,
            column=sql.quote(column_of(field)),
        )
        for field in tracked.news
    ]
    # The row before is looked up by key first: PostgreSQL joins nothing by a subquery.
    rows = known.rows(
        """
        WITH later AS MATERIALIZED (
            SELECT n.before_id, n.after_id, h.history_id, CASE WHEN h.history_type = '~' THEN (
                SELECT max(q.history_id) FROM {history} q WHERE q.{pk} = h.{pk} AND q.history_id < h.history_id
            ) END AS previous_id
            FROM {net} n JOIN {history} h ON {same}
                AND h.history_id > coalesce(n.after_id, n.before_id) AND h.changeset_id <> {changeset}
        )
        SELECT h.changeset_id, {gone}, {came}, {changed} FROM later n JOIN {history} h ON h.history_id = n.history_id
        LEFT JOIN {history} p ON p.history_id = n.previous_id
        LEFT JOIN {history} b ON b.history_id = n.before_id LEFT JOIN {history} a ON a.history_id = n.after_id
        GROUP BY h.changeset_id ORDER BY h.changeset_id
        """,
        same=known.fill(same),
        changeset=str(int(pk)),
        gone=known.fill("count(DISTINCT CASE WHEN h.history_type = '-' THEN h.{pk} END)"),
        came=known.fill("count(DISTINCT CASE WHEN h.history_type = '+' THEN h.{pk} END)"),
        changed=", ".join(changed),
    )
    for later, gone, came, *numbers in rows:
        renamed = min(gone, came)
        did = ((RENAMED, renamed), (DELETED, gone - renamed), (CREATED, came - renamed))
        yield from ((later, Reason(tracked.label, word, number)) for word, number in did if number)
        for field, number in zip(tracked.news, numbers, strict=True):
            if number:
                yield later, Reason(tracked.label, CHANGED, number, field.name)


def _links(sql: Sql, tracked: Tracked, pk: int) -> Iterator[tuple[int, Reason]]:
    """Yield what later changesets linked to objects that the changeset had created."""
    for referring in tracked_models():
        for field in referring.links:
            if target_of(field) is not tracked.model:
                continue
            known = sql.with_model(referring).with_temps(net=net_table(tracked)).with_names(link=field.column)
            # Rows that got such a link: the row before had another one, or there was none.
            rows = known.rows(
                """
                WITH linking AS MATERIALIZED (
                    SELECT h.history_id, CASE WHEN h.history_type = '~' THEN (
                        SELECT max(q.history_id) FROM {history} q WHERE q.{pk} = h.{pk} AND q.history_id < h.history_id
                    ) END AS previous_id
                    FROM {net} n JOIN {history} h ON h.{link} = n.after_pk AND h.changeset_id > {changeset}
                    WHERE n.before_id IS NULL AND h.history_type <> '-'
                )
                SELECT h.changeset_id, count(DISTINCT h.{pk}) FROM linking n
                JOIN {history} h ON h.history_id = n.history_id LEFT JOIN {history} p ON p.history_id = n.previous_id
                WHERE h.history_type = '+' OR p.{link} IS DISTINCT FROM h.{link}
                GROUP BY h.changeset_id ORDER BY h.changeset_id
                """,
                changeset=str(int(pk)),
            )
            for later, number in rows:
                yield later, Reason(referring.label, LINKED, number, field.name)
