"""What changesets did to each object, as one SELECT: pages and downloads read it and write nothing.

The same net as `netting.py` gives for reverts, which need it as an indexed table to join several times.
"""

from dataclasses import dataclass
from typing import Any

from apps.changesets.models import Changeset, Kind
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
    """Return a SELECT of `before_id after_id before_pk after_pk` (NULL: absent), one row an object.

    An object that came and went again within the rows is left out. The parameters are those of `rows`.
    """
    if tracked.stable_key is None:
        return f"SELECT before_id, after_id, before_pk, after_pk FROM ({_by_key(sql, tracked, rows)}) net"
    before, after = _half("before"), _half("after")
    # Objects that came, went or changed key are cut into what was before and what is after; the two halves that carry
    # the same stable key are one object, whatever primary key each stands under.
    return f"""
        WITH net AS ({_by_key(sql, tracked, rows)})
        SELECT before_id, after_id, before_pk, after_pk FROM net WHERE NOT lived
        UNION ALL
        SELECT max(before_id), max(after_id), max(before_pk), max(after_pk) FROM (
            SELECT {before} AS object, before_id, NULL AS after_id, before_pk, NULL AS after_pk
            FROM net WHERE lived AND before_id IS NOT NULL
            UNION ALL
            SELECT {after}, NULL, after_id, NULL, after_pk FROM net WHERE lived AND after_id IS NOT NULL
        ) halves GROUP BY object
    """


def single_select(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return the same SELECT for rows of which each is an object of its own and none is half of a renaming."""
    pk, of_history = sql.quote(tracked.pk), f"FROM {sql.quote(tracked.history_table)} h WHERE {rows.condition}"
    return f"""
        SELECT CASE history_type WHEN '+' THEN NULL WHEN '-' THEN history_id ELSE {_previous(sql, tracked)} END
                   AS before_id,
               CASE history_type WHEN '-' THEN NULL ELSE history_id END AS after_id,
               CASE history_type WHEN '+' THEN NULL ELSE pk END AS before_pk,
               CASE history_type WHEN '-' THEN NULL ELSE pk END AS after_pk
        FROM (SELECT h.history_id, h.history_type, h.{pk} AS pk {of_history}) one
    """


def single_page(sql: Sql, tracked: Tracked, rows: Rows, *, types: str, start: int, limit: int) -> str:
    """Return a SELECT of `before_id after_id` for a page of such rows by key; looks up the row before for these only.

    `types` are the history types wanted.
    """
    pk, history = sql.quote(tracked.pk), sql.quote(tracked.history_table)
    wanted = ", ".join(f"'{one}'" for one in types)
    return f"""
        SELECT CASE history_type WHEN '+' THEN NULL WHEN '-' THEN history_id ELSE {_previous(sql, tracked)} END,
               CASE history_type WHEN '-' THEN NULL ELSE history_id END
        FROM (
            SELECT h.history_id, h.history_type, h.{pk} AS pk FROM {history} h
            WHERE {rows.condition} AND h.history_type IN ({wanted})
            ORDER BY h.{pk} LIMIT {int(limit)} OFFSET {int(start)}
        ) one ORDER BY pk
    """


def _previous(sql: Sql, tracked: Tracked) -> str:
    pk, history = sql.quote(tracked.pk), sql.quote(tracked.history_table)
    return f"(SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = one.pk AND p.history_id < one.history_id)"


def _by_key(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Per primary key: its newest row before the first of the rows, and the last of them; a deletion is absence."""
    history, pk = sql.quote(tracked.history_table), sql.quote(tracked.pk)
    stable = sql.quote(tracked.stable_key) if tracked.stable_key else None
    stables = f", b.{stable} AS before_stable, a.{stable} AS after_stable" if stable else ""
    return f"""
        SELECT b.history_id AS before_id, a.history_id AS after_id, b.{pk} AS before_pk, a.{pk} AS after_pk, t.lived
               {stables}
        FROM (
            SELECT g.*, (
                SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = g.pk AND p.history_id < g.first_id
            ) AS previous_id
            FROM (
                SELECT h.{pk} AS pk, min(h.history_id) AS first_id, max(h.history_id) AS last_id,
                       max(CASE WHEN h.history_type = '~' THEN 0 ELSE 1 END) = 1 AS lived
                FROM {history} h WHERE {rows.condition} GROUP BY h.{pk}
            ) g
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
