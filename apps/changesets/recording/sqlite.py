"""Recording on SQLite: the open changeset is a one-row table, written in the transaction that it belongs to."""

from collections.abc import Collection, Sequence

from apps.changesets.models import Kind
from apps.changesets.recording.statements import (
    JOIN_SECONDS,
    Names,
    Recording,
    TableShape,
    direct_changeset_values,
)

OPEN = "changesets_open"
DIRECT = "changesets_direct"
DIRECT_WRITE = "changesets_direct_write"
CURRENT = "changesets_current"

DROP_SHARED = [
    f"DROP VIEW IF EXISTS {DIRECT_WRITE}",
    f"DROP VIEW IF EXISTS {CURRENT}",
    f"DROP TABLE IF EXISTS {DIRECT}",
    f"DROP TABLE IF EXISTS {OPEN}",
]

# What the two tables of one row hold when nobody filled or emptied them by hand. A changeset that is open is seen only
# in its own transaction, which has not finished it; a direct write is never opened.
DIRECT_ROW, OPEN_ROW = f"{DIRECT} row", f"{OPEN} row"
FITS = "as it should be"
ROWS_FIT = f"""
    SELECT (SELECT count(*) FROM {DIRECT} d WHERE NOT EXISTS (
               SELECT 1 FROM {{changesets}} c WHERE c.id = d.changeset_id AND c.kind <> '{Kind.DIRECT}'
           )) = 1,
           NOT EXISTS (SELECT 1 FROM {OPEN} o WHERE NOT EXISTS (
               SELECT 1 FROM {{changesets}} c
               WHERE c.id = o.changeset_id AND c.kind <> '{Kind.DIRECT}' AND c.finished_at IS NULL
           ))
"""

# Django's text format. The odd last microsecond keeps the fraction from ever being zero, which Django would leave out.
NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '001'"


def shared_objects(names: Names, changeset_columns: Collection[str]) -> Recording:
    """Return what all tables share: the open mark, and how a direct write finds or opens its changeset."""
    changeset = names.quote(names.changeset_table)
    values = direct_changeset_values(columns=changeset_columns, now=NOW, actor="''")
    recent = f"{JOIN_SECONDS} / 86400.0"
    note_direct = f"""CREATE TRIGGER {DIRECT_WRITE}_note INSTEAD OF INSERT ON {DIRECT_WRITE} BEGIN
    -- A new direct changeset, unless the newest changeset is a direct one that was written to just now.
    INSERT INTO {changeset} ({", ".join(map(names.quote, values))})
        SELECT {", ".join(values.values())}
        WHERE NOT EXISTS (
            SELECT 1 FROM {DIRECT} WHERE written_at > julianday('now') - {recent}
            AND changeset_id = (SELECT max(id) FROM {changeset})
        );
    -- Either way the newest changeset is now the one to write to. (An UPDATE, not INSERT OR REPLACE: the conflict
    -- clause of the statement that fired the trigger would win.)
    UPDATE {DIRECT} SET changeset_id = (SELECT max(id) FROM {changeset}), written_at = julianday('now'), at = {NOW};
END"""
    return Recording(
        create={
            OPEN: f"CREATE TABLE {OPEN} (id integer PRIMARY KEY CHECK (id = 1), changeset_id integer NOT NULL, "
            "user_id integer, at text NOT NULL)",
            DIRECT: f"CREATE TABLE {DIRECT} (id integer PRIMARY KEY CHECK (id = 1), changeset_id integer, "
            "written_at real, at text)",
            DIRECT_ROW: f"INSERT INTO {DIRECT} (id) VALUES (1)",
            OPEN_ROW: f"DELETE FROM {OPEN}",
            CURRENT: f"CREATE VIEW {CURRENT} AS SELECT changeset_id, user_id, at FROM {OPEN} "
            f"UNION ALL SELECT changeset_id, NULL, at FROM {DIRECT} WHERE NOT EXISTS (SELECT 1 FROM {OPEN})",
            DIRECT_WRITE: f"CREATE VIEW {DIRECT_WRITE} AS SELECT 1 AS one",
            f"{DIRECT_WRITE}_note": note_direct,
        },
        drop=DROP_SHARED,
    )


def table_objects(names: Names, shape: TableShape) -> Recording:
    """Return the triggers of one table: insert, change, changed primary key, delete."""
    table, pk = names.quote(shape.table), names.quote(shape.pk)
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in map(names.quote, shape.compared))

    def trigger(suffix: str, event: str, when: str, rows: Sequence[tuple[str, str]]) -> tuple[str, str]:
        name = f"{names.prefix}{shape.table}_{suffix}"
        body = "\n".join(f"    {_record(names, shape, source, sign)};" for source, sign in rows)
        return name, (
            f"CREATE TRIGGER {names.quote(name)} AFTER {event} ON {table}{when} BEGIN\n"
            f"    INSERT INTO {DIRECT_WRITE} SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM {OPEN});\n{body}\nEND"
        )

    same_key, other_key = f"OLD.{pk} IS NEW.{pk}", f"OLD.{pk} IS NOT NEW.{pk}"
    create = dict(
        [
            trigger("insert", "INSERT", "", [("NEW", "+")]),
            trigger("update", "UPDATE", f"\n    WHEN {same_key} AND ({changed})", [("NEW", "~")]),
            trigger("rekey", "UPDATE", f"\n    WHEN {other_key}", [("OLD", "-"), ("NEW", "+")]),
            trigger("delete", "DELETE", "", [("OLD", "-")]),
        ]
    )
    return Recording(create=create, drop=[f"DROP TRIGGER IF EXISTS {names.quote(name)}" for name in create])


def _record(names: Names, shape: TableShape, source: str, sign: str) -> str:
    copied = [names.quote(column) for column in shape.columns]
    return (
        f"INSERT INTO {names.quote(shape.history_table)} "
        f"({', '.join(copied)}, history_date, history_type, history_user_id, changeset_id) "
        f"SELECT {', '.join(f'{source}.{column}' for column in copied)}, at, '{sign}', user_id, changeset_id "
        f"FROM {CURRENT}"
    )
