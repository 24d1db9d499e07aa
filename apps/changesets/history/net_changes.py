"""What a changeset did to each object, as an indexed table: reverts and comparisons join it several times."""

from apps.changesets.history.net_query import Rows, net_select, row_before, rows_of
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked


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
    table, history, pk = sql.temp(net_table(tracked)), sql.quote(tracked.history_table), sql.quote(tracked.pk)
    key_type, stable_type, stables = sql.key_type(tracked), "bigint", "NULL, NULL"
    if tracked.stable_key:
        stable_type = tracked.fields_by_column[tracked.stable_key].db_type(sql.connection)
        stables = f"b.{sql.quote(tracked.stable_key)}, a.{sql.quote(tracked.stable_key)}"
    sql.fresh_temp(
        net_table(tracked),
        f"before_id bigint, after_id bigint, before_pk {key_type}, after_pk {key_type}, "
        f"before_stable {stable_type}, after_stable {stable_type}",
    )
    sql.run(
        f"""
        INSERT INTO {table} (before_id, after_id, before_pk, after_pk, before_stable, after_stable)
        SELECT b.history_id, a.history_id, b.{pk}, a.{pk}, {stables}
        FROM (SELECT {row_before(sql, tracked)} AS before_id, n.after_id FROM ({net_select(sql, tracked, rows)}) n) o
        LEFT JOIN {history} b ON b.history_id = o.before_id
        LEFT JOIN {history} a ON a.history_id = o.after_id
        """,
        rows.params,
    )
    sql.analyse(net_table(tracked))
    return sql.value(f"SELECT count(*) FROM {table}")
