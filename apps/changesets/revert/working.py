"""The working copy: the objects that a revert touches, taken through the merge before anything real is written.

One temporary table a model, `revert_<model>`: `w_live` is the primary key of the live row (NULL when there is none),
`w_present` whether the object is to be there, `w_verdict` what becomes of it (settled by blocking.py), `w_kept` what is
left alone because it was changed since (see `_kept`), `w_why` a code (see reasons.py) for what is kept or blocked as a
whole, `w_cause` the columns and the key that block it; the model's own columns hold the values to be.
"""

from datetime import datetime

from apps.changesets.history.net_changes import net_objects, net_table
from apps.changesets.revert.matching import (
    drop_bystanders,
    false_in,
    load_touched,
    match_touched,
    true_in,
    working_table,
)
from apps.changesets.revert.verdicts import Bucket, OnConflict, Scope
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

CHANGED_SINCE = "changed"
DELETED_SINCE = "gone"
THERE_AGAIN = "there"


def start_working_copy(sql: Sql, tracked: Tracked) -> None:
    """Make an empty working copy of a model."""
    identity = "integer PRIMARY KEY" if sql.connection.vendor == "sqlite" else "bigint GENERATED ALWAYS AS IDENTITY"
    columns = ", ".join(
        f"{sql.quote(column)} {field.db_type(sql.connection)}" for column, field in tracked.fields_by_column.items()
    )
    sql.fresh_temp(
        working_table(tracked),
        f"w_id {identity}, w_live {sql.key_type(tracked)}, w_present boolean NOT NULL, w_verdict varchar(10), "
        f"w_kept text NOT NULL DEFAULT '', w_why varchar(20), w_cause text, w_mover boolean, {columns}",
    )


def index_working_copy(sql: Sql, tracked: Tracked) -> None:
    """Make the rows of a working copy findable; done late, since an index slows each write to it."""
    sql.index_temp(working_table(tracked), ["w_live"])
    sql.index_temp(working_table(tracked), [tracked.pk])
    sql.analyse(working_table(tracked), ["w_id", "w_live", "w_present", "w_verdict", tracked.pk])


def undo_in_copy(
    sql: Sql, tracked: Tracked, changeset_id: int, *, scope: Scope, on_conflict: OnConflict, now: datetime
) -> int:
    """Take one changeset back in the working copy of a model; return how many objects it had touched."""
    if not net_objects(sql, tracked, changeset_id):
        return 0
    _limit(sql, tracked, scope)
    if sql.value(f"SELECT EXISTS (SELECT 1 FROM {sql.temp(working_table(tracked))})"):
        index_working_copy(sql, tracked)
    elif not scope.fields:
        _undo_untouched_creations(sql, tracked)
    newest = sql.value(f"SELECT coalesce(max(w_id), 0) FROM {sql.temp(working_table(tracked))}")
    load_touched(sql, tracked)
    match_touched(sql, tracked)
    drop_bystanders(sql, tracked, newest)
    force = on_conflict == OnConflict.FORCE
    _undo_changes(sql, tracked, scope, force=force, now=now)
    if not scope.fields:
        _undo_creations(sql, tracked, force=force)
        _undo_deletions(sql, tracked, force=force)
    return sql.value("SELECT count(*) FROM " + sql.temp("revert_round"))


def _limit(sql: Sql, tracked: Tracked, scope: Scope) -> None:
    """Leave only the chosen objects in the net table."""
    net, both = sql.temp(net_table(tracked)), "coalesce(CAST({}_pk AS text), '') IN ({})"

    def either(keys: list[str]) -> tuple[str, list[str]]:
        marks = ", ".join(["%s"] * len(keys)) or "NULL"
        return f"({both.format('before', marks)} OR {both.format('after', marks)})", [*keys, *keys]

    if scope.pks:
        chosen, keys = either(_keys_of(tracked, scope.pks))
        sql.run(f"DELETE FROM {net} WHERE ({chosen}) IS NOT TRUE", keys)
    if scope.leave:
        left_out, keys = either(_keys_of(tracked, scope.leave))
        sql.run(f"DELETE FROM {net} WHERE {left_out}", keys)
    if scope.fields:
        columns = [column for column in tracked.compared if _in_scope(tracked, column, scope)]
        history = sql.quote(tracked.history_table)
        changed = sql.differ(columns, "b", "a") or "1 = 0"
        sql.run(
            f"DELETE FROM {net} WHERE before_id IS NULL OR after_id IS NULL OR NOT EXISTS (SELECT 1 FROM {history} b "
            f"JOIN {history} a ON a.history_id = after_id WHERE b.history_id = before_id AND ({changed}))"
        )


