"""Installing the recording, taking it away (also around migrations), and telling whether it fits the tables."""

import re
from collections.abc import Iterable
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.errors import RecordingNotInstalled
from apps.changesets.history.pruning import PRUNE, delete_superseded
from apps.changesets.identity import make_identity
from apps.changesets.models import Changeset, ChangesetTransaction
from apps.changesets.recording import guards, postgresql, sqlite
from apps.changesets.recording.statements import PREFIX, Names, Recording, TableShape
from apps.changesets.sql import Sql
from apps.changesets.tables import Columns, columns_of
from apps.changesets.tracking import Tracked, tracked_models

# What was found to fit, by database: the next changeset compares with one query.
_known: dict[tuple[str, str], dict[str, str]] = {}


def install_recording(using: str = "default") -> list[str]:
    """Install the recording for each tracked table that stands beside its history table; return those tables.

    What is there already is made anew, from the columns that the tables have now.
    """
    connection = connections[using]
    parts = _expected(connection, _columns(connection))
    _execute(connection, [statement for part in reversed(parts.values()) for statement in part.drop])
    _execute(connection, [statement for part in parts.values() for statement in part.create.values()])
    _known.clear()
    return [table for table in parts if table]


def uninstall_recording(using: str = "default") -> None:
    """Take the triggers away; what happens then is found and recorded by `record_drift`."""
    connection = connections[using]
    quote = connection.ops.quote_name
    installed = [name for name in _installed(connection) if name.startswith(PREFIX)]
    if connection.vendor == "sqlite":
        statements = [f"DROP TRIGGER IF EXISTS {quote(name)}" for name in installed]
        # Altering the changeset table would stumble over the shared parts.
        statements += sqlite.DROP_SHARED
    else:
        functions = [name for name in installed if not name.endswith((" trigger", " rights"))]
        statements = [f"DROP FUNCTION IF EXISTS {quote(name)}() CASCADE" for name in functions]
    _execute(connection, statements)
    _known.clear()


def _execute(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    """Run statements as they are: a brace in their bodies is no hole."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def is_of_recording(name: str, table: str = "") -> bool:
    """Whether a trigger (of a table), view or function is named as one of the recording, which makes its own anew."""
    if name == f"{sqlite.DIRECT_WRITE}_note":
        return table == sqlite.DIRECT_WRITE
    return name.startswith(PREFIX) or name in (sqlite.CURRENT, sqlite.DIRECT_WRITE, postgresql.CURRENT, PRUNE)


def recording_problems(using: str = "default", *, installed: dict[str, str] | None = None) -> list[str]:
    """Return a sentence for each tracked table whose changes the database would not record as the table is now."""
    connection = connections[using]
    columns = _columns(connection)
    expected, installed = _expected(connection, columns), installed or _installed(connection)
    problems = []
    for tracked in tracked_models():
        part = expected.get(tracked.table)
        if part is None:
            problems.append(f"{tracked.table} or its history table {tracked.history_table} does not exist.")
        elif missing := _missing(connection, part, installed):
            problems.append(f"Changes to {tracked.table} are not recorded as the table is now ({_some(missing)}).")
        elif lost := [name for name in columns[tracked.table] if name not in columns[tracked.history_table]]:
            problems.append(f"{tracked.history_table} lacks the columns {', '.join(lost)} of {tracked.table}.")
    if "" in expected and (missing := _missing(connection, expected[""], installed)):
        problems.append(f"The recording's own parts are missing, old or changed by hand ({_some(missing)}).")
    return problems


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def require_recording(using: str = "default") -> None:
    """Raise RecordingNotInstalled unless the installed recording fits the tables.

    The first call of a process looks at everything, later ones compare what is installed with what fitted then.
    """
    connection = connections[using]
    key = (using, str(connection.settings_dict["NAME"]))
    installed = _installed(connection)
    if key in _known and _known[key] == installed:
        return
    if problems := recording_problems(using, installed=installed):
        raise RecordingNotInstalled(
            f"{problems[0]} Run `python manage.py migrate`, then `python manage.py audit_history --repair`."
        )
    _known[key] = installed


def _expected(connection: BaseDatabaseWrapper, columns: Columns) -> dict[str, Recording]:
    """Return the parts of the recording by table; what they share stands first, under the empty name."""
    changeset_table, transaction_table = (model._meta.db_table for model in (Changeset, ChangesetTransaction))
    if not {changeset_table, transaction_table} <= columns.keys():
        return {}
    sql = Sql(connection)
    schema = sql.value("SELECT current_schema()") if sql.postgresql else ""
    names = Names(
        quote=connection.ops.quote_name,
        changeset_table=changeset_table,
        transaction_table=transaction_table,
        schema=schema,
    )
    dialect = postgresql if sql.postgresql else sqlite
    parts = {"": dialect.shared_objects(names, columns[changeset_table])}
    if sql.postgresql:
        guarding = guards.guard_objects(names, _deletions(sql, columns, schema))
        parts[""] = Recording({**parts[""].create, **guarding.create}, [*parts[""].drop, *guarding.drop])
    for tracked in tracked_models():
        if tracked.table in columns and tracked.history_table in columns:
            parts[tracked.table] = dialect.table_objects(names, _shape(columns, tracked))
    if sql.postgresql:
        return {table: postgresql.with_rights(names, part) for table, part in parts.items()}
    return parts


def _deletions(sql: Sql, columns: Columns, schema: str) -> list[str]:
    """Return what the pruning function deletes, in the schema that the tables are in."""
    recorded = [tracked for tracked in tracked_models() if tracked.history_table in columns]
    return [delete_superseded(sql, tracked, schema=schema) for tracked in recorded]


def _shape(of: Columns, tracked: Tracked) -> TableShape:
    in_history = set(of[tracked.history_table])
    columns = tuple(c for c in of[tracked.table] if c in in_history)
    return TableShape(
        table=tracked.table,
        history_table=tracked.history_table,
        pk=tracked.pk,
        columns=columns,
        compared=tuple(column for column in columns if column not in tracked.untracked),
    )


def _columns(connection: BaseDatabaseWrapper) -> Columns:
    """Return the columns of the tables that the recording is about; a process asks before its first changeset."""
    tables = [Changeset._meta.db_table, ChangesetTransaction._meta.db_table]
    tables += [table for tracked in tracked_models() for table in (tracked.table, tracked.history_table)]
    return columns_of(Sql(connection), tables)


def _installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return what is installed: name -> its definition as the database has it."""
    sql = Sql(connection)
    if sql.postgresql:
        # A disabled trigger counts as none.
        definitions = sql.rows(
            """
            WITH functions AS (
                SELECT * FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
                AND (starts_with(proname, %s) OR proname IN (%s, %s))
            )
            SELECT proname, prosrc FROM functions
            UNION ALL
            SELECT proname || ' rights', {rights} FROM functions
            UNION ALL
            SELECT tgname || ' trigger', pg_get_triggerdef(oid) FROM pg_trigger
            WHERE starts_with(tgname, %s) AND tgenabled IN ('O', 'A') AND NOT tgisinternal
            """,
            [PREFIX, postgresql.CURRENT, PRUNE, PREFIX],
            rights=postgresql.RIGHTS,
        )
    else:
        definitions = sql.rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' OR name IN (%s, %s, %s, %s)",
            [sqlite.OPEN, sqlite.DIRECT, sqlite.CURRENT, sqlite.DIRECT_WRITE],
        )
    installed: dict[str, str] = dict(definitions)
    if {sqlite.OPEN, sqlite.DIRECT} <= installed.keys():
        fit = sql.rows(sqlite.ROWS_FIT, changesets=sql.quote(Changeset._meta.db_table))[0]
        for name, fits in zip((sqlite.DIRECT_ROW, sqlite.OPEN_ROW), fit, strict=True):
            installed[name] = sqlite.FITS if fits else "filled or emptied by hand"
    return installed


