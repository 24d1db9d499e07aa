"""The working copy: the objects that a revert touches, taken through the merge before anything real is written.

One temporary table a model, `revert_<model>`: `w_live` is the primary key of the live row (NULL when there is none),
`w_present` whether the object is to be there, `w_verdict` what becomes of it (settled by blocking.py), `w_kept` what is
left alone because it was changed since (see `_kept`), `w_why` a code (see reasons.py) for what is kept or blocked as a
whole, `w_cause` the columns and the key that block it; the model's own columns hold the values to be.
"""

from datetime import datetime

from apps.changesets.history.net_changes import net_objects
from apps.changesets.revert.matching import (
    copy_of,
    drop_bystanders,
    load_touched,
    match_touched,
    stored_key,
    working_table,
)
from apps.changesets.revert.verdicts import OnConflict, Scope
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

CHANGED_SINCE = "changed"
DELETED_SINCE = "gone"
THERE_AGAIN = "there"
_KEYS = "revert_keys"


def start_working_copy(sql: Sql, tracked: Tracked) -> None:
    """Make an empty working copy of a model."""
    identity = "bigint GENERATED ALWAYS AS IDENTITY" if sql.postgresql else "integer PRIMARY KEY"
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
    sql.analyze(working_table(tracked), ["w_id", "w_live", "w_present", "w_verdict", tracked.pk])


def undo_in_copy(
    sql: Sql, tracked: Tracked, changeset_id: int, *, scope: Scope, on_conflict: OnConflict, now: datetime
) -> int:
    """Take one changeset back in the working copy of a model; return how many objects it had touched."""
    if not net_objects(sql, tracked, changeset_id):
        return 0
    _limit(sql, tracked, scope)
    copy = copy_of(sql, tracked)
    if copy.value("SELECT EXISTS (SELECT 1 FROM {working})"):
        index_working_copy(sql, tracked)
    elif not scope.fields:
        _undo_untouched_creations(sql, tracked)
    newest = copy.value("SELECT coalesce(max(w_id), 0) FROM {working}")
    load_touched(sql, tracked)
    match_touched(sql, tracked)
    drop_bystanders(sql, tracked, newest)
    force = on_conflict == OnConflict.FORCE
    _undo_changes(sql, tracked, scope, force=force, now=now)
    if not scope.fields:
        _undo_creations(sql, tracked, force=force)
        _undo_deletions(sql, tracked, force=force)
    return int(copy.value("SELECT count(*) FROM {round}"))


def _limit(sql: Sql, tracked: Tracked, scope: Scope) -> None:
    """Leave only the chosen objects in the net table."""
    copy = copy_of(sql, tracked)
    if scope.pks:
        copy.run("DELETE FROM {net} WHERE NOT ({chosen})", chosen=_in_net(sql, tracked, scope.pks))
    if scope.leave:
        copy.run("DELETE FROM {net} WHERE {chosen}", chosen=_in_net(sql, tracked, scope.leave))
    if scope.fields:
        columns = [column for column in tracked.compared if _in_scope(tracked, column, scope)]
        # What came, what went, and what none of the chosen fields of which changed.
        copy.run(
            """
            DELETE FROM {net} WHERE before_id IS NULL OR after_id IS NULL OR NOT EXISTS (
                SELECT 1 FROM {history} b JOIN {history} a ON a.history_id = after_id
                WHERE b.history_id = before_id AND ({changed})
            )
            """,
            changed=sql.differ(columns, "b", "a") or "FALSE",
        )


def _in_net(sql: Sql, tracked: Tracked, keys: tuple[str, ...]) -> str:
    """Return the condition that an object of the net table has, or had, one of the keys, however many they are."""
    sql.fresh_temp(_KEYS, "key_text varchar(255)")
    sql.run_many(
        "INSERT INTO {keys} (key_text) VALUES (%s)",
        ([key] for key in _keys_of(sql, tracked, keys)),
        keys=sql.temp(_KEYS),
    )
    sql.analyze(_KEYS)
    return sql.fill(
        """
        coalesce(CAST(before_pk AS text), '') IN (SELECT key_text FROM {keys})
        OR coalesce(CAST(after_pk AS text), '') IN (SELECT key_text FROM {keys})
        """,
        keys=sql.temp(_KEYS),
    )


