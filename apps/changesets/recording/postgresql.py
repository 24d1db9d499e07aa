"""Recording on PostgreSQL: the open changeset is a setting of the transaction, which a savepoint's rollback takes back.

Functions name their schema and run as their owner (SECURITY DEFINER), so that a restored dump and other roles record
too.
"""

from collections.abc import Collection

from apps.changesets.recording.direct import JOIN_SECONDS, direct_changeset_values
from apps.changesets.recording.statements import Names, Recording, TableShape

OPEN_SETTING = "changesets.open"
DIRECT_SETTING = "changesets.direct"
LAST_DIRECT_SETTING = "changesets.last_direct"
CURRENT = "changesets_current"


def shared_objects(names: Names, changeset_columns: Collection[str]) -> Recording:
    """Return the function that tells which changeset a write belongs to, and opens a direct one when needed."""
    changeset = _qualified(names, names.changeset_table)
    actor = "left(session_user || coalesce(' via ' || nullif(current_setting('application_name'), ''), ''), 255)"
    values = direct_changeset_values(columns=changeset_columns, now="now()", actor=actor)
    function = f"{_qualified(names, CURRENT)}()"
    body = f"""
DECLARE
    -- changeset | user | moment: of the changeset that is open in this transaction
    mark text := current_setting('{OPEN_SETTING}', true);
    -- changeset | epoch: of this session's last direct write
    last text := current_setting('{LAST_DIRECT_SETTING}', true);
    direct bigint;
BEGIN
    IF mark <> '' THEN
        RETURN mark;
    END IF;
    mark := current_setting('{DIRECT_SETTING}', true);
    IF mark <> '' THEN
        RETURN mark;
    END IF;
    -- The direct changeset that this session wrote to just now, if it is still the newest of all.
    IF last <> '' AND split_part(last, '|', 2)::numeric > extract(epoch FROM clock_timestamp()) - {JOIN_SECONDS} THEN
        SELECT id INTO direct FROM (SELECT id, kind FROM {changeset} ORDER BY id DESC LIMIT 1) newest
            WHERE kind = 'direct' AND id = split_part(last, '|', 1)::bigint;
    END IF;
    IF direct IS NULL THEN
        INSERT INTO {changeset} ({", ".join(map(names.quote, values))})
            VALUES ({", ".join(values.values())}) RETURNING id INTO direct;
    END IF;
    mark := direct || '||' || now();
    PERFORM set_config('{DIRECT_SETTING}', mark, true);
    PERFORM set_config('{LAST_DIRECT_SETTING}', direct || '|' || extract(epoch FROM clock_timestamp()), false);
    RETURN mark;
END
"""
    return Recording(
        create={CURRENT: _function(function, "text", body)},
        drop=[f"DROP FUNCTION IF EXISTS {function} CASCADE"],
    )


def table_objects(names: Names, shape: TableShape) -> Recording:
    """Return one table's functions and triggers: insert, change, delete by row; truncate by statement."""
    table, pk = _qualified(names, shape.table), names.quote(shape.pk)
    name = f"{names.prefix}{shape.table}"
    function, truncated = f"{_qualified(names, name)}()", f"{_qualified(names, name + '_truncate')}()"
    stamp = "split_part(mark, '|', 3)::timestamptz"
    user = "nullif(split_part(mark, '|', 2), '')::bigint"
    of = "split_part(mark, '|', 1)::bigint"

    def record(source: str, sign: str, rows: str = "") -> str:
        copied = [names.quote(column) for column in shape.columns]
        values = ", ".join(f"{source}.{column}" for column in copied)
        return (
            f"INSERT INTO {_qualified(names, shape.history_table)} "
            f"({', '.join(copied)}, history_date, history_type, history_user_id, changeset_id) "
            f"SELECT {values}, {stamp}, '{sign}', {user}, {of}{rows};"
        )

    declare = f"DECLARE\n    mark text := {_qualified(names, CURRENT)}();\nBEGIN\n"
    body = (
        f"{declare}"
        f"    IF TG_OP = 'INSERT' THEN\n        {record('NEW', '+')}\n"
        f"    ELSIF TG_OP = 'DELETE' THEN\n        {record('OLD', '-')}\n"
        f"    ELSIF OLD.{pk} = NEW.{pk} THEN\n        {record('NEW', '~')}\n"
        f"    ELSE\n        {record('OLD', '-')}\n        {record('NEW', '+')}\n    END IF;\n    RETURN NULL;\nEND\n"
    )
    truncate_body = f"{declare}    {record('gone', '-', f' FROM {table} gone')}\n    RETURN NULL;\nEND\n"
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in map(names.quote, shape.compared))
    trigger, truncate_trigger = names.quote(name), names.quote(name + "_truncate")
    update_trigger = names.quote(name + "_update")
    return Recording(
        create={
            name: _function(function, "trigger", body),
            f"{name}_truncate": _function(truncated, "trigger", truncate_body),
            f"{name} trigger": f"CREATE TRIGGER {trigger} AFTER INSERT OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}",
            f"{name}_update trigger": f"CREATE TRIGGER {update_trigger} AFTER UPDATE ON {table} "
            f"FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {function}",
            f"{name}_truncate trigger": f"CREATE TRIGGER {truncate_trigger} BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {truncated}",
        },
        drop=[f"DROP FUNCTION IF EXISTS {function} CASCADE", f"DROP FUNCTION IF EXISTS {truncated} CASCADE"],
    )


def _function(signature: str, returns: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp AS $record${body}$record$"
    )


def _qualified(names: Names, name: str) -> str:
    return f"{names.quote(names.schema)}.{names.quote(name)}"
