"""What became of a table between two moments: counts, and the objects a page at a time."""

from dataclasses import dataclass

from apps.changesets.history.as_of import Moment, last_row
from apps.changesets.history.diff import Change, changes_between
from apps.changesets.history.net_changes import net_between, net_table
from apps.changesets.history.selection import literally
from apps.changesets.sql import Sql
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
    found: int
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
    using: str = "default",
) -> Between:
    """Return what happened to a table from the first moment to the second; from a later to an earlier, backwards.

    `operation` and `search` (in the key and the name) leave only some objects; the counts are of all.
    """
    sql = Sql(using)
    ends = [last_row(tracked, moment, using=using) for moment in (first, second)]
    net_between(sql, tracked, *sorted(ends))
    if ends[0] > ends[1]:
        _turn_round(sql, tracked)
    _leave_out_what_came_back(sql, tracked)
    net, history = sql.temp(net_table(tracked)), sql.quote(tracked.history_table)
    counts = {
        name: sql.value(f"SELECT count(*) FROM {net} n WHERE {condition}") for name, condition in CONDITIONS.items()
    }
    where, params = CONDITIONS.get(operation, "1 = 1"), []
    if words := search.casefold().split():
        key, name = f"lower(CAST(h.{sql.quote(tracked.pk)} AS text))", _comparable(sql, tracked)
        where += "".join(f" AND ({key} LIKE %s ESCAPE '!' OR {name} LIKE %s ESCAPE '!')" for _ in words)
        params = [pattern for word in words for pattern in (f"{literally(word)}%", f"%{literally(word)}%")]
    chosen = f"FROM {net} n JOIN {history} h ON h.history_id = coalesce(n.after_id, n.before_id) WHERE {where}"
    pairs = sql.rows(
        f"SELECT n.before_id, n.after_id {chosen} ORDER BY h.{sql.quote(tracked.pk)}, n.after_id "
        f"LIMIT {int(limit)} OFFSET {int(start)}",
        params,
    )
    found = sql.value(f"SELECT count(*) {chosen}", params) if params else sum(counts.values())
    if operation in counts and not params:
        found = counts[operation]
    return Between(
        counts={name: number for name, number in counts.items() if number},
        found=found,
        changes=tuple(changes_between(tracked, pairs, using=using)),
    )


def _turn_round(sql: Sql, tracked: Tracked) -> None:
    """Swap before and after, for someone who looks from now to then."""
    columns = ("id", "pk", "stable")
    swapped = ", ".join(f"before_{name} = after_{name}, after_{name} = before_{name}" for name in columns)
    sql.run(f"UPDATE {sql.temp(net_table(tracked))} SET {swapped}")


def _leave_out_what_came_back(sql: Sql, tracked: Tracked) -> None:
    """Take out the objects that have the same values at both ends."""
    history = sql.quote(tracked.history_table)
    sql.run(
        f"""
        DELETE FROM {sql.temp(net_table(tracked))} WHERE before_id IN (
            SELECT n.before_id FROM {sql.temp(net_table(tracked))} n
            JOIN {history} b ON b.history_id = n.before_id JOIN {history} a ON a.history_id = n.after_id
            WHERE NOT ({sql.differ(tracked.compared, "b", "a")}))
        """
    )


def _comparable(sql: Sql, tracked: Tracked) -> str:
    """The column to search besides the key: the comparable form of the name where the model keeps one."""
    for column in ("search_name", "name"):
        if column in tracked.columns:
            return f"lower(h.{sql.quote(column)})"
    return "''"
