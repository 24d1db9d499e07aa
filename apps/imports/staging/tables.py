"""Staging: normalised rows in temporary tables of the connection, where SQL can compare them with live rows.

Temporary tables belong to one connection and to no transaction, so that on SQLite nobody is locked out while a file is
read. All SQL of an import is written with named holes for tables and columns, which `Staging` fills with quoted names.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.imports.mapping.layout import Layout
from apps.imports.results import ImportOptions, Progress, Refusal, quiet
from apps.imports.spec import ImportSpec
from apps.imports.staging.normalise import Seen
from apps.imports.staging.upstream_values import Columns

TABLES = (
    *("imports_staged", "imports_seen", "imports_matched", "imports_changed", "imports_missing", "imports_blocked"),
    *("imports_completed", "imports_refusals", "imports_deleted_here", "imports_pins", "imports_pinned_gone"),
    "imports_stays_deleted",
    "imports_made_keys",
    *("imports_expected", "imports_moved", "imports_renamed"),
)
# What the column for upstream's values is called in the temporary tables of a spec that has none.
_NO_UPSTREAM = "imports_upstream"
VIEWS = ("imports_writes", "imports_created")
_BATCH = 2000


def _as_text(value: Any) -> Any:
    """Return days and UUIDs as JSON has them; PostgreSQL gives them as Python's."""
    return str(value) if isinstance(value, date | UUID) else value


