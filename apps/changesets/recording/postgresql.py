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
    """Return one table's functions and triggers.

    Inserted and deleted rows are recorded once a statement, from the transition table; updated rows one by one, since
    old and new would have to be joined; TRUNCATE before it happens.
    """
    table, pk = _qualified(names, shape.table), names.quote(shape.pk)
    name = f"{names.prefix}{shape.table}"

    def record(source: str, sign: str, rows: str = "") -> str:
        copied = [names.quote(column) for column in shape.columns]
        values = ", ".join(f"{source}.{column}" for column in copied)
        return (
            f"INSERT INTO {_qualified(names, shape.history_table)} "
            f"({', '.join(copied)}, history_date, history_type, history_user_id, changeset_id) "
            f"SELECT {values}, split_part(mark, '|', 3)::timestamptz, '{sign}', "
            f"nullif(split_part(mark, '|', 2), '')::bigint, split_part(mark, '|', 1)::bigint{rows};"
        )

    # Asked for first, since most writes are of an open changeset.
    find_mark = (
        f"mark := current_setting('{OPEN_SETTING}', true);\n"
        f"    IF mark IS NULL OR mark = '' THEN\n        mark := {_qualified(names, CURRENT)}();\n    END IF;\n"
    )
    updated = (
        f"    {find_mark}    IF OLD.{pk} = NEW.{pk} THEN\n        {record('NEW', '~')}\n"
        f"    ELSE\n        {record('OLD', '-')}\n        {record('NEW', '+')}\n    END IF;\n"
    )

    def in_set(sign: str, rows: str) -> str:
        # A statement that touched no row must not open a direct changeset.
        nothing = f"    IF NOT EXISTS (SELECT FROM {rows}) THEN\n        RETURN NULL;\n    END IF;\n"
        return f"{nothing}    {find_mark}    {record('moved', sign, f' FROM {rows} moved')}\n"

    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in map(names.quote, shape.compared))
    parts = {
        "insert": (in_set("+", "inserted"), "AFTER INSERT", "REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"),
        "delete": (in_set("-", "deleted"), "AFTER DELETE", "REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT"),
        "update": (updated, "AFTER UPDATE", f"FOR EACH ROW WHEN ({changed})"),
        "truncate": (in_set("-", table), "BEFORE TRUNCATE", "FOR EACH STATEMENT"),
    }
    create, drop = {}, []
    for part, (body, event, scope) in parts.items():
        function = f"{_qualified(names, f'{name}_{part}')}()"
        create[f"{name}_{part}"] = _function(
            function, "trigger", f"DECLARE\n    mark text;\nBEGIN\n{body}    RETURN NULL;\nEND\n"
        )
        create[f"{name}_{part} trigger"] = (
            f"CREATE TRIGGER {names.quote(f'{name}_{part}')} {event} ON {table} {scope} EXECUTE FUNCTION {function}"
        )
        drop.append(f"DROP FUNCTION IF EXISTS {function} CASCADE")
    return Recording(create=create, drop=drop)


def _function(signature: str, returns: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp AS $record${body}$record$"
    )


def _qualified(names: Names, name: str) -> str:
    return f"{names.quote(names.schema)}.{names.quote(name)}"