def _keys_of(sql: Sql, tracked: Tracked, keys: tuple[str, ...]) -> list[str]:
    """Return the keys that are this model's, plain ones and those with its label in front, as the database has them."""
    labels = {model.label for model in tracked_models()}
    own = [
        key.removeprefix(f"{tracked.label}:") for key in keys if key.partition(":")[0] not in labels - {tracked.label}
    ]
    return [stored_key(sql, tracked, key) for key in own if key]


def _undo_untouched_creations(sql: Sql, tracked: Tracked) -> None:
    """Delete what the changeset created and nobody changed, by key alone, and take it out of the net table.

    Most of a large import's objects are so; copying all their values would double the time of its revert. The working
    copy must be empty still: an earlier round may have other plans for a key.
    """
    copy = copy_of(sql, tracked)
    columns = [column for column in tracked.columns if column in (tracked.pk, "name")]
    deleted = copy.run(
        """
        INSERT INTO {working} (w_live, w_present, w_verdict, {kept})
        SELECT l.{pk}, FALSE, {deleted}, {values}
        FROM {net} n JOIN {history} a ON a.history_id = n.after_id JOIN {live} l ON l.{pk} = n.after_pk
        WHERE n.before_id IS NULL AND NOT ({differ})
        """,
        kept=sql.names(columns),
        values=sql.names(columns, of="l"),
        differ=sql.differ(tracked.compared, "l", "a"),
    )
    if deleted:
        # Here the working copy holds nothing else yet.
        copy.run("DELETE FROM {net} WHERE before_id IS NULL AND after_pk IN (SELECT w_live FROM {working})")
        sql.index_temp(working_table(tracked), ["w_live"])


def _undo_changes(sql: Sql, tracked: Tracked, scope: Scope, *, force: bool, now: datetime) -> None:
    """Set each field back that still has the changeset's value; keep what somebody changed since."""
    columns = [column for column in tracked.compared if _in_scope(tracked, column, scope)]
    if not columns:
        return  # The model has none of the chosen fields.
    merged, conflicts = [], []
    for column in columns:
        touched, moved = sql.differ([column], "b", "a"), sql.differ([column], "w", "a")
        parts = {
            "name": sql.quote(column),
            "back": touched if force else f"{touched} AND NOT ({moved})",
            "moved": f"{touched} AND {moved} AND {sql.differ([column], 'w', 'b')}",
            "kept": _kept(column, "r.before_id", "r.after_id"),
        }
        merged.append(sql.fill("{name} = CASE WHEN {back} THEN b.{name} ELSE w.{name} END", **parts))
        conflicts.append(sql.fill("CASE WHEN {moved} THEN {kept} ELSE '' END", **parts))
    whole = f"NOT ({sql.differ(tracked.compared, 'w', 'a')})" if not scope.fields else "FALSE"
    untracked = [column for column in tracked.columns if column not in tracked.compared]
    # A row that goes back whole gets its old time stamps too; one that is merged was changed now.
    merged += [
        sql.fill("{name} = CASE WHEN {whole} THEN b.{name} ELSE %s END", name=sql.quote(column), whole=whole)
        for column in untracked
    ]
    copy_of(sql, tracked).run(
        """
        UPDATE {working} AS w SET {merged}, w_kept = w.w_kept || {kept} FROM {round} r
        JOIN {history} b ON b.history_id = r.before_id JOIN {history} a ON a.history_id = r.after_id
        WHERE w.w_id = r.w_id
        """,
        [sql.moment(now)] * len(untracked),
        merged=", ".join(merged),
        kept="''" if force else " || ".join(conflicts),
    )
    both = "r.before_id IS NOT NULL AND r.after_id IS NOT NULL"
    if force and not scope.fields:
        _bring_back(sql, tracked, f"{both} AND r.w_id IS NULL")
    else:
        _note_absent(sql, tracked, both, DELETED_SINCE)