@dataclass
class Staging(Columns):
    """The temporary tables of one import on one connection."""

    connection: BaseDatabaseWrapper
    layout: Layout
    options: ImportOptions
    progress: Progress = quiet
    discarded: bool = False
    # The fields that some live object has pinned; without any, no statement asks for pins.
    pinned: frozenset[str] = frozenset()

    @property
    def spec(self) -> ImportSpec:
        return self.layout.spec

    @property
    def postgresql(self) -> bool:
        return self.connection.vendor == "postgresql"

    def staged(self, field: str) -> str:
        """Return the SQL for the value that the staged row `s` gives a field: of a reference, its primary key."""
        column = next((column for column in self.spec.references if column.field == field), None)
        if column is None:
            return f"s.{self.quote(field)}"
        return self.referred(column.refers, f"s.{self.quote(field)}")

    @property
    def upstream(self) -> str:
        """The quoted name of the column in the temporary tables that holds upstream's values."""
        return self.column(self.spec.upstream) if self.spec.upstream else self.quote(_NO_UPSTREAM)

    @property
    def values(self) -> list[str]:
        """All fields of the spec that a write carries, in order, those for the links only included."""
        return [column.field for column in self.spec.columns] + [each.field for each in self.spec.derived]

    @property
    def stored(self) -> list[str]:
        """Those of them that are columns of the live table."""
        unstored = self._unstored
        return [field for field in self.values if field not in unstored]

    @property
    def shown(self) -> list[str]:
        """The fields whose change people are shown: those that the file fills, and what is merged along with them."""
        own = self.layout.fields | {each.field for each in self.layout.derived if each.merged}
        return [field for field in self.stored if field in own]

    @property
    def links(self) -> list:
        return list(self.spec.linker.links) if self.spec.linker else []

    def fill(self, text: str, **parts: str) -> str:
        """Put the names of this import's tables and columns, and `parts`, into the holes of a statement."""
        names = {name.removeprefix("imports_"): name for name in (*TABLES, *VIEWS)}
        optional = {"key": self.spec.key, "active": self.spec.active}
        return text.format(
            **names,
            live=self.quote(self.spec.model._meta.db_table),
            pk=self.column(self.spec.natural),
            upstream=self.upstream,
            **{name: self.column(field) for name, field in optional.items() if field},
            **parts,
        )

    def run(self, text: str, params: Sequence[Any] = (), **parts: str) -> int:
        """Execute one statement and return how many rows it wrote."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.fill(text, **parts), params or None)
            return max(cursor.rowcount, 0)

    def fetch(self, text: str, params: Sequence[Any] = (), **parts: str) -> list[tuple]:
        """Return the rows of one query; its text says how many at most."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.fill(text, **parts), params or None)
            rows = cursor.fetchall()
        return [tuple(map(_as_text, row)) for row in rows] if self.spec.has_days_or_ids else rows

    def key_of(self, text: str) -> Any:
        """Return the primary key that was written down as text, as the database takes it."""
        pk = self.spec.model._meta.pk
        return pk.get_db_prep_save(pk.to_python(text), self.connection)

    def key_in_words(self, key: Any) -> str:
        """Return a primary key that the database gave as it is written down everywhere."""
        return str(self.spec.model._meta.pk.to_python(key))

    def count(self, text: str, params: Sequence[Any] = (), **parts: str) -> int:
        """Return the one number that a query gives."""
        return self.fetch(text, params, **parts)[0][0] or 0

    def create(self) -> None:
        """Make the tables anew; those of an earlier import on this connection go."""
        self.drop()
        if not self.postgresql:
            # Temporary tables have a page cache of their own, small by default; they spill to a file beyond it.
            self.run("PRAGMA temp.cache_size = -32768")
        codes = {column.field for column in self.spec.references}
        columns = ", ".join(
            f"{self.quote(field)} {'text' if field in codes else self.column_type(field)}"
            for field in self.layout.staged
        )
        json_type, natural = self._upstream_type(), self.column_type(self.spec.natural)
        # One row for each good row of the file.
        self.run("CREATE TEMP TABLE {staged} (line integer PRIMARY KEY, {columns}, {upstream} {json})",
                 columns=columns, json=json_type)  # fmt: skip
        # What the other rows of the file are about: a row refused or left out is not missing.
        self.run("CREATE TEMP TABLE {seen} "
                 "(line integer, key_value {type}, natural_value {natural_type}, refused boolean)",
                 type=self._seen_type(self.spec.key or self.spec.natural),
                 natural_type=self._seen_type(self.spec.natural))  # fmt: skip
        # Which live object a good row is about.
        self.run("CREATE TEMP TABLE {matched} (line integer PRIMARY KEY, old_pk {type})", type=natural)
        # Live objects that the file does not have.
        self.run("CREATE TEMP TABLE {missing} (old_pk {type} PRIMARY KEY)", type=natural)
        # Which rule each bad cell breaks; all of them, for people to look through.
        self.run('CREATE TEMP TABLE {refusals} (line integer, "column" text, value text, rule text, hint text)')
        # Lines about objects that a person deleted here.
        self.run("CREATE TEMP TABLE {deleted_here} (line integer PRIMARY KEY)")
        # Those of them that are not made again, since the deletion is pinned.
        self.run("CREATE TEMP TABLE {stays_deleted} (line integer PRIMARY KEY, natural_value text, label text)")
        # Good rows that cannot go in, and the line or object in their way.
        self.run("CREATE TEMP TABLE {blocked} (line integer, holder text)")
        # Objects that change, with their final values.
        fields = ", ".join(f"{self.quote(field)} {self.column_type(field)}" for field in self.values)
        wants = "".join(f", {self.want(link.field)} boolean" for link in self.links)
        self.run("CREATE TEMP TABLE {changed} "
                 "(line integer PRIMARY KEY, old_pk {type}, {fields}, {upstream} {json}, kept integer{wants})",
                 type=natural, fields=fields, json=json_type, wants=wants)  # fmt: skip
        if self.spec.makes_keys:
            # The primary keys of new objects.
            self.run("CREATE TEMP TABLE {made_keys} (line integer PRIMARY KEY, pk {type})", type=natural)
        if self.spec.completer:
            fields = ", ".join(f"{self.quote(field)} {self.column_type(field)}" for field in self.spec.completer.fields)
            # What new objects get beside what their rows say.
            self.run("CREATE TEMP TABLE {completed} (line integer PRIMARY KEY, {fields})", fields=fields)

    def _seen_type(self, field: str) -> str:
        """Return the type of a key that a row may say wrongly: text may be too long for its column."""
        is_text = isinstance(self.spec.model._meta.get_field(field), models.CharField)
        return "text" if is_text else self.column_type(field)

    def _upstream_type(self) -> str:
        if not self.spec.upstream:
            return "text"
        return self.spec.model._meta.get_field(self.spec.upstream).db_type(self.connection)

    def want(self, link_field: str) -> str:
        """Return the quoted name of the flag: this row is to be linked."""
        return self.quote(f"link_{link_field}")

    def drop(self) -> None:
        """Remove the tables and views, those of the linker included."""
        for view in VIEWS:
            self.run(f"DROP VIEW IF EXISTS {view}")
        helpers = [helper for helper in (self.spec.linker, self.spec.completer) if helper]
        for table in (*TABLES, *(table for helper in helpers for table in helper.tables)):
            self.run(f"DROP TABLE IF EXISTS {table}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Gather many small writes to temporary tables in one transaction that locks nobody.

        On SQLite each would be a transaction of its own; a deferred one that touches temporary tables only takes no
        lock on the database file.
        """
        if self.postgresql or self.connection.in_atomic_block:
            yield
            return
        self.run("BEGIN DEFERRED")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def load(self, table: str, columns: Sequence[str], rows: Iterable[tuple]) -> None:
        """Put `rows` into a temporary table."""
        names = ", ".join(map(self.quote, columns))
        with self.connection.cursor() as cursor:
            if self.postgresql:
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                return
            holes = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({holes})"
            rows = iter(rows)
            while batch := list(islice(rows, _BATCH)):
                cursor.executemany(statement, batch)

    def load_staged(self, rows: Iterable[tuple]) -> None:
        """Stage good rows: line, values in layout order, upstream text."""
        self.load("imports_staged", ["line", *self.layout.staged, self.spec.upstream or _NO_UPSTREAM], rows)

    def load_seen(self, rows: Iterable[Seen]) -> None:
        """Remember rows that are not staged."""
        self.load("imports_seen", ["line", "key_value", "natural_value", "refused"], rows)

    def note_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Remember which rules were broken where."""
        if refusals:
            rows = ((each.line, each.column, each.value, each.rule, each.hint) for each in refusals)
            self.load("imports_refusals", ["line", "column", "value", "rule", "hint"], rows)

    def refusals(self, limit: int | None = None) -> list[Refusal]:
        """Return the refusals in the order of their lines, all or the first ones."""
        rows = self.fetch('SELECT line, "column", value, rule, hint FROM {refusals} ORDER BY line {limit}',
                          limit="" if limit is None else f"LIMIT {limit}")  # fmt: skip
        return [Refusal(*row) for row in rows]

    def finish(self) -> None:
        """Let the database know what was loaded."""
        for field in self.spec.names:
            if field in self.layout.fields:
                self.run("CREATE INDEX {name} ON {staged} ({column})",
                         name=self.quote(f"imports_staged_{field}"), column=self.quote(field))  # fmt: skip
        # Each live object is looked for among the rows left out, which a filter makes many.
        self.run("CREATE INDEX imports_seen_key ON {seen} (key_value)")
        self.run("CREATE INDEX imports_seen_natural ON {seen} (natural_value)")
        keys = {"line", *self.layout.fields} & {"line", *self.spec.names}
        self.analyze("imports_staged", columns=", ".join(map(self.quote, sorted(keys))))
        self.analyze("imports_seen")

    def analyze(self, table: str, *, columns: str = "line") -> None:
        """Refresh PostgreSQL's figures about a temporary table, which nothing else does; those of keys suffice."""
        if self.postgresql:
            self.run(f"ANALYZE {table} ({columns})")
