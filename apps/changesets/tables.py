"""The tables and columns that the database really has, also half way through migrations."""

from collections.abc import Sequence
from dataclasses import replace

from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

# The columns of each table that is there, in their order.
Columns = dict[str, list[str]]


def columns_of(sql: Sql, tables: Sequence[str]) -> Columns:
    """Return the columns of these tables, those that are there, in one query; Django's introspection takes dozens."""
    if sql.postgresql:
        query = """
            SELECT t.relname, c.attname FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
            WHERE t.relkind IN ('r', 'p') AND pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped
            AND t.relname IN ({marks}) ORDER BY t.relname, c.attnum
        """
    else:
        query = """
            SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name IN ({marks}) ORDER BY t.name, c.cid
        """
    columns: Columns = {}
    for table, column in sql.rows(query, tables, marks=sql.marks(tables)):
        columns.setdefault(table, []).append(column)
    return columns


def tracked_there(using: str = "default") -> tuple[Tracked, ...]:
    """Return what is tracked as the tables are now: those that stand beside their history, with the columns of both."""
    tables = [table for tracked in tracked_models() for table in (tracked.table, tracked.history_table)]
    columns = columns_of(Sql(using), tables)
    return tuple(
        _as_it_is(tracked, columns[tracked.table], columns[tracked.history_table])
        for tracked in tracked_models()
        if tracked.pk in columns.get(tracked.table, ()) and tracked.pk in columns.get(tracked.history_table, ())
    )


def _as_it_is(tracked: Tracked, live: list[str], history: list[str]) -> Tracked:
    there = tuple(column for column in live if column in history)
    if set(there) == set(tracked.columns):
        return tracked
    return replace(tracked, there=there, stable_key=tracked.stable_key if tracked.stable_key in there else None)
