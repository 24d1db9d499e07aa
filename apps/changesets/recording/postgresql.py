"""Recording on PostgreSQL: the open changeset is a setting of the transaction, which a savepoint's rollback takes back.

Functions name their schema and run as their owner (SECURITY DEFINER), so that a restored dump and other roles record
too. Any role can set the setting: a mark counts only where this transaction made the changeset that it names.
"""

from collections.abc import Collection

from apps.changesets.recording.statements import (
    BY_SET,
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
PROOF = f"{PREFIX}proof"
_XID = "pg_current_xact_id()::text::bigint"
# That this transaction wrote a row `t` of transactions: the number alone may come with a dump of another cluster.
OWN_XID = "t.xid = pg_current_xact_id_if_assigned()::text::bigint AND age(t.xmin) <= 0"
_AS_TEXT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""


def shared_objects(names: Names, changeset_columns: Collection[str]) -> Recording:
    """Return the function that tells which changeset a write belongs to, and opens a direct one when needed.

    And the trigger that notes which transaction wrote a changeset.
    """
    changeset, transaction = qualified(names, names.changeset_table), qualified(names, names.transaction_table)
    actor = "left(session_user || coalesce(' via ' || nullif(current_setting('application_name'), ''), ''), 255)"
    values = direct_changeset_values(columns=changeset_columns, now="at", actor=actor)
    signature = f"{qualified(names, CURRENT)}()"
    body = f"""
DECLARE
    -- changeset | user | moment: of the changeset that is open in this transaction
    mark text := current_setting('{OPEN_SETTING}', true);
    -- changeset | epoch: of this session's last direct write
    last text := current_setting('{LAST_DIRECT_SETTING}', true);
    direct bigint;
    at timestamptz := clock_timestamp();
BEGIN
    IF mark <> '' AND {is_proven(names)} THEN
        RETURN mark;
    END IF;
    mark := current_setting('{DIRECT_SETTING}', true);
    IF mark <> '' AND {is_proven(names)} THEN
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
    mark := direct || '||' || {_AS_TEXT.format("at")};
    PERFORM set_config('{DIRECT_SETTING}', mark, true);
    PERFORM set_config('{LAST_DIRECT_SETTING}', direct || '|' || extract(epoch FROM clock_timestamp()), false);
    RETURN mark;
END
"""
    noting = _note_transaction(names)
    return Recording(
        create={CURRENT: function(signature, "text", body), **noting.create},
        drop=[f"DROP FUNCTION IF EXISTS {signature} CASCADE", *noting.drop],
    )


def is_proven(names: Names) -> str:
    """Return the condition that this transaction made the changeset of `mark`, or joined it, for that user then."""
    return f"""EXISTS (
        SELECT FROM {qualified(names, names.transaction_table)} t
        JOIN {qualified(names, names.changeset_table)} c ON c.id = t.changeset_id
        WHERE t.changeset_id = substring(mark FROM '^[0-9]{{1,18}}')::bigint AND {OWN_XID}
        AND mark = c.id || '|' || coalesce(c.actor_id::text, '') || '|'
            || {_AS_TEXT.format("coalesce(t.joined_at, c.created_at)")}
    )"""


def _note_transaction(names: Names) -> Recording:
    """Return the trigger that notes which transaction wrote a changeset, and forgets it with the changeset."""
    changeset, transaction = qualified(names, names.changeset_table), qualified(names, names.transaction_table)
    signature = f"{qualified(names, TRANSACTION)}()"
    body = f"""
BEGIN
{_own_table(names, names.changeset_table)}    IF TG_OP = 'DELETE' THEN
        DELETE FROM {transaction} WHERE changeset_id = OLD.id;
        RETURN NULL;
    END IF;
    INSERT INTO {transaction} (changeset_id, server, xid)
        SELECT NEW.id, system_identifier, {_XID} FROM pg_control_system();
    RETURN NULL;
END
"""
    trigger = (
        f"CREATE TRIGGER {names.quote(TRANSACTION)} AFTER INSERT OR DELETE ON {changeset} "
        f"FOR EACH ROW EXECUTE FUNCTION {signature}"
    )
    return Recording(
        create={TRANSACTION: function(signature, "trigger", body), f"{TRANSACTION} trigger": trigger},
        drop=[f"DROP FUNCTION IF EXISTS {signature} CASCADE"],
    )


def table_objects(names: Names, shape: TableShape) -> Recording:
    """Return one table's functions and triggers.

    Inserted and deleted rows are recorded once a statement, from the transition table, and so are the updated rows of a
    statement that begins with `BY_SET`; those of others one by one, since old and new would have to be joined; TRUNCATE
    before it happens.
    """
    table, pk = qualified(names, shape.table), names.quote(shape.pk)
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in map(names.quote, shape.compared))
    # Nothing changes the text of a statement while it runs. A setting could be on for its rows, and off at its end.
    by_set = f"starts_with(current_query(), '{BY_SET}')"
    one_by_one = f"OLD.{pk} <> NEW.{pk} OR ({by_set}) IS NOT TRUE AND ({changed})"
    parts = {
        "insert": ("AFTER INSERT", "REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"),
        "delete": ("AFTER DELETE", "REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT"),
        "update": ("AFTER UPDATE", f"FOR EACH ROW WHEN ({one_by_one})"),
        "update_set": ("AFTER UPDATE", f"REFERENCING NEW TABLE AS updated FOR EACH STATEMENT WHEN ({by_set})"),
        "truncate": ("BEFORE TRUNCATE", "FOR EACH STATEMENT"),
    }
    bodies = {
        "insert": _record_set(names, shape, "+", "inserted"),
        "delete": _record_set(names, shape, "-", "deleted"),
        "update": _record_row(names, shape),
        "update_set": _record_set(names, shape, "~", "updated"),
        "truncate": _record_set(names, shape, "-", table),
    }
    create, drop = {}, []
    for part, (event, scope) in parts.items():
        name = f"{names.prefix}{shape.table}_{part}"
        signature = f"{qualified(names, name)}()"
        own = _own_table(names, shape.table)
        body = f"DECLARE\n    mark text;\nBEGIN\n{own}{bodies[part]}    RETURN NULL;\nEND\n"
        create[name] = function(signature, "trigger", body)
        create[f"{name} trigger"] = (
            f"CREATE TRIGGER {names.quote(name)} {event} ON {table} {scope} EXECUTE FUNCTION {signature}"
        )
        drop.append(f"DROP FUNCTION IF EXISTS {signature} CASCADE")
    # Rows that are changed one by one take the mark as it is, which is proven once a statement.
    for when in ("BEFORE", "AFTER"):
        name = f"{names.prefix}{shape.table}_{when.lower()}"
        create[f"{name} trigger"] = (
            f"CREATE TRIGGER {names.quote(name)} {when} UPDATE ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION {qualified(names, PROOF)}()"
        )
    return Recording(create=create, drop=drop)


