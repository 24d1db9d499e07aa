"""Recording on PostgreSQL: the open changeset is a setting of the transaction, which a savepoint's rollback takes back.

Functions name their schema and run as their owner (SECURITY DEFINER), so that a restored dump and other roles record
too.
"""

from collections.abc import Collection

from apps.changesets.recording.statements import (
    JOIN_SECONDS,
    PREFIX,
    Names,
    Recording,
    TableShape,
    direct_changeset_values,
)

OPEN_SETTING = "changesets.open"
DIRECT_SETTING = "changesets.direct"
LAST_DIRECT_SETTING = "changesets.last_direct"
CURRENT = "changesets_current"
TRANSACTION = f"{PREFIX}transaction"
_XID = "pg_current_xact_id()::text::bigint"


def shared_objects(names: Names, changeset_columns: Collection[str]) -> Recording:
    """Return the function that tells which changeset a write belongs to, and opens a direct one when needed.

    And the trigger that notes which transaction wrote a changeset.
    """
    changeset, transaction = _qualified(names, names.changeset_table), _qualified(names, names.transaction_table)
    actor = "left(session_user || coalesce(' via ' || nullif(current_setting('application_name'), ''), ''), 255)"
    values = direct_changeset_values(columns=changeset_columns, now="at", actor=actor)
    function = f"{_qualified(names, CURRENT)}()"
    body = f"""
DECLARE
    -- changeset | user | moment: of the changeset that is open in this transaction
    mark text := current_setting('{OPEN_SETTING}', true);
    -- changeset | epoch: of this session's last direct write
    last text := current_setting('{LAST_DIRECT_SETTING}', true);
    direct bigint;
    at timestamptz := clock_timestamp();
BEGIN
    IF mark <> '' THEN
        RETURN mark;
    END IF;
    mark := current_setting('{DIRECT_SETTING}', true);
    IF mark <> '' THEN
        RETURN mark;
    END IF;
    -- The direct changeset that this session wrote to just now, if it is still the newest of all. A pooler hands the
    -- session on to other people; what is theirs is not joined.
    IF last <> '' AND split_part(last, '|', 2)::numeric > extract(epoch FROM clock_timestamp()) - {JOIN_SECONDS} THEN
        SELECT id INTO direct FROM (SELECT id, kind, actor_name FROM {changeset} ORDER BY id DESC LIMIT 1) newest
            WHERE kind = 'direct' AND id = split_part(last, '|', 1)::bigint AND actor_name = {actor};
    END IF;
    IF direct IS NULL THEN
        INSERT INTO {changeset} ({", ".join(map(names.quote, values))})
            VALUES ({", ".join(values.values())}) RETURNING id INTO direct;
    ELSE
        -- The date of its rows tells what this transaction writes from what earlier ones wrote.
        INSERT INTO {transaction} (changeset_id, server, xid, joined_at)
            SELECT direct, system_identifier, {_XID}, at FROM pg_control_system();
    END IF;
    mark := direct || '||' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"');
    PERFORM set_config('{DIRECT_SETTING}', mark, true);
    PERFORM set_config('{LAST_DIRECT_SETTING}', direct || '|' || extract(epoch FROM clock_timestamp()), false);
    RETURN mark;
END
"""
    noting = _note_transaction(names)
    return Recording(
        create={CURRENT: _function(function, "text", body), **noting.create},
        drop=[f"DROP FUNCTION IF EXISTS {function} CASCADE", *noting.drop],
    )


def _note_transaction(names: Names) -> Recording:
    """Return the trigger that notes which transaction wrote a changeset."""
    function = f"{_qualified(names, TRANSACTION)}()"
    body = f"""
BEGIN
    INSERT INTO {_qualified(names, names.transaction_table)} (changeset_id, server, xid)
        SELECT NEW.id, system_identifier, {_XID} FROM pg_control_system();
    RETURN NULL;
END
"""
    trigger = (
        f"CREATE TRIGGER {names.quote(TRANSACTION)} AFTER INSERT ON {_qualified(names, names.changeset_table)} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}"
    )
    return Recording(
        create={TRANSACTION: _function(function, "trigger", body), f"{TRANSACTION} trigger": trigger},
        drop=[f"DROP FUNCTION IF EXISTS {function} CASCADE"],
    )


