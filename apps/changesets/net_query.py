"""What changesets did to each object, as one SELECT: pages and downloads read it and write nothing.

The same net as `netting.py` gives for reverts, which need it as an indexed table to join several times.
"""

from dataclasses import dataclass
from typing import Any

from apps.changesets.models import Changeset, Kind
from apps.changesets.netting import may_have_been
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked


@dataclass(frozen=True)
class Rows:
    """Which history rows are netted: a condition on the history table (alias `h`), and its parameters."""

    condition: str
    params: tuple[Any, ...]


def rows_of(changeset_id: int) -> Rows:
    """Return the rows of one changeset."""
    return Rows("h.changeset_id = %s", (changeset_id,))


def rows_after(sql: Sql, changeset_id: int) -> Rows:
    """Return the rows of all changesets after one; a baseline is a state, not a change."""
    table = sql.quote(Changeset._meta.db_table)
    return Rows(
        f"h.changeset_id > %s AND h.changeset_id NOT IN (SELECT c.id FROM {table} c WHERE c.kind = '{Kind.BASELINE}')",
        (changeset_id,),
    )


def net_select(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return a SELECT of `before_id after_id before_pk after_pk first_id` (NULL: absent), one row an object.

    An object that was there all the time has `first_id`, its first row here, instead of `before_id`: `row_before` looks
    it up for those that are wanted. One that came and went again is left out. The parameters are those of `rows`.
    """
    touched = f"WITH touched AS ({_touched(sql, tracked, rows)}), moved AS ({_moved(sql, tracked)})"
    # What was there all the time.
    stayed = (
        "SELECT CAST(NULL AS bigint) AS before_id, last_id AS after_id, pk AS before_pk, pk AS after_pk, first_id "
        "FROM touched WHERE NOT lived"
    )
    if tracked.stable_key is None:
        return f"{touched} {stayed} UNION ALL SELECT before_id, after_id, before_pk, after_pk, NULL FROM moved"
    # What came, went or changed key is cut into what was before and what is after; the two halves that carry the same
    # stable key are one object, whatever primary key each stands under.
    return f"""
        {touched} {stayed}
        UNION ALL
        SELECT max(before_id), max(after_id), max(before_pk), max(after_pk), NULL FROM (
            SELECT {_half("before")} AS object, before_id, NULL AS after_id, before_pk, NULL AS after_pk
            FROM moved WHERE before_id IS NOT NULL
            UNION ALL
            SELECT {_half("after")}, NULL, after_id, NULL, after_pk FROM moved WHERE after_id IS NOT NULL
        ) halves GROUP BY object
    """


def single_select(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return the same SELECT for rows of which each is an object of its own and none is half of a renaming."""
    pk = f"h.{sql.quote(tracked.pk)}"
    return f"""
        SELECT CASE h.history_type WHEN '-' THEN h.history_id END AS before_id,
               CASE h.history_type WHEN '-' THEN NULL ELSE h.history_id END AS after_id,
               CASE h.history_type WHEN '+' THEN NULL ELSE {pk} END AS before_pk,
               CASE h.history_type WHEN '-' THEN NULL ELSE {pk} END AS after_pk,
               CASE h.history_type WHEN '~' THEN h.history_id END AS first_id
        FROM {sql.quote(tracked.history_table)} h WHERE {rows.condition}
    """


def row_before(sql: Sql, tracked: Tracked) -> str:
    """Return the expression of the history_id before, for a row `n` of either SELECT."""
    history, pk = sql.quote(tracked.history_table), sql.quote(tracked.pk)
    newest = f"SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = n.before_pk AND p.history_id < n.first_id"
    return f"CASE WHEN n.first_id IS NULL THEN n.before_id ELSE ({newest}) END"


def _touched(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Per primary key the first and last of the rows, and whether the object was there all the time."""
    pk = f"h.{sql.quote(tracked.pk)}"
    return f"""
        SELECT {pk} AS pk, min(h.history_id) AS first_id, max(h.history_id) AS last_id,
               min(h.history_type) AS one_type, max(h.history_type) AS other_type,
               max(CASE WHEN h.history_type = '~' THEN 0 ELSE 1 END) = 1 AS lived
        FROM {sql.quote(tracked.history_table)} h WHERE {rows.condition} GROUP BY {pk}
    """


def _moved(sql: Sql, tracked: Tracked) -> str:
    """Of what came, went or changed key: the newest row before and the last one; a deletion is absence."""
    history, pk = sql.quote(tracked.history_table), sql.quote(tracked.pk)
    stable = sql.quote(tracked.stable_key) if tracked.stable_key else None
    stables = f", b.{stable} AS before_stable, a.{stable} AS after_stable" if stable else ""
    newest = f"SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = t.pk AND p.history_id < t.first_id"
    return f"""
        SELECT b.history_id AS before_id, a.history_id AS after_id, b.{pk} AS before_pk, a.{pk} AS after_pk {stables}
        FROM (
            SELECT t.*, CASE WHEN {may_have_been(sql)} THEN ({newest}) END AS previous_id FROM touched t WHERE t.lived
        ) t
        LEFT JOIN {history} b ON b.history_id = t.previous_id AND b.history_type <> '-'
        LEFT JOIN {history} a ON a.history_id = t.last_id AND a.history_type <> '-'
        WHERE b.history_id IS NOT NULL OR a.history_id IS NOT NULL
    """


def _half(side: str) -> str:
    """What tells the object of one half; without a stable key on either side, the primary key does."""
    other = "after" if side == "before" else "before"
    alone = f"{side}_stable IS NULL OR ({other}_id IS NOT NULL AND {other}_stable IS NULL)"
    return f"CASE WHEN {alone} THEN 'p' || CAST({side}_pk AS text) ELSE 's' || CAST({side}_stable AS text) END"
