"""PostgreSQL's sequences after rows came back with their keys; SQLite looks at the rows themselves."""

from collections.abc import Iterable

from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models


def raise_sequences(using: str, tables: Iterable[str] | None = None) -> None:
    """Let new rows of these tables (None: of all) get keys above all that were ever there; none is taken back."""
    sql = Sql(using)
    if not sql.postgresql:
        return
    history = {tracked.table: (tracked.history_table, tracked.pk) for tracked in tracked_models()}
    with sql.connection.cursor() as cursor:
        introspection = sql.connection.introspection
        names = list(introspection.table_names(cursor) if tables is None else tables)
        sequences = [sequence for name in names for sequence in introspection.get_sequences(cursor, name)]
    for table, column in ((sequence["table"], sequence["column"]) for sequence in sequences):
        of_table = sql.with_names(table=table, column=column)
        name = sql.value("SELECT pg_get_serial_sequence(%s, %s)", [sql.quote(table), column])
        kept = "0"
        if history.get(table, ("", ""))[1] == column:
            # The key of a row that is deleted belongs to that row for ever.
            kept = of_table.fill("(SELECT max({column}) FROM {history})", history=sql.quote(history[table][0]))
        of_table.run(
            """
            SELECT setval('{sequence}', GREATEST(
                (SELECT max({column}) FROM {table}), (SELECT last_value FROM {sequence}), {kept}, 1
            ))
            """,
            sequence=name,
            kept=kept,
        )