def _missing(connection: BaseDatabaseWrapper, part: Recording, installed: dict[str, str]) -> list[str]:
    """Return the names of the parts that are absent or differ from what the tables ask for."""
    missing = []
    for name, statement in part.create.items():
        if name.endswith(" rights"):
            statement = postgresql.rights_of(part.create[name.removesuffix(" rights")])
        definition = installed.get(name)
        if definition is None or not _same(connection, name, statement, definition):
            missing.append(name)
    return missing


def _same(connection: BaseDatabaseWrapper, name: str, statement: str, definition: str) -> bool:
    if connection.vendor == "sqlite":
        return definition == (sqlite.FITS if name.endswith(" row") else statement)
    if name.endswith(" rights"):
        return definition == statement
    if name.endswith(" trigger"):
        return _bare(definition) == _bare(statement)
    return definition == statement.split("$record$")[1]


def _bare(trigger: str) -> str:
    """Return a trigger's definition without what PostgreSQL writes otherwise than we do: quotes, brackets, case."""
    bare = re.sub(r"[()]|::\w+", " ", trigger.lower().replace('"', ""))
    return "".join(re.sub(r"\b(?!old\b|new\b)\w+\.", "", bare).split())


def before_migrate(*, using: str, plan: list[Any], **kwargs: Any) -> None:
    """Take the triggers away before a plan that touches the tracked tables, their history or the changesets."""
    labels = {tracked.model._meta.app_label for tracked in tracked_models()} | {"changesets"}
    if any(migration.app_label in labels for migration, _backwards in plan):
        uninstall_recording(using)


def after_migrate(*, using: str, **kwargs: Any) -> None:
    """Install the recording from the tables as they are now, and record what the migration did to their rows."""
    from apps.changesets.recording.audit import record_drift

    with transaction.atomic(using=using):
        if recording_problems(using):
            install_recording(using)
        # A copy of a backup that somebody put in place has no name yet.
        make_identity(using)
        if _keeps_changesets(using):
            record_drift(kind="migration", reason="Found changed after a migration.", using=using)


def _keeps_changesets(using: str) -> bool:
    """Whether a changeset can be written; half way through its own migrations, drift is found by the next migrate."""
    columns = columns_of(Sql(using), [Changeset._meta.db_table]).get(Changeset._meta.db_table, [])
    return {field.column for field in Changeset._meta.concrete_fields} <= {*columns}
