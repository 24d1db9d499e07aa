"""The changes of a table between two moments: counts, and the objects a page at a time."""

from dataclasses import dataclass

from apps.changesets.history.as_of import Moment, last_row
from apps.changesets.history.diff import Change, changes_between
from apps.changesets.history.net_changes import net_between, net_table
from apps.changesets.history.selection import contains, pattern
from apps.changesets.rights import Sees, all_seen
from apps.changesets.sql import Sql
from apps.changesets.text import searched
from apps.changesets.tracking import Tracked

# What each sort of change means of the rows before and after.
CONDITIONS = {
    "created": "n.before_id IS NULL",
    "changed": "n.before_pk = n.after_pk",
    "renamed": "n.before_pk <> n.after_pk",
    "deleted": "n.after_id IS NULL",
}


@dataclass(frozen=True)
class Between:
    """How many objects were created, changed, renamed (not among the changed) and deleted; and one page of them."""

    counts: dict[str, int]
    matching: int
    changes: tuple[Change, ...]


def changes_from(
    tracked: Tracked,
    first: Moment,
    second: Moment,
    *,
    operation: str = "",
    search: str = "",
    start: int = 0,
    limit: int = 100,
    sees: Sees = all_seen,
) -> Between:
    """Return what happened to a table from the first moment to the second; from a later to an earlier, backwards.

    `operation` and `search` (in the key and the name) leave only some objects; the counts are of all.
    """
    sql = _net_between(tracked, first, second)
    counts = {
        name: sql.value("SELECT count(*) FROM {net} n WHERE {condition}", condition=condition)
        for name, condition in CONDITIONS.items()
    }
    rows, params = _rows_that_fit(sql, tracked, operation, searched(search).casefold().split())
    pairs = sql.rows(
        "SELECT n.before_id, n.after_id {rows} ORDER BY h.{pk}, n.after_id LIMIT {limit} OFFSET {start}",
        params,
        rows=rows,
        limit=str(int(limit)),
        start=str(int(start)),
    )
    number = counts[operation] if operation in counts else sum(counts.values())
    return Between(
        counts={name: number for name, number in counts.items() if number},
        matching=sql.value("SELECT count(*) {rows}", params, rows=rows) if params else number,
        changes=tuple(changes_between(tracked, pairs, sees=sees)),
    )


def _net_between(tracked: Tracked, first: Moment, second: Moment) -> Sql:
    """Fill the table of net changes between two moments; return what knows it as {net}."""
    sql = Sql().with_model(tracked).with_temps(net=net_table(tracked))
    ends = [last_row(tracked, moment) for moment in (first, second)]
    net_between(sql, tracked, *sorted(ends))
    if ends[0] > ends[1]:
        # From the later moment to the earlier one, before and after are swapped.
        sql.run(
            """
            UPDATE {net} SET before_id = after_id, after_id = before_id, before_pk = after_pk, after_pk = before_pk,
                before_stable = after_stable, after_stable = before_stable
            """
        )
    # Objects that have the same values at both moments did not change.
    sql.run(
        """
        DELETE FROM {net} WHERE before_id IN (
            SELECT n.before_id FROM {net} n
            JOIN {history} b ON b.history_id = n.before_id JOIN {history} a ON a.history_id = n.after_id
            WHERE NOT ({differ})
        )
        """,
        differ=sql.differ(tracked.compared, "b", "a"),
    )
    return sql


def _rows_that_fit(sql: Sql, tracked: Tracked, operation: str, words: list[str]) -> tuple[str, list[str]]:
    """Return the FROM and WHERE of the net changes of an operation that have all the words, and what to bind."""
    columns = [f"h.{sql.quote(name)}" for name in (tracked.pk, "name") if name in tracked.columns]
    has_word = " OR ".join(contains(sql, column) for column in columns)
    conditions = [CONDITIONS.get(operation, "TRUE"), *[f"({has_word})"] * len(words)]
    rows = sql.fill(
        "FROM {net} n JOIN {history} h ON h.history_id = coalesce(n.after_id, n.before_id) WHERE {conditions}",
        conditions=" AND ".join(conditions),
    )
    return rows, [pattern(word) for word in words for _ in columns]
