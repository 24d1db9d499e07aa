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
        before=row_before(sql, tracked),
        net_select=net_select(sql, tracked, rows),
    )
    sql.analyze(net_table(tracked))
    return number
