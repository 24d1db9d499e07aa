"""The last values of upstream for a live row, in SQL, and whether somebody changed one since; and a row's, as JSON."""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.fields import column_of, field_of
from apps.changesets.sql import Sql
from apps.imports.mapping.columns import Reference
from apps.imports.mapping.layout import Layout
from apps.imports.spec import ImportSpec

# What the column for upstream's values is called in the temporary tables of a spec that has none.
NO_UPSTREAM = "imports_upstream"


class LiveTable(Sql):
    """Runs statements about the live table of a spec: they know {live}, {pk}, {stable_key}, {upstream} and {active}."""

    def __init__(self, using: str | BaseDatabaseWrapper, spec: ImportSpec) -> None:
        super().__init__(using)
        self.spec = spec
        fields = {"pk": spec.pk, "stable_key": spec.stable_key, "active": spec.active}
        self._parts |= {hole: self.column(field) for hole, field in fields.items() if field}
        self._parts["live"] = self.quote(spec.model._meta.db_table)
        self._parts["upstream"] = self.column(spec.upstream) if spec.upstream else self.quote(NO_UPSTREAM)

    @property
    def upstream(self) -> str:
        """The quoted name of the column that holds upstream's values."""
        return self._parts["upstream"]

    def column(self, field: str) -> str:
        """Return the quoted column of a field of the live table."""
        return self.quote(column_of(field_of(self.spec.model, field)))

    def column_type(self, field: str) -> str:
        """Return the database type of a value as it is written."""
        if field in self._unstored:
            return "text"
        return field_of(self.spec.model, field).cast_db_type(self.connection) or "text"

    def referred(self, refers: Reference, code: str) -> str:
        """Return the SQL for the primary key of the object that has a code."""
        target = refers.model._meta
        return self.fill(
            "(SELECT r.{target_pk} FROM {table} r WHERE r.{by} = {code})",
            target_pk=self.quote(column_of(target.pk)),
            table=self.quote(target.db_table),
            by=self.quote(column_of(field_of(refers.model, refers.by))),
            code=code,
        )

    def from_json(self, field: str, value: str) -> str:
        """Return the SQL for the value of a field that upstream's JSON has as the text `value`."""
        if field in self.spec.referred:
            return self.referred(self.spec.referred[field], value)
        # SQLite has days and UUIDs as text, and would make a number of what is cast to such a type.
        is_text = not self.postgresql and field in self.spec.days_and_ids
        return f"CAST({value} AS {'text' if is_text else self.column_type(field)})"

    @property
    def _unstored(self) -> set[str]:
        columns = {column.field for column in self.spec.columns if not column.stored}
        return columns | {derived.field for derived in self.spec.derived if not derived.stored}


def corrected(live: LiveTable, field: str) -> str:
    """Return the SQL condition: somebody changed this field of the live row `l` since upstream was last applied."""
    # In this order: for most rows the values are equal, and SQLite parses the JSON again for each expression.
    return live.fill(
        "(l.{column} IS DISTINCT FROM {base} AND ({known}))",
        column=live.column(field),
        base=base(live, field),
        known=known_base(live, field),
    )


def known_base(live: LiveTable, field: str) -> str:
    """Return the SQL condition: the last value of upstream for this field of `l` is known."""
    if not live.spec.upstream:
        return "FALSE"
    return live.fill("(l.{upstream} -> '{field}') IS NOT NULL", field=field)


def base(live: LiveTable, field: str) -> str:
    """Return the SQL for the last value of upstream for this field of the live row `l`."""
    if not live.spec.upstream:
        return "NULL"
    return live.from_json(field, live.fill("(l.{upstream} ->> '{field}')", field=field))


def upstream_texts(by_field: dict[str, list[Any]], layout: Layout) -> list[str]:
    """Build the JSON of each row's upstream values, exactly as Django's JSONField writes it.

    What the file has no column for is null, where that may be: a later file with an empty column changes nothing.

    SQL could build it too, but SQLite's json_object keeps 15 digits of a float, and a plain save() of an object would
    write the text anew in Python's form, which on SQLite is a change.
    """
    names = layout.merged
    absent = {name for name in layout.lacking if field_of(layout.spec.model, name).null}
    marks = [(name, "null" if name in absent else "%s") for name in layout.spec.merged if name in absent.union(names)]
    template = "{" + ", ".join(f"{encode_basestring_ascii(name)}: {mark}" for name, mark in marks) + "}"
    return [template % row for row in zip(*(_fragments(by_field[name]) for name in names), strict=True)]


def sparse_texts(by_field: dict[str, list[Any]], names: list[str]) -> list[str]:
    """Build the JSON of the values of each row, without blank cells."""
    rows = zip(*(by_field[name] for name in names), strict=True)
    return [
        json.dumps({name: value for name, value in zip(names, row, strict=True) if value is not None}) for row in rows
    ]


def _fragments(values: list[Any]) -> list[str]:
    """Return the JSON of each value of one column; the types in it decide the fastest way."""
    types = set(map(type, values))
    if types == {str}:
        return list(map(encode_basestring_ascii, values))
    if types <= {int, float}:
        return list(map(repr, values))
    if types == {bool}:
        return ["true" if value else "false" for value in values]
    if str in types:
        return ["null" if value is None else encode_basestring_ascii(value) for value in values]
    return ["null" if value is None else repr(value) for value in values]
