"""Which rows of the working copy stand for the objects that a changeset touched, under whatever key they are now."""

from apps.changesets.history.net_changes import net_table
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked


def working_table(tracked: Tracked) -> str:
    """Return the name of a model's working copy."""
    return f"revert_{tracked.name}"


def load_touched(sql: Sql, tracked: Tracked) -> None:
    """Copy the live rows of the touched objects, under whatever key, that are not in the working copy yet."""
    working, net = sql.temp(working_table(tracked)), sql.temp(net_table(tracked))
    pk, live = sql.quote(tracked.pk), sql.quote(tracked.table)
    sides = ("after", "before")
    keys = [f"SELECT {side}_pk FROM {net} WHERE {side}_pk IS NOT NULL" for side in sides]
    if tracked.stable_key:
        stable = sql.quote(tracked.stable_key)
        keys += [f"SELECT s.{pk} FROM {net} n JOIN {live} s ON s.{stable} = n.{side}_stable" for side in sides]
    sql.run(
        f"""
        INSERT INTO {working} (w_live, w_present, {sql.names(tracked.columns)})
        SELECT l.{pk}, {true_in(sql)}, {sql.names(tracked.columns, of="l")} FROM {live} l
        WHERE l.{pk} IN ({" UNION ".join(keys)})
        AND NOT EXISTS (SELECT 1 FROM {working} w WHERE w.w_live = l.{pk})
        """
    )
    sql.analyse(working_table(tracked), ["w_id", "w_live", tracked.pk])


def match_touched(sql: Sql, tracked: Tracked) -> None:
    """Say for each touched object which row of the working copy stands for it now (NULL: none does).

    A row with the same stable key does, under whatever primary key. One under the same primary key does only where one
    of the two has no stable key: else it is another object, to which the primary key was given since.
    """
    sql.drop_temp("revert_round")
    sql.run("CREATE TEMPORARY TABLE revert_round (before_id bigint, after_id bigint, w_id bigint)")
    if tracked.stable_key:
        sql.index_temp(working_table(tracked), [tracked.stable_key])
    for side, which in (("after", "n.after_id IS NOT NULL"), ("before", "n.after_id IS NULL")):
        if tracked.stable_key:
            _match_by(sql, tracked, f"w.{sql.quote(tracked.stable_key)} = n.{side}_stable", which, outer=False)
        same_key = f"w.{sql.quote(tracked.pk)} = n.{side}_pk"
        if tracked.stable_key:
            same_key += f" AND (n.{side}_stable IS NULL OR w.{sql.quote(tracked.stable_key)} IS NULL)"
        _match_by(sql, tracked, same_key, f"{which} AND {_unmatched(sql, side)}", outer=True)
    sql.index_temp("revert_round", ["w_id"])
    sql.analyse("revert_round")


def drop_bystanders(sql: Sql, tracked: Tracked, newest: int) -> None:
    """Take rows loaded after the row `newest` out again that only share a key with a touched object."""
    sql.run(
        f"DELETE FROM {sql.temp(working_table(tracked))} WHERE w_id > %s "
        f"AND w_id NOT IN (SELECT w_id FROM {sql.temp('revert_round')} WHERE w_id IS NOT NULL)",
        [newest],
    )


def _match_by(sql: Sql, tracked: Tracked, condition: str, which: str, *, outer: bool) -> None:
    """Add the objects that fit `which` with their row by `condition`; with `outer` also those that have none."""
    # A row that stands for one object already stands for no other.
    sql.run(
        f"""
        INSERT INTO {sql.temp("revert_round")} (before_id, after_id, w_id)
        SELECT n.before_id, n.after_id, w.w_id FROM {sql.temp(net_table(tracked))} n
        {"LEFT" if outer else ""} JOIN {sql.temp(working_table(tracked))} w ON {condition} AND w.w_present
            AND w.w_id NOT IN (SELECT w_id FROM {sql.temp("revert_round")} WHERE w_id IS NOT NULL)
        WHERE {which}
        """
    )


def _unmatched(sql: Sql, side: str) -> str:
    matched = f"SELECT {side}_id FROM {sql.temp('revert_round')} WHERE {side}_id IS NOT NULL"
    return f"n.{side}_id NOT IN ({matched})"


def true_in(sql: Sql) -> str:
    """Return the word for true; SQLite stores booleans as numbers."""
    return "1" if sql.connection.vendor == "sqlite" else "true"


def false_in(sql: Sql) -> str:
    """Return the word for false."""
    return "0" if sql.connection.vendor == "sqlite" else "false"