def _keys_of(tracked: Tracked, keys: tuple[str, ...]) -> list[str]:
    """Return the keys that are this model's, plain ones and those with its label in front."""
    labels = {other.label for other in tracked_models()}
    own = [
        key.removeprefix(f"{tracked.label}:") for key in keys if key.partition(":")[0] not in labels - {tracked.label}
    ]
    return [key for key in own if key]


def _undo_untouched_creations(sql: Sql, tracked: Tracked) -> None:
    """Delete what the changeset created and nobody changed, by key alone, and take it out of the net table.

    Most of a large import's objects are so; copying all their values would double the time of its revert. The working
    copy must be empty still: an earlier round may have other plans for a key.
    """
    working, net, pk = sql.temp(working_table(tracked)), sql.temp(net_table(tracked)), sql.quote(tracked.pk)
    columns = [column for column in tracked.columns if column in (tracked.pk, "name")]
    kept, values = sql.names(columns), sql.names(columns, of="l")
    deleted = sql.run(
        f"""
        INSERT INTO {working} (w_live, w_present, w_verdict, {kept})
        SELECT l.{pk}, {false_in(sql)}, '{Bucket.DELETED}', {values}
        FROM {net} n JOIN {sql.quote(tracked.history_table)} a ON a.history_id = n.after_id
        JOIN {sql.quote(tracked.table)} l ON l.{pk} = n.after_pk
        WHERE n.before_id IS NULL AND NOT ({sql.differ(tracked.compared, "l", "a")})
        """
    )
    if deleted:
        # Here the working copy holds nothing else yet.
        sql.run(f"DELETE FROM {net} WHERE before_id IS NULL AND after_pk IN (SELECT w_live FROM {working})")
        sql.index_temp(working_table(tracked), ["w_live"])


def _undo_changes(sql: Sql, tracked: Tracked, scope: Scope, *, force: bool, now: datetime) -> None:
    """Per field: what still is as the changeset left it goes back; what somebody changed since is kept."""
    working, rounds, history = _tables(sql, tracked)
    columns = [column for column in tracked.compared if _in_scope(tracked, column, scope)]
    merged, conflicts = [], []
    for column in columns:
        name = sql.quote(column)
        touched = f"b.{name} IS DISTINCT FROM a.{name}"
        unmoved = f"w.{name} IS NOT DISTINCT FROM a.{name}"
        moved = f"{touched} AND NOT ({unmoved}) AND w.{name} IS DISTINCT FROM b.{name}"
        conflicts.append(f"CASE WHEN {moved} THEN {_kept(column, 'r.before_id', 'r.after_id')} ELSE '' END")
        back = touched if force else f"{touched} AND {unmoved}"
        merged.append(f"{name} = CASE WHEN {back} THEN b.{name} ELSE w.{name} END")
    whole = f"NOT ({sql.differ(tracked.compared, 'w', 'a')})" if not scope.fields else "1 = 0"
    untracked = [column for column in tracked.columns if column not in tracked.compared]
    # A row that goes back whole gets its old time stamps too; one that is merged was changed now.
    stamps = [f"{sql.quote(c)} = CASE WHEN {whole} THEN b.{sql.quote(c)} ELSE %s END" for c in untracked]
    kept = "''" if force else " || ".join(conflicts)
    both = "r.before_id IS NOT NULL AND r.after_id IS NOT NULL"
    sql.run(
        f"UPDATE {working} AS w SET {', '.join([*merged, *stamps])}, w_kept = w.w_kept || {kept} "
        f"FROM {rounds} r JOIN {history} b ON b.history_id = r.before_id JOIN {history} a ON a.history_id = r.after_id "
        f"WHERE w.w_id = r.w_id",
        [sql.moment(now)] * len(untracked),
    )
    if force and not scope.fields:
        _bring_back(sql, tracked, f"{both} AND r.w_id IS NULL")
    else:
        _note_absent(sql, tracked, both, DELETED_SINCE, "after_id")


