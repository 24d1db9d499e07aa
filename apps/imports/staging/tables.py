"""Staging: normalised rows in temporary tables of the connection, where SQL can compare them with live rows.

Temporary tables belong to one connection and to no transaction, so that on SQLite nobody is locked out while a file is
read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from datetime import date
from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.fields import field_of, stored_value
from apps.changesets.sql import Row
from apps.changesets.tracking import tracked_for
from apps.imports.mapping.layout import Layout
from apps.imports.plain import INVISIBLE, plain
from apps.imports.results import ImportOptions, Progress, Refusal, quiet
from apps.imports.spec import Link
from apps.imports.staging.normalise import Seen
from apps.imports.staging.upstream_values import NO_UPSTREAM, LiveTable

TABLES = (
    *(
        "imports_staged",
        "imports_seen",
        "imports_matched",
        "imports_new",
        "imports_changed",
        "imports_missing",
        "imports_blocked",
    ),
    *("imports_completed", "imports_refusals", "imports_deleted_here", "imports_pins", "imports_pinned_gone"),
    "imports_stays_deleted",
    "imports_made_keys",
    "imports_disputed",
    *("imports_to_take", "imports_moved", "imports_renamed"),
)
VIEWS = ("imports_writes", "imports_created")


def _as_text(value: Any) -> Any:
    """Return days and UUIDs as JSON has them; PostgreSQL gives them as Python's."""
    return str(value) if isinstance(value, date | UUID) else value