def table_objects(names: Names, shape: TableShape) -> Recording:
    """Return one table's functions and triggers.

    Inserted and deleted rows are recorded once a statement, from the transition table; updated rows one by one, since
    old and new would have to be joined; TRUNCATE before it happens.
    """
    table = _qualified(names, shape.table)
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in map(names.quote, shape.compared))
    parts = {
        "insert": ("AFTER INSERT", "REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"),
        "delete": ("AFTER DELETE", "REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT"),
        "update": ("AFTER UPDATE", f"FOR EACH ROW WHEN ({changed})"),
        "truncate": ("BEFORE TRUNCATE", "FOR EACH STATEMENT"),
    }
    bodies = {
        "insert": _record_set(names, shape, "+", "inserted"),
        "delete": _record_set(names, shape, "-", "deleted"),
        "update": _record_row(names, shape),
        "truncate": _record_set(names, shape, "-", table),
    }
    create, drop = {}, []
    for part, (event, scope) in parts.items():
        name = f"{names.prefix}{shape.table}_{part}"
        function = f"{_qualified(names, name)}()"
        body = f"DECLARE\n    mark text;\nBEGIN\n{bodies[part]}    RETURN NULL;\nEND\n"
        create[name] = _function(function, "trigger", body)
        create[f"{name} trigger"] = (
            f"CREATE TRIGGER {names.quote(name)} {event} ON {table} {scope} EXECUTE FUNCTION {function}"
        )
        drop.append(f"DROP FUNCTION IF EXISTS {function} CASCADE")
    return Recording(create=create, drop=drop)


def _record_set(names: Names, shape: TableShape, sign: str, rows: str) -> str:
    # A statement that touched no row must not open a direct changeset.
    return (
        f"    IF NOT EXISTS (SELECT FROM {rows}) THEN\n        RETURN NULL;\n    END IF;\n"
        f"{_find_mark(names)}    {_record(names, shape, 'moved', sign, f' FROM {rows} moved')}\n"
    )


def _record_row(names: Names, shape: TableShape) -> str:
    pk = names.quote(shape.pk)
    return (
        f"{_find_mark(names)}    IF OLD.{pk} = NEW.{pk} THEN\n        {_record(names, shape, 'NEW', '~')}\n"
        f"    ELSE\n        {_record(names, shape, 'OLD', '-')}\n"
        f"        {_record(names, shape, 'NEW', '+')}\n    END IF;\n"
    )


def _find_mark(names: Names) -> str:
    # The setting is asked for first, since most writes are of an open changeset.
    return (
        f"    mark := current_setting('{OPEN_SETTING}', true);\n"
        f"    IF mark IS NULL OR mark = '' THEN\n        mark := {_qualified(names, CURRENT)}();\n    END IF;\n"
    )


def _record(names: Names, shape: TableShape, source: str, sign: str, rows: str = "") -> str:
    copied = [names.quote(column) for column in shape.columns]
    values = ", ".join(f"{source}.{column}" for column in copied)
    return (
        f"INSERT INTO {_qualified(names, shape.history_table)} "
        f"({', '.join(copied)}, history_date, history_type, history_user_id, changeset_id) "
        f"SELECT {values}, split_part(mark, '|', 3)::timestamptz, '{sign}', "
        f"nullif(split_part(mark, '|', 2), '')::bigint, split_part(mark, '|', 1)::bigint{rows};"
    )


def _function(signature: str, returns: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp AS $record${body}$record$"
    )


def _qualified(names: Names, name: str) -> str:
    return f"{names.quote(names.schema)}.{names.quote(name)}"