def _undo_creations(sql: Sql, tracked: Tracked, *, force: bool) -> None:
    """Objects that the changeset created are deleted, unless they were changed since."""
    working, rounds, history = _tables(sql, tracked)
    same = "1 = 1" if force else f"NOT ({sql.differ(tracked.compared, 'w', 'a')})"
    pairs = (
        f"FROM {rounds} r JOIN {history} a ON a.history_id = r.after_id WHERE r.before_id IS NULL AND w.w_id = r.w_id"
    )
    sql.run(
        f"UPDATE {working} AS w SET w_present = CASE WHEN {same} THEN {false_in(sql)} ELSE {true_in(sql)} END, "
        f"w_verdict = CASE WHEN {same} THEN '{Bucket.DELETED}' ELSE w.w_verdict END, "
        f"w_why = CASE WHEN {same} THEN w.w_why ELSE '{CHANGED_SINCE}' END, "
        f"w_kept = w.w_kept || CASE WHEN {same} THEN '' ELSE {_kept('*', None, 'r.after_id')} END {pairs}"
    )
    # What is gone already has its row, too: the plan lists every object.
    _note_absent(sql, tracked, "r.before_id IS NULL", None, "after_id")


def _undo_deletions(sql: Sql, tracked: Tracked, *, force: bool) -> None:
    """Objects that the changeset deleted come back with their key and every value, unless the key is taken again."""
    working, rounds, history = _tables(sql, tracked)
    _bring_back(sql, tracked, "r.after_id IS NULL AND r.w_id IS NULL")
    pairs = (
        f"FROM {rounds} r JOIN {history} b ON b.history_id = r.before_id WHERE r.after_id IS NULL AND w.w_id = r.w_id"
    )
    if force:
        values = ", ".join(f"{name} = b.{name}" for name in map(sql.quote, tracked.columns))
        sql.run(f"UPDATE {working} AS w SET {values} {pairs}")
    else:
        differ = sql.differ(tracked.compared, "w", "b")
        sql.run(
            f"UPDATE {working} AS w SET w_why = '{THERE_AGAIN}', "
            f"w_kept = w.w_kept || {_kept('*', 'r.before_id', None)} {pairs} AND ({differ})"
        )


def _bring_back(sql: Sql, tracked: Tracked, which: str) -> None:
    """Put the objects as they were before into the working copy."""
    working, rounds, history = _tables(sql, tracked)
    sql.run(
        f"INSERT INTO {working} (w_present, w_verdict, {sql.names(tracked.columns)}) "
        f"SELECT {true_in(sql)}, '{Bucket.RECREATED}', {sql.names(tracked.columns, of='b')} "
        f"FROM {rounds} r JOIN {history} b ON b.history_id = r.before_id WHERE {which}"
    )


def _kept(column: str, before: str | None, after: str | None) -> str:
    """Return the SQL of one entry of `w_kept`: a column (`*`: the whole object) and its two history rows."""
    ids = [f"CAST({side} AS text)" if side else "''" for side in (before, after)]
    return f"'{column}:' || {ids[0]} || ':' || {ids[1]} || ' '"


def _note_absent(sql: Sql, tracked: Tracked, which: str, why: str | None, side: str) -> None:
    """Keep a row, itself not present, that says why an object cannot be changed back: it is gone."""
    working, rounds, history = _tables(sql, tracked)
    code = f"'{why}'" if why else "NULL"
    sql.run(
        f"INSERT INTO {working} (w_present, w_why, {sql.names(tracked.columns)}) "
        f"SELECT {false_in(sql)}, {code}, {sql.names(tracked.columns, of='h')} "
        f"FROM {rounds} r JOIN {history} h ON h.history_id = r.{side} WHERE {which} AND r.w_id IS NULL"
    )


def _in_scope(tracked: Tracked, column: str, scope: Scope) -> bool:
    return not scope.fields or column in scope.fields or tracked.fields_by_column[column].name in scope.fields


def _tables(sql: Sql, tracked: Tracked) -> tuple[str, str, str]:
    return sql.temp(working_table(tracked)), sql.temp("revert_round"), sql.quote(tracked.history_table)
