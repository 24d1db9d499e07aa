"""What upstream last said of a live row, in SQL, and whether somebody changed the value here since: a correction."""

from django.db.backends.base.base import BaseDatabaseWrapper

from apps.imports.spec import ImportSpec, Reference


class Columns:
    """Names and types of the columns of the live table of a spec, on one connection."""

    connection: BaseDatabaseWrapper
    spec: ImportSpec

    def quote(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def column(self, field: str) -> str:
        """Return the quoted column of a field of the live table."""
        return self.quote(self.spec.model._meta.get_field(field).column)

    def column_type(self, field: str) -> str:
        """Return the database type of a value as it is written."""
        if field in self._unstored:
            return "text"
        return self.spec.model._meta.get_field(field).cast_db_type(self.connection)

    def referred(self, refers: Reference, code: str) -> str:
        """Return the SQL for the primary key of the object that has a code."""
        target = refers.model._meta
        return (
            f"(SELECT r.{self.quote(target.pk.column)} FROM {self.quote(target.db_table)} r "
            f"WHERE r.{self.quote(target.get_field(refers.by).column)} = {code})"
        )

    def from_json(self, field: str, value: str) -> str:
        """Return the SQL for the value of a field that upstream's JSON says as the text `value`."""
        column = next((column for column in self.spec.references if column.field == field), None)
        if column is not None:
            return self.referred(column.refers, value)
        kind = self.column_type(field)
        # SQLite has days and UUIDs as text, and would make a number of what is cast to such a type.
        is_text = self.connection.vendor == "sqlite" and field in self.spec.days_and_ids
        return f"CAST({value} AS {'text' if is_text else kind})"

    @property
    def _unstored(self) -> set[str]:
        return {each.field for each in (*self.spec.columns, *self.spec.derived) if not each.stored}


class Live(Columns):
    """The live table of a spec, where nothing is staged."""

    def __init__(self, connection: BaseDatabaseWrapper, spec: ImportSpec):
        self.connection = connection
        self.spec = spec


def corrected(columns: Columns, field: str) -> str:
    """Return the SQL condition: somebody changed this field of the live row `l` since upstream was last applied."""
    # In this order: for most rows the values are equal, and SQLite reads the JSON anew for each question.
    return f"(l.{columns.column(field)} IS DISTINCT FROM {base(columns, field)} AND ({known_base(columns, field)}))"


def known_base(columns: Columns, field: str) -> str:
    """Return the SQL condition: what upstream last said of this field of `l` is known."""
    if not columns.spec.upstream:
        return "FALSE"
    return f"(l.{columns.column(columns.spec.upstream)} -> '{field}') IS NOT NULL"


def base(columns: Columns, field: str) -> str:
    """Return the SQL for what upstream last said of this field of the live row `l`."""
    if not columns.spec.upstream:
        return "NULL"
    return columns.from_json(field, f"(l.{columns.column(columns.spec.upstream)} ->> '{field}')")
