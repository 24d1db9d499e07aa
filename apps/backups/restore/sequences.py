"""PostgreSQL's sequences after rows came back with their keys; SQLite looks at the rows themselves."""

from collections.abc import Iterable

from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models


def raise_sequences(using: str, tables: Iterable[str] | None = None) -> None:
    """Let new rows of these tables (None: of all) get keys above all that were ever there; none is taken back."""
    sql = Sql(using)
    if sql.connection.vendor != "postgresql":
        return
    history = {tracked.table: (tracked.history_table, tracked.pk) for tracked in tracked_models()}
    with sql.connection.cursor() as cursor:
        introspection = sql.connection.introspection
        names = list(introspection.table_names(cursor) if tables is None else tables)
        sequences = [each for name in names for each in introspection.get_sequences(cursor, name)]
    for each in sequences:
        table, column = each["table"], each["column"]
        highest = [f"SELECT max({sql.quote(column)}) FROM {sql.quote(table)}", "SELECT last_value FROM {sequence}"]
        if history.get(table, ("", ""))[1] == column:
            # The key of a row that is deleted belongs to that row for ever.
            highest.append(f"SELECT max({sql.quote(column)}) FROM {sql.quote(history[table][0])}")
        sequence = sql.value("SELECT pg_get_serial_sequence(%s, %s)", [sql.quote(table), column])
        values = ", ".join(f"({query.format(sequence=sequence)})" for query in highest)
        sql.run(f"SELECT setval('{sequence}', GREATEST({values}, 1))")
