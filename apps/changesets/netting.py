"""What a changeset did to each object, whatever number of history rows it took: the row before it and the row after.

An object whose primary key changed stands in history as a deletion under the old key and a creation under the new
one; the model's stable key brings the two together again.
"""

from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked


def net_table(tracked: Tracked) -> str:
    """Return the name of the temporary table that `net_objects` fills for a model."""
    return f"net_{tracked.name}"


def net_objects(sql: Sql, tracked: Tracked, changeset_id: int) -> int:
    """Fill `net_table(tracked)` with the objects that the changeset touched; return how many there are.

    Columns: `before_id` and `after_id` (history_id, NULL where the object was absent), `before_pk` and `after_pk`.
    An object that was created and deleted again within the changeset is left out.
    """
    return _net(sql, tracked, "changeset_id = %s", [changeset_id])


def net_between(sql: Sql, tracked: Tracked, after: int, until: int) -> int:
    """Fill `net_table(tracked)` as `net_objects` does, for all history rows after one history_id up to another."""
    return _net(sql, tracked, "history_id > %s AND history_id <= %s", [after, until])


def _net(sql: Sql, tracked: Tracked, which: str, params: list[int]) -> int:
    table, history = sql.temp(net_table(tracked)), sql.quote(tracked.history_table)
    pk, key_type = sql.quote(tracked.pk), sql.key_type(tracked)
    stable_type = _stable_type(sql, tracked)
    sql.fresh_temp(
        net_table(tracked),
        f"before_id bigint, after_id bigint, before_pk {key_type}, after_pk {key_type}, "
        f"lived boolean, before_stable {stable_type}, after_stable {stable_type}",
    )
    stable = sql.quote(tracked.stable_key) if tracked.stable_key else None
    # Per object: its newest row before the changeset's first one, and the changeset's last one; deletions count as
    # absence. `lived` marks objects that came, went or changed key within the changeset.
    sql.run(
        f"""
        INSERT INTO {table} (before_id, after_id, before_pk, after_pk, lived, before_stable, after_stable)
        SELECT b.history_id, a.history_id, b.{pk}, a.{pk}, t.lived,
               {f"b.{stable}, a.{stable}" if stable else "NULL, NULL"}
        FROM (
            SELECT g.*, CASE WHEN {may_have_been(sql)} THEN (
                SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = g.pk AND p.history_id < g.first_id
            ) END AS previous_id
            FROM (
                SELECT {pk} AS pk, min(history_id) AS first_id, max(history_id) AS last_id,
                       min(history_type) AS one_type, max(history_type) AS other_type,
                       max(CASE WHEN history_type = '~' THEN 0 ELSE 1 END) = 1 AS lived
                FROM {history} WHERE {which} GROUP BY {pk}
            ) g
        ) t
        LEFT JOIN {history} b ON b.history_id = t.previous_id AND b.history_type <> '-'
        LEFT JOIN {history} a ON a.history_id = t.last_id AND a.history_type <> '-'
        WHERE b.history_id IS NOT NULL OR a.history_id IS NOT NULL
        """,
        params,
    )
    if stable:
        _join_renamed(sql, table)
    sql.analyse(net_table(tracked))
    return sql.value(f"SELECT count(*) FROM {table}")


def _join_renamed(sql: Sql, table: str) -> None:
    """Pair deletions and creations that carry the same stable key, and part rows that only share a primary key."""
    pairs = sql.temp("net_pairs")
    sql.run(f"DROP TABLE IF EXISTS {pairs}")
    # Objects whose stable key stood under one primary key before and stands under another after.
    sql.run(
        f"""
        CREATE TEMPORARY TABLE net_pairs AS
        SELECT b.before_id, a.after_id, b.before_pk, a.after_pk, b.lived, b.before_stable, a.after_stable
        FROM {table} b JOIN {table} a ON a.after_stable = b.before_stable AND a.after_pk <> b.before_pk
        WHERE b.lived AND a.lived
        """
    )
    # Their two halves leave the rows that they stood in.
    for side in ("before", "after"):
        sql.run(f"UPDATE {table} SET {_cleared(side)} WHERE lived AND {side}_id IN (SELECT {side}_id FROM {pairs})")
    sql.run(f"DELETE FROM {table} WHERE before_id IS NULL AND after_id IS NULL")
    # One primary key, but two different objects: what went and what came are rows of their own.
    other_object = "lived AND before_stable <> after_stable"
    sql.run(
        f"INSERT INTO {table} (after_id, after_pk, lived, after_stable) "
        f"SELECT after_id, after_pk, lived, after_stable FROM {table} WHERE {other_object}"
    )
    sql.run(f"UPDATE {table} SET {_cleared('after')} WHERE {other_object}")
    columns = "before_id, after_id, before_pk, after_pk, lived, before_stable, after_stable"
    sql.run(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {pairs}")
    sql.run(f"DROP TABLE {pairs}")


def may_have_been(sql: Sql) -> str:
    """Whether to look for a row before the changeset: not for pure creations, but for SQLite's INSERT OR REPLACE.

    Without recursive_triggers (the sqlite3 shell has them off), SQLite records a replaced row as a creation.
    """
    return "1 = 1" if sql.connection.vendor == "sqlite" else "NOT (one_type = '+' AND other_type = '+')"


def _cleared(side: str) -> str:
    return f"{side}_id = NULL, {side}_pk = NULL, {side}_stable = NULL"


def _stable_type(sql: Sql, tracked: Tracked) -> str:
    if not tracked.stable_key:
        return "bigint"
    return tracked.fields_by_column[tracked.stable_key].db_type(sql.connection)