def _record_set(names: Names, shape: TableShape, sign: str, rows: str) -> str:
    # A statement that touched no row must not open a direct changeset.
    return (
        f"    IF NOT EXISTS (SELECT FROM {rows}) THEN\n        RETURN NULL;\n    END IF;\n"
        f"    mark := {qualified(names, CURRENT)}();\n"
        f"    {_record(names, shape, 'moved', sign, f' FROM {rows} moved')}\n"
    )


def _record_row(names: Names, shape: TableShape) -> str:
    pk = names.quote(shape.pk)
    return (
        f"    IF starts_with(current_query(), '{BY_SET}') THEN\n"
        f"        RAISE EXCEPTION 'A statement that begins with {BY_SET} changes no key: nothing was written.';\n"
        f"    END IF;\n{_find_mark(names)}"
        f"    IF OLD.{pk} = NEW.{pk} THEN\n        {_record(names, shape, 'NEW', '~')}\n"
        f"    ELSE\n        {_record(names, shape, 'OLD', '-')}\n"
        f"        {_record(names, shape, 'NEW', '+')}\n    END IF;\n"
    )


def _find_mark(names: Names) -> str:
    # For each row: the settings are proven before the statement and after it.
    return (
        f"    mark := current_setting('{OPEN_SETTING}', true);\n"
        f"    IF mark IS NULL OR mark = '' THEN\n"
        f"        mark := coalesce(nullif(current_setting('{DIRECT_SETTING}', true), ''), "
        f"{qualified(names, CURRENT)}());\n    END IF;\n"
    )


def _own_table(names: Names, table: str) -> str:
    # Whoever owns a table of the same shape could fire the function at it.
    return (
        f"    IF TG_RELID <> '{qualified(names, table)}'::regclass THEN\n"
        f"        RAISE EXCEPTION 'This function records {table} only.';\n    END IF;\n"
    )


def _record(names: Names, shape: TableShape, source: str, sign: str, rows: str = "") -> str:
    copied = [names.quote(column) for column in shape.columns]
    values = ", ".join(f"{source}.{column}" for column in copied)
    return (
        f"INSERT INTO {qualified(names, shape.history_table)} "
        f"({', '.join(copied)}, history_date, history_type, history_user_id, changeset_id) "
        f"SELECT {values}, split_part(mark, '|', 3)::timestamptz, '{sign}', "
        f"nullif(split_part(mark, '|', 2), '')::bigint, split_part(mark, '|', 1)::bigint{rows};"
    )


def with_rights(names: Names, part: Recording) -> Recording:
    """Return the part such that nobody but the owner may call its functions, or fire them by triggers of their own."""
    create = {}
    for name, statement in part.create.items():
        create[name] = statement
        if "$record$" in statement:
            create[f"{name} rights"] = f"REVOKE ALL ON FUNCTION {qualified(names, name)} FROM PUBLIC"
    return Recording(create=create, drop=part.drop)


_PATH = "pg_catalog, pg_temp"
# The rights of each function as they are, and as they should be.
RIGHTS = """
    concat_ws(
        ' ', CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END, array_to_string(proconfig, ' '), CASE WHEN EXISTS (
            SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0
        ) THEN 'anybody' END
    )
"""


def rights_of(statement: str) -> str:
    """Return the rights that a statement gives its function, as the database has them."""
    return f"{'definer' if 'SECURITY DEFINER' in statement else 'invoker'} search_path={_PATH}"


def function(signature: str, returns: str, body: str, *, definer: bool = True) -> str:
    """Return the statement that makes a function, which looks up no bare name in anybody's schema."""
    security = "DEFINER" if definer else "INVOKER"
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql SECURITY {security} "
        f"SET search_path = {_PATH} AS $record${body}$record$"
    )


def qualified(names: Names, name: str) -> str:
    """Return a name with its schema, quoted."""
    return f"{names.quote(names.schema)}.{names.quote(name)}"