def _undo_creations(sql: Sql, tracked: Tracked, *, force: bool) -> None:
    """Delete the objects that the changeset created, unless they were changed since."""
    copy_of(sql, tracked).run(
        """
        UPDATE {working} AS w SET w_present = CASE WHEN {same} THEN FALSE ELSE TRUE END,
            w_verdict = CASE WHEN {same} THEN {deleted} ELSE w.w_verdict END,
            w_why = CASE WHEN {same} THEN w.w_why ELSE '{changed_since}' END,
            w_kept = w.w_kept || CASE WHEN {same} THEN '' ELSE {kept} END
        FROM {round} r JOIN {history} a ON a.history_id = r.after_id WHERE r.before_id IS NULL AND w.w_id = r.w_id
        """,
        same="TRUE" if force else f"NOT ({sql.differ(tracked.compared, 'w', 'a')})",
        changed_since=CHANGED_SINCE,
        kept=_kept("*", None, "r.after_id"),
    )
    # What is gone already has its row, too: the plan lists every object.
    _note_absent(sql, tracked, "r.before_id IS NULL", None)


def _undo_deletions(sql: Sql, tracked: Tracked, *, force: bool) -> None:
    """Bring the objects back that the changeset deleted, with key and every value, unless the key is taken again."""
    _bring_back(sql, tracked, "r.after_id IS NULL AND r.w_id IS NULL")
    copy = copy_of(sql, tracked)
    pairs = copy.fill(
        """
        FROM {round} r JOIN {history} b ON b.history_id = r.before_id WHERE r.after_id IS NULL AND w.w_id = r.w_id
        """
    )
    if force:
        # What is there again gets its values of then.
        copy.run("UPDATE {working} AS w SET {taken} {pairs}", taken=sql.taken(tracked.columns, of="b"), pairs=pairs)
    else:
        # What is there again, and otherwise, is kept.
        copy.run(
            "UPDATE {working} AS w SET w_why = '{why}', w_kept = w.w_kept || {kept} {pairs} AND ({differ})",
            why=THERE_AGAIN,
            kept=_kept("*", "r.before_id", None),
            pairs=pairs,
            differ=sql.differ(tracked.compared, "w", "b"),
        )


def _bring_back(sql: Sql, tracked: Tracked, condition: str) -> None:
    """Put the objects as they were before into the working copy."""
    copy_of(sql, tracked).run(
        """
        INSERT INTO {working} (w_present, w_verdict, {columns})
        SELECT TRUE, {recreated}, {values} FROM {round} r JOIN {history} b ON b.history_id = r.before_id
        WHERE {condition}
        """,
        values=sql.names(tracked.columns, of="b"),
        condition=condition,
    )


def _kept(column: str, before: str | None, after: str | None) -> str:
    """Return the SQL of one entry of `w_kept`: a column (`*`: the whole object) and its two history rows."""
    ids = [f"CAST({side} AS text)" if side else "''" for side in (before, after)]
    return f"'{column}:' || {ids[0]} || ':' || {ids[1]} || ' '"


def _note_absent(sql: Sql, tracked: Tracked, condition: str, why: str | None) -> None:
    """Keep a row, itself not present, that says why an object cannot be changed back: it is gone."""
    copy_of(sql, tracked).run(
        """
        INSERT INTO {working} (w_present, w_why, {columns})
        SELECT FALSE, {why}, {values} FROM {round} r JOIN {history} a ON a.history_id = r.after_id
        WHERE {condition} AND r.w_id IS NULL
        """,
        why=f"'{why}'" if why else "NULL",
        values=sql.names(tracked.columns, of="a"),
        condition=condition,
    )


def _in_scope(tracked: Tracked, column: str, scope: Scope) -> bool:
    return not scope.fields or column in scope.fields or tracked.fields_by_column[column].name in scope.fields
