"""Small pieces of SQL that read the same on SQLite (3.39 and newer) and PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections

from apps.changesets.tracking import Tracked


class Sql:
    """Runs statements on one database, with names quoted and values bound."""

    def __init__(self, using: str = "default"):
        self.using = using
        self.connection = connections[using]
        self.quote = self.connection.ops.quote_name

    def run(self, statement: str, params: Sequence[Any] = ()) -> int:
        """Execute a statement and return how many rows it touched (-1 where the database does not say)."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, list(params) or None)
            return cursor.rowcount

    def rows(self, statement: str, params: Sequence[Any] = ()) -> list[tuple]:
        """Execute a query and return all its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, list(params) or None)
            return cursor.fetchall()

    def value(self, statement: str, params: Sequence[Any] = ()) -> Any:
        """Execute a query and return the first value of its first row."""
        return self.rows(statement, params)[0][0]

    def names(self, columns: Iterable[str], *, of: str = "") -> str:
        """Return quoted column names, comma-separated, each prefixed with the alias `of`."""
        prefix = f"{of}." if of else ""
        return ", ".join(f"{prefix}{self.quote(column)}" for column in columns)

    def differ(self, columns: Iterable[str], left: str, right: str) -> str:
        """Return the condition that any of the columns differs between the aliases, NULL being a value."""
        return " OR ".join(f"{left}.{column} IS DISTINCT FROM {right}.{column}" for column in map(self.quote, columns))

    def fresh_temp(self, name: str, columns: str) -> None:
        """Make the temporary table `name` anew with the column definitions given."""
        self.drop_temp(name)
        self.run(f"CREATE TEMPORARY TABLE {name} ({columns})")

    def drop_temp(self, name: str) -> None:
        """Drop a temporary table if it is there."""
        self.run(f"DROP TABLE IF EXISTS {self.temp(name)}")

    def drop_temps(self, names: Sequence[str]) -> None:
        """Drop temporary tables, as far as they are there; SQLite takes one a statement."""
        tables = [self.temp(name) for name in names]
        for statement in tables if self.connection.vendor == "sqlite" else [", ".join(tables)]:
            self.run(f"DROP TABLE IF EXISTS {statement}")

    def index_temp(self, name: str, columns: Iterable[str]) -> None:
        """Make an index on columns of a temporary table."""
        columns = list(columns)
        index = self.quote("_".join([name, *columns, "idx"])[:60])
        if self.connection.vendor == "sqlite":
            self.run(f"CREATE INDEX IF NOT EXISTS temp.{index} ON {name} ({self.names(columns)})")
        else:
            self.run(f"CREATE INDEX IF NOT EXISTS {index} ON {self.temp(name)} ({self.names(columns)})")

    def temp(self, name: str) -> str:
        """Return the full name of a temporary table, so that no other table can be meant."""
        return f"temp.{name}" if self.connection.vendor == "sqlite" else f"pg_temp.{name}"

    def analyse(self, name: str, columns: Iterable[str] = ()) -> None:
        """Tell PostgreSQL's planner what is in a temporary table (wide texts cost); SQLite plans well without."""
        if self.connection.vendor == "postgresql":
            chosen = f" ({self.names(columns)})" if columns else ""
            self.run(f"ANALYZE {self.temp(name)}{chosen}")

    def key_type(self, tracked: Tracked) -> str:
        """Return the column type of a model's primary key without serial or identity."""
        field = tracked.model._meta.pk
        return field.rel_db_type(self.connection) or "text"

    def moment(self, value: Any) -> Any:
        """Return a datetime as the database's parameter."""
        return self.connection.ops.adapt_datetimefield_value(value)
