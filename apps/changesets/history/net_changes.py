"""The net change of each object in some history rows: the history row before them, and the last of them.

Pages and downloads read one SELECT; reverts and comparisons join it several times, as an indexed table. An object whose
primary key changed stands in history as a deletion under the old key and a creation under the new one; the model's
stable key brings the two together again.
"""

from dataclasses import dataclass
from typing import Any

from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked


@dataclass(frozen=True)
class Rows:
    """The history rows that are netted: a condition on the history table (alias `h`), and its parameters.

    `before` is a further condition on the row before them (alias `p`), where not all older rows count.
    """

    condition: str
    params: tuple[Any, ...]
    before: str = ""


def rows_of(changeset_id: int) -> Rows:
    """Return the rows of one changeset."""
    return Rows("h.changeset_id = %s", (changeset_id,))


def net_select(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return a SELECT of `before_id after_id before_pk after_pk first_id` (NULL: absent), one row an object.

    An object that was there all the time has `first_id`, its first row here, instead of `before_id`: `row_before` looks
    it up for those that are wanted. One that came and went again is left out. The parameters are those of `rows`.
    """
    # What was there all the time, and what came, went or changed key. The latter is cut into what was before and what
    # is after; the two halves that carry the same stable key are one object, whatever primary key each stands under.
    select = """
        WITH touched AS MATERIALIZED ({touched}), {moved}
        SELECT CAST(NULL AS bigint) AS before_id, last_id AS after_id, pk AS before_pk, pk AS after_pk, first_id
        FROM touched WHERE NOT lived
        UNION ALL
    """
    if tracked.stable_key is None:
        select += "SELECT before_id, after_id, before_pk, after_pk, NULL FROM moved"
    else:
        select += """
            SELECT max(before_id), max(after_id), max(before_pk), max(after_pk), NULL FROM (
                SELECT {half_before} AS object, before_id, NULL AS after_id, before_pk, NULL AS after_pk
                FROM moved WHERE before_id IS NOT NULL
                UNION ALL
                SELECT {half_after}, NULL, after_id, NULL, after_pk FROM moved WHERE after_id IS NOT NULL
            ) halves GROUP BY object
        """
    return sql.fill(
        select,
        touched=_touched(sql, tracked, rows),
        moved=_moved(sql, tracked, rows),
        half_before=_half(sql, "before"),
        half_after=_half(sql, "after"),
    )


def single_select(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return the same SELECT for rows of which each is an object of its own and none is half of a renaming."""
    return sql.with_model(tracked).fill(
        """
        SELECT CASE h.history_type WHEN '-' THEN h.history_id END AS before_id,
               CASE h.history_type WHEN '-' THEN NULL ELSE h.history_id END AS after_id,
               CASE h.history_type WHEN '+' THEN NULL ELSE h.{pk} END AS before_pk,
               CASE h.history_type WHEN '-' THEN NULL ELSE h.{pk} END AS after_pk,
               CASE h.history_type WHEN '~' THEN h.history_id END AS first_id
        FROM {history} h WHERE {condition}
        """,
        condition=rows.condition,
    )


def row_before(sql: Sql, tracked: Tracked, rows: Rows | None = None) -> str:
    """Return the expression of the history_id before, for a row `n` of either SELECT."""
    return sql.with_model(tracked).fill(
        """
        CASE WHEN n.first_id IS NULL THEN n.before_id ELSE (
            SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = n.before_pk AND p.history_id < n.first_id {counts}
        ) END
        """,
        counts=rows.before if rows else "",
    )


def _touched(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Return per primary key the first and the last row, and whether it was created or deleted there (`lived`).

    `stable_text` is the stable key where there is one row only.
    """
    return sql.with_model(tracked).fill(
        """
        SELECT h.{pk} AS pk, min(h.history_id) AS first_id, max(h.history_id) AS last_id,
               min(h.history_type) AS one_type, max(h.history_type) AS other_type, {stable_text} AS stable,
               max(CASE WHEN h.history_type = '~' THEN 0 ELSE 1 END) = 1 AS lived
        FROM {history} h WHERE {condition} GROUP BY h.{pk}
        """,
        stable_text=f"max(CAST(h.{sql.quote(tracked.stable_key)} AS text))" if tracked.stable_key else "NULL",
        condition=rows.condition,
    )


def _moved(sql: Sql, tracked: Tracked, rows: Rows) -> str:
    """Of what came, went or changed key: the newest row before and the last one; a deletion is absence.

    A single row tells all: what came was not there, and what went was as its last row says. Of the others, each value
    is looked up by key: a join would read the whole history table, however few they are.
    """
    sql = sql.with_model(tracked)
    alone = "first_id = last_id"
    if rows.before:
        alone = "FALSE"  # The row before may not count.
    elif not sql.postgresql:
        # Without recursive_triggers (the sqlite3 shell has them off), SQLite records a replaced row as a creation: a
        # creation alone does not tell all there, and there may have been a row before it.
        alone += " AND one_type = '-'"
    present = sql.fill("SELECT l.history_id FROM {history} l WHERE l.history_type <> '-' AND l.history_id =")
    stable = "NULL"
    if tracked.stable_key:
        stable = "(SELECT CAST(l.{stable} AS text) FROM {history} l WHERE l.history_id = {row})"
    return sql.fill(
        """
        earlier AS MATERIALIZED (
            SELECT pk, last_id, CASE WHEN {may_have_been} THEN (
                SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = t.pk AND p.history_id < t.first_id {counts}
            ) END AS previous_id
            FROM touched t WHERE lived AND NOT ({alone})
        ), ends AS MATERIALIZED (
            SELECT pk, ({present} previous_id) AS before_id, ({present} last_id) AS after_id FROM earlier
        ), moved AS MATERIALIZED (
            SELECT CASE one_type WHEN '-' THEN last_id END AS before_id,
                   CASE one_type WHEN '+' THEN last_id END AS after_id,
                   CASE one_type WHEN '-' THEN pk END AS before_pk, CASE one_type WHEN '+' THEN pk END AS after_pk,
                   CASE one_type WHEN '-' THEN stable END AS before_stable,
                   CASE one_type WHEN '+' THEN stable END AS after_stable
            FROM touched WHERE lived AND {alone}
            UNION ALL
            SELECT before_id, after_id, CASE WHEN before_id IS NOT NULL THEN pk END,
                   CASE WHEN after_id IS NOT NULL THEN pk END, {stable_before}, {stable_after}
            FROM ends WHERE before_id IS NOT NULL OR after_id IS NOT NULL
        )
        """,
        alone=alone,
        may_have_been="NOT (one_type = '+' AND other_type = '+')" if alone == "first_id = last_id" else "TRUE",
        counts=rows.before,
        present=present,
        stable_before=sql.fill(stable, row="before_id"),
        stable_after=sql.fill(stable, row="after_id"),
    )


def _half(sql: Sql, side: str) -> str:
    """Return the key of the object of one half: its stable key, else its primary key.

    An object that got or lost its stable key is told by its primary key on both sides, unless whose stable key it is
    stands under another primary key on the other side: then that one was renamed to this key.
    """
    return sql.fill(
        """
        CASE WHEN {side}_stable IS NULL OR (
            {other}_id IS NOT NULL AND {other}_stable IS NULL
            AND NOT {side}_stable IN (SELECT {other}_stable FROM moved WHERE {other}_stable IS NOT NULL)
        ) THEN 'p' || CAST({side}_pk AS text) ELSE 's' || {side}_stable END
        """,
        side=side,
        other="after" if side == "before" else "before",
    )


def net_table(tracked: Tracked) -> str:
    """Return the name of the temporary table that `net_objects` fills for a model."""
    return f"net_{tracked.name}"


def net_objects(sql: Sql, tracked: Tracked, changeset_id: int) -> int:
    """Fill `net_table(tracked)` with the objects that the changeset touched; return how many there are.

    Columns: `before_id` and `after_id` (history_id, NULL where the object was absent), and for both sides `_pk` and
    `_stable`. An object that was created and deleted again within the changeset is left out.
    """
    return _fill(sql, tracked, rows_of(changeset_id))


def net_between(sql: Sql, tracked: Tracked, after: int, until: int) -> int:
    """Fill `net_table(tracked)` as `net_objects` does, for all history rows after one history_id up to another."""
    return _fill(sql, tracked, Rows("h.history_id > %s AND h.history_id <= %s", (after, until)))


def _fill(sql: Sql, tracked: Tracked, rows: Rows) -> int:
    stable = tracked.fields_by_column[tracked.stable_key] if tracked.stable_key else None
    sql = sql.with_model(tracked).with_temps(net=net_table(tracked))
    columns = """
        before_id bigint, after_id bigint, before_pk {key_type}, after_pk {key_type},
        before_stable {stable_type}, after_stable {stable_type}
    """
    stable_type = (stable.db_type(sql.connection) if stable else None) or "bigint"
    sql.fresh_temp(net_table(tracked), sql.fill(columns, stable_type=stable_type))
    # The first and the last row of each object, and what it is called there.
    number = sql.run(
        """
        INSERT INTO {net} (before_id, after_id, before_pk, after_pk, before_stable, after_stable)
        SELECT b.history_id, a.history_id, b.{pk}, a.{pk}, {stables}
        FROM (SELECT {before} AS before_id, n.after_id FROM ({net_select}) n) o
        LEFT JOIN {history} b ON b.history_id = o.before_id
        LEFT JOIN {history} a ON a.history_id = o.after_id
        """,
        rows.params,
        stables=sql.fill("b.{stable}, a.{stable}") if stable else "NULL, NULL",
        before=row_before(sql, tracked, rows),
        net_select=net_select(sql, tracked, rows),
    )
    sql.analyze(net_table(tracked))
    return number