class Staging(LiveTable):
    """The temporary tables of one import on one connection; statements know them without `imports_`, as {staged}.

    {new_pk} and {new_stable_key} are the columns of these tables that hold what the file says.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        layout: Layout,
        options: ImportOptions,
        progress: Progress = quiet,
    ) -> None:
        super().__init__(connection, layout.spec)
        self._parts |= {table.removeprefix("imports_"): table for table in (*TABLES, *VIEWS)}
        self._parts["new_pk"] = self.quote(layout.spec.pk)
        if layout.spec.stable_key:
            self._parts["new_stable_key"] = self.quote(layout.spec.stable_key)
        self.layout = layout
        self.options = options
        self.progress = progress
        self.discarded = False
        # How often each word for no value was read as blank.
        self.read_as_blank: Counter[str] = Counter()
        # Columns of the file that its header lacks.
        self.later_titles: tuple[str, ...] = ()
        # The fields that some live object has pinned; without any, no statement asks for pins.
        self.pinned: frozenset[str] = frozenset()
        # Whether `imports_to_take` is there: lines whose values a person takes, whatever was corrected or pinned here.
        self.to_take = False

    def staged(self, field: str) -> str:
        """Return the SQL for the value that the staged row `s` gives a field: of a reference, its primary key."""
        staged = f"s.{self.quote(field)}"
        return self.referred(self.spec.referred[field], staged) if field in self.spec.referred else staged

    def plain(self, text: str) -> str:
        """Return the SQL for a text as `plain` makes it, of nothing the empty one."""
        if self.postgresql:
            return f"NORMALIZE(TRANSLATE(COALESCE({text}, ''), '{INVISIBLE}', ''), NFC)"
        return f"imports_plain(COALESCE({text}, ''))"

    @property
    def values(self) -> list[str]:
        """All fields of the spec that a write carries, in order, those for the links only included."""
        return [column.field for column in self.spec.columns] + [derived.field for derived in self.spec.derived]

    @property
    def stored(self) -> list[str]:
        """Those of them that are columns of the live table."""
        unstored = self._unstored
        return [field for field in self.values if field not in unstored]

    @property
    def shown(self) -> list[str]:
        """The fields whose change people are shown: those that the file fills, and what is merged along or follows."""
        own = self.layout.fields | {derived.field for derived in self.layout.derived if derived.merged}
        return [field for field in self.stored if field in own | self.spec.following(own)]

    @property
    def links(self) -> list[Link]:
        return list(self.spec.linker.links) if self.spec.linker else []

    def rows(self, statement: str, params: Sequence[Any] = (), /, **parts: str) -> list[Row]:
        """Execute a query and return all its rows, days and UUIDs as text."""
        rows = super().rows(statement, params, **parts)
        return [tuple(map(_as_text, row)) for row in rows] if self.spec.has_days_or_ids else rows

    def stored_pk(self, text: str) -> Any:
        """Return the primary key that was written down as text, as the database takes it."""
        return stored_value(self.spec.model._meta.pk, text, self.connection)

    def pk_in_words(self, pk: Any) -> str:
        """Return a primary key that the database gave as it is written down everywhere."""
        return str(self.spec.model._meta.pk.to_python(pk))

    def create(self) -> None:
        """Make the tables; those of an earlier import on this connection are dropped."""
        self.drop()
        if not self.postgresql:
            # Temporary tables have a page cache of their own, small by default; 32 MB gained under 4 % at 340,000 rows.
            self.run("PRAGMA temp.cache_size = -6144")
            self.connection.connection.create_function("imports_plain", 1, plain, deterministic=True)
        referred = self.spec.referred
        for table, columns in self._tables().items():
            self.run(
                f"CREATE TEMP TABLE {table} ({columns})",
                staged_fields=self._definitions(
                    {field: "text" if field in referred else self.column_type(field) for field in self.layout.staged}
                ),
                json=self._upstream_type(),
                seen_stable_type=self._seen_type(self.spec.stable_key or self.spec.pk),
                seen_pk_type=self._seen_type(self.spec.pk),
                pk_type=self.column_type(self.spec.pk),
                fields=self._definitions({field: self.column_type(field) for field in self.values}),
                wants="".join(f", {self.want(link.field)} boolean" for link in self.links),
                completed_fields=self._definitions(
                    {field: self.column_type(field) for field in self.spec.completer.fields}
                    if self.spec.completer
                    else {}
                ),
            )

    def _tables(self) -> dict[str, str]:
        """Return the columns of each table."""
        tables = {
            # One row for each good row of the file.
            "{staged}": "line integer PRIMARY KEY, {staged_fields}, {upstream} {json}",
            # What the other rows of the file are about: a row refused or left out is not missing.
            "{seen}": "line integer, stable_value {seen_stable_type}, pk_value {seen_pk_type}, refused boolean",
            # Which live object a good row is about.
            "{matched}": "line integer PRIMARY KEY, old_pk {pk_type}",
            # Good rows that are about no live object.
            "{new}": "line integer PRIMARY KEY",
            # Live objects that the file does not have, with the newest history row that the plan saw of each.
            "{missing}": "old_pk {pk_type} PRIMARY KEY, history_id bigint",
            # Which rule each bad cell breaks; all of them, for people to look through.
            "{refusals}": 'line integer, "column" text, value text, rule text, hint text',
            # Lines about objects that a person deleted here.
            "{deleted_here}": "line integer PRIMARY KEY",
            # Those of them that are not made again, since the deletion is pinned.
            "{stays_deleted}": "line integer PRIMARY KEY, pk_value text, label text",
            # Rows whose evidence speaks against their key: what each of their keys names, and what is decided of them.
            "{disputed}": "line integer PRIMARY KEY, id_pk {pk_type}, other_pk {pk_type}, "
            "contradicts boolean, settled boolean, kept text",
            # Good rows that cannot go in, and the line or object in their way.
            "{blocked}": "line integer, holder text",
            # Objects that change, with the newest history row that the plan saw of each, and their final values.
            "{changed}": "line integer PRIMARY KEY, old_pk {pk_type}, history_id bigint, "
            "{fields}, {upstream} {json}, kept integer{wants}",
        }
        if self.spec.makes_keys:
            # The primary keys of new objects.
            tables["{made_keys}"] = "line integer PRIMARY KEY, pk {pk_type}"
        if self.spec.completer:
            # What new objects get beside what their rows say.
            tables["{completed}"] = "line integer PRIMARY KEY, {completed_fields}"
        return tables

    def _definitions(self, types: dict[str, str]) -> str:
        return ", ".join(f"{self.quote(name)} {kind}" for name, kind in types.items())

    def _seen_type(self, field: str) -> str:
        """Return the type of a key that a row may say wrongly: text may be too long for its column."""
        is_text = isinstance(self.spec.model._meta.get_field(field), models.CharField)
        return "text" if is_text else self.column_type(field)

    def _upstream_type(self) -> str:
        if not self.spec.upstream:
            return "text"
        return field_of(self.spec.model, self.spec.upstream).db_type(self.connection) or "text"

    def newest_history(self, pk: str) -> str:
        """Return the SQL for the newest history row of the object with this primary key as it is now."""
        history = self.quote(tracked_for(self.spec.model).history_table)
        return self.fill("(SELECT MAX(h.history_id) FROM {history} h WHERE h.{pk} = {of})", history=history, of=pk)

    def want(self, link_field: str) -> str:
        """Return the quoted name of the flag: this row is to be linked."""
        return self.quote(f"link_{link_field}")

    def drop(self) -> None:
        """Remove the tables and views, those of the linker included."""
        for view in VIEWS:
            self.run("DROP VIEW IF EXISTS {view}", view=view)
        helpers = [helper for helper in (self.spec.linker, self.spec.completer) if helper]
        for table in (*TABLES, *(table for helper in helpers for table in helper.tables)):
            self.run("DROP TABLE IF EXISTS {table}", table=table)

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

    def load_staged(self, rows: Iterable[Row]) -> None:
        """Stage good rows: line, values in layout order, upstream text."""
        self.load("imports_staged", ["line", *self.layout.staged, self.spec.upstream or NO_UPSTREAM], rows)

    def load_seen(self, rows: Iterable[Seen]) -> None:
        """Remember rows that are not staged."""
        self.load("imports_seen", ["line", "stable_value", "pk_value", "refused"], rows)

    def note_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Remember which rules were broken where."""
        if refusals:
            self.load("imports_refusals", ["line", "column", "value", "rule", "hint"], map(astuple, refusals))

    def refusals(self, limit: int | None = None) -> list[Refusal]:
        """Return the refusals in the order of their lines, all or the first ones."""
        few = "" if limit is None else f"LIMIT {limit}"
        return [
            Refusal(*row)
            for row in self.rows(
                """
                SELECT line, "column", value, rule, hint FROM {refusals} ORDER BY line {few}
                """,
                few=few,
            )
        ]

    def set_aside(self, table: str, *, refused: bool) -> int:
        """Take the rows of the lines in a table, {blocked} or another, out of the plan; return how many they are.

        The file has them, refused or left out, so that their objects never count as missing.
        """
        fields = self.layout.fields
        lines = self.with_parts(lines=self.fill("(SELECT line FROM {table})", table=self.fill(table)))
        # Remember that the file has them ...
        lines.run(
            """
            INSERT INTO {seen} (line, stable_value, pk_value, refused)
            SELECT line, {stable_value}, {pk_value}, {refused} FROM {staged} WHERE line IN {lines}
            """,
            stable_value=self.fill("{new_stable_key}") if self.spec.stable_key in fields else "NULL",
            pk_value=self.fill("{new_pk}") if self.spec.pk in fields else "NULL",
            refused="TRUE" if refused else "FALSE",
        )
        # ... and take them out.
        lines.run("DELETE FROM {matched} WHERE line IN {lines}")
        lines.run("DELETE FROM {changed} WHERE line IN {lines}")
        return lines.run("DELETE FROM {staged} WHERE line IN {lines}")

    def refuse_blocked(self) -> int:
        """Refuse the rows in the table of blocked ones, and return how many they are."""
        return self.set_aside("{blocked}", refused=True)

    def finish(self) -> None:
        """Let the database know what was loaded."""
        keys = [field for field in self.spec.key_fields if field in self.layout.fields]
        for field in keys:
            self.index_temp("imports_staged", [field])
        # Each live object is looked for among the rows left out, which a filter makes many.
        self.index_temp("imports_seen", ["stable_value"])
        self.index_temp("imports_seen", ["pk_value"])
        self.analyze("imports_staged", sorted(["line", *keys]))
        self.analyze("imports_seen", ["line"])
