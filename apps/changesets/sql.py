"""Statements that read as plain SQL, the same on SQLite (3.39 and newer) and PostgreSQL.

A statement stands whole in triple quotes, under a sentence that says what it does. `{live}` is a hole for a name, which
`Sql` was given once, or for a part of SQL that comes with the statement; `%s` is a value, and values are always bound.
Beside bound values a percent sign is written twice; a brace that is no hole is written twice everywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.tracking import Tracked

# What fills a hole: one name, or several with commas between.
Name = str | Sequence[str]
Row = tuple[Any, ...]
_BATCH = 2000


class Sql:
    """Runs statements on one database: holes are filled with quoted names, values are bound."""

    def __init__(self, using: str | BaseDatabaseWrapper = "default", /, **names: Name) -> None:
        """Speak to the database of an alias, or through a connection of the caller's own."""
        self.connection = connections[using] if isinstance(using, str) else using
        self.using: str = self.connection.alias
        self._parts: dict[str, str] = {hole: self._quoted(name) for hole, name in names.items()}

    def with_names(self, **names: Name) -> "Sql":
        """Return one that fills these holes, too: with a quoted name, or with several and commas between."""
        return self.with_parts(**{hole: self._quoted(name) for hole, name in names.items()})

    def with_temps(self, **tables: str) -> "Sql":
        """Return one that fills these holes, too: with the full names of temporary tables."""
        return self.with_parts(**{hole: self.temp(table) for hole, table in tables.items()})

    def with_model(self, tracked: Tracked) -> "Sql":
        """Return one that knows a model: {live}, {history}, {pk}, {key_type}, all its {columns}, its {stable} key."""
        names = self.with_names(
            live=tracked.table, history=tracked.history_table, pk=tracked.pk, columns=tracked.columns
        )
        stable = self.quote(tracked.stable_key) if tracked.stable_key else "NULL"
        return names.with_parts(key_type=self.key_type(tracked), stable=stable)

    def with_parts(self, **parts: str) -> "Sql":
        """Return one that fills these holes, too: with SQL as it is."""
        copy = Sql(self.connection)
        copy._parts = {**self._parts, **parts}
        return copy

    @property
    def postgresql(self) -> bool:
        return self.connection.vendor == "postgresql"

    def absent(self, value: str, keys: str) -> str:
        """Return the condition that a value is none of some keys, which a SELECT of one column gives without NULL.

        SQLite looks each value up in a NOT IN. PostgreSQL compares it with each key once they outgrow its `work_mem`.
        """
        none = "NOT EXISTS (SELECT 1 FROM ({keys}) k (key) WHERE k.key = {value})"
        return self.fill(none if self.postgresql else "{value} NOT IN ({keys})", value=value, keys=keys)

    def fill(self, statement: str, /, **parts: str) -> str:
        """Return a statement, or a piece of one, with its holes filled."""
        return statement.format(**{**self._parts, **parts})

    def run(self, statement: str, params: Sequence[Any] = (), /, **parts: str) -> int:
        """Execute a statement and return how many rows it touched, 0 where the database does not say."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.fill(statement, **parts), list(params) or None)
            touched: int = cursor.rowcount
            return max(touched, 0)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]], /, **parts: str) -> None:
        """Execute a statement once for the values of each row."""
        filled, rows = self.fill(statement, **parts), iter(rows)
        with self.connection.cursor() as cursor:
            while batch := list(islice(rows, _BATCH)):
                cursor.executemany(filled, batch)

    def rows(self, statement: str, params: Sequence[Any] = (), /, **parts: str) -> list[Row]:
        """Execute a query and return all its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.fill(statement, **parts), list(params) or None)
            rows: list[Row] = cursor.fetchall()
            return rows

    def firsts(self, statement: str, params: Sequence[Any] = (), /, **parts: str) -> list[Any]:
        """Execute a query and return the first value of each of its rows."""
        return [row[0] for row in self.rows(statement, params, **parts)]

    def value(self, statement: str, params: Sequence[Any] = (), /, **parts: str) -> Any:
        """Execute a query and return the first value of its first row."""
        return self.rows(statement, params, **parts)[0][0]

    def chunks(self, statement: str, params: Sequence[Any] = (), /, *, size: int, **parts: str) -> Iterator[list[Row]]:
        """Execute a query and yield its rows, `size` at a time, so that they never are in memory all at once."""
        with self.connection.chunked_cursor() as cursor:
            cursor.execute(self.fill(statement, **parts), list(params) or None)
            while chunk := cursor.fetchmany(size):
                yield chunk

    def pages(self, statement: str, /, *, by: str, size: int, **parts: str) -> Iterator[list[Row]]:
        """Yield the rows of a query by its first column, `size` at a time, each time asking anew: others write between.

        `{after}` is where the condition stands that the next ones fulfil, `{limit}` how many.
        """
        rows = self.rows(statement, after="TRUE", limit=str(size), **parts)
        while rows:
            yield rows
            if len(rows) < size:
                return
            rows = self.rows(statement, [rows[-1][0]], after=f"{by} > %s", limit=str(size), **parts)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put many rows into a table, in the quickest way that the database has."""
        parts = {"table": table, "names": self.names(columns)}
        if not self.postgresql:
            self.run_many("INSERT INTO {table} ({names}) VALUES ({marks})", rows, marks=self.marks(columns), **parts)
            return
        with (
            self.connection.cursor() as cursor,
            # Django leaves what a COPY raises as the driver has it.
            self.connection.wrap_database_errors,
            cursor.copy(self.fill("COPY {table} ({names}) FROM STDIN", **parts)) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def count_rows(self, tables: Sequence[str]) -> dict[str, int]:
        """Return how many rows each of these tables has, of one moment."""
        # The place of each table, and how many rows it has.
        counts = [
            self.fill("SELECT {place}, COUNT(*) FROM {table}", place=str(place), table=self.quote(table))
            for place, table in enumerate(tables)
        ]
        rows = self.rows("{counts}", counts=" UNION ALL ".join(counts)) if counts else []
        return {tables[place]: number for place, number in rows}

    def has_rows(self, table: str) -> bool:
        """Whether a table has any row."""
        return bool(self.rows("SELECT 1 FROM {table} LIMIT 1", table=self.quote(table)))

    def empty(self, *tables: str) -> None:
        """Delete all rows of these tables."""
        for table in tables:
            self.run("DELETE FROM {table}", table=self.quote(table))

    def quote(self, name: str) -> str:
        """Return a name such that the database takes it as it is."""
        return self.connection.ops.quote_name(name)

    def names(self, columns: Iterable[str], *, of: str = "") -> str:
        """Return quoted column names, comma-separated, each prefixed with the alias `of`."""
        prefix = f"{of}." if of else ""
        return ", ".join(f"{prefix}{self.quote(column)}" for column in columns)

    def differ(self, columns: Iterable[str], left: str, right: str) -> str:
        """Return the condition that any of the columns differs between the aliases, NULL being a value."""
        return " OR ".join(f"{left}.{name} IS DISTINCT FROM {right}.{name}" for name in map(self.quote, columns))

    def same(self, columns: Iterable[str], left: str, right: str) -> str:
        """Return the condition that all of the columns have a value, and the same one in both aliases."""
        return " AND ".join(f"{left}.{name} = {right}.{name}" for name in map(self.quote, columns))

    def taken(self, columns: Iterable[str], *, of: str) -> str:
        """Return what an UPDATE sets to take these columns from the alias `of`."""
        return ", ".join(f"{name} = {of}.{name}" for name in map(self.quote, columns))

    def marks(self, values: Iterable[Any]) -> str:
        """Return the place for each of some values to bind, comma-separated; NULL where there are none."""
        return ", ".join("%s" for _ in values) or "NULL"

    def temp(self, name: str) -> str:
        """Return the full name of a temporary table, so that no other table can be meant."""
        return f"{'pg_temp' if self.postgresql else 'temp'}.{name}"

    def fresh_temp(self, name: str, columns: str) -> None:
        """Make the temporary table `name` anew with the column definitions given."""
        self.drop_temps([name])
        self.run("CREATE TEMPORARY TABLE {table} ({definitions})", table=name, definitions=columns)

    def drop_temps(self, names: Sequence[str]) -> None:
        """Drop temporary tables, as far as they are there; SQLite takes one a statement."""
        tables = [self.temp(name) for name in names]
        for some in [", ".join(tables)] if tables and self.postgresql else tables:
            self.run("DROP TABLE IF EXISTS {some}", some=some)

    def index_temp(self, name: str, columns: Sequence[str]) -> None:
        """Make an index on columns of a temporary table."""
        index = self.quote("_".join([name, *columns, "idx"])[:60])
        # On SQLite it is the index whose name says that it is a temporary one.
        index, table = (index, self.temp(name)) if self.postgresql else (f"temp.{index}", name)
        self.run(
            "CREATE INDEX IF NOT EXISTS {index} ON {table} ({names})",
            index=index,
            table=table,
            names=self.names(columns),
        )

    def analyze(self, name: str, columns: Sequence[str] = ()) -> None:
        """Tell PostgreSQL's planner what is in a temporary table (wide texts cost); SQLite plans well without."""
        if self.postgresql:
            chosen = f"({self.names(columns)})" if columns else ""
            # From 3,000 rows of it: a tenth of what is usual, in a fifth of the time.
            self.run(
                "SET LOCAL default_statistics_target = 10; ANALYZE {table} {chosen}; "
                "SET LOCAL default_statistics_target TO DEFAULT",
                table=self.temp(name),
                chosen=chosen,
            )

    @contextmanager
    def without_loops(self, wanted: bool) -> Iterator[None]:
        """Let PostgreSQL join whole tables, where that is wanted, and not read a large one again for each row.

        It expects one row where there are thousands, and uses no index that is made after rows were written anew in
        place, within the same transaction (https://www.postgresql.org/docs/15/catalog-pg-index.html, indcheckxmin).
        """
        if wanted and self.postgresql:
            self.run("SET LOCAL enable_nestloop = off")
        yield
        if wanted and self.postgresql:
            self.run("SET LOCAL enable_nestloop TO DEFAULT")

    def key_type(self, tracked: Tracked) -> str:
        """Return the column type of a model's primary key without serial or identity."""
        field = tracked.model._meta.pk
        return field.rel_db_type(self.connection) or "text"

    def moment(self, value: Any) -> Any:
        """Return a datetime as the database's parameter."""
        return self.connection.ops.adapt_datetimefield_value(value)

    def _quoted(self, name: Name) -> str:
        return self.quote(name) if isinstance(name, str) else self.names(name)
