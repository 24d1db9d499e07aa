"""What stands in the way of a revert: rows that still refer to what would go, targets that are missing, taken values.

Each check looks at the state as it would be: the working copies, and the live rows that are in none of them.
"""

from collections.abc import Iterator

from django.db import models

from apps.changesets.revert.verdicts import Bucket
from apps.changesets.revert.working import false_in, index_working_copy, true_in, working_table
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for

REFERENCED = "referenced"
MISSING_TARGET = "missing"
UNIQUE_CLASH = "taken"


def settle(sql: Sql, touched: list[Tracked]) -> None:
    """Give every row of the working copies its verdict, and block what cannot be done, until nothing changes."""
    for tracked in touched:
        _judge(sql, tracked)
        index_working_copy(sql, tracked)
        for field in _foreign_keys(tracked):
            sql.index_temp(working_table(tracked), [field.column])
    while any(_block_all(sql, tracked, touched) for tracked in touched):
        pass


def verdicts_in(sql: Sql, tracked: Tracked) -> set[str]:
    """Return the verdicts that occur in a model's working copy."""
    found = sql.rows(f"SELECT DISTINCT w_verdict FROM {sql.temp(working_table(tracked))}")
    return {verdict for (verdict,) in found if verdict}


def _judge(sql: Sql, tracked: Tracked) -> None:
    """Compare the working copy with the live rows: restored, deleted, recreated, or nothing to do."""
    working, pk = sql.temp(working_table(tracked)), sql.quote(tracked.pk)
    # Most rows have the right verdict from the step that changed them; only the others are written again.
    verdict = (
        f"CASE WHEN w_present AND w_live IS NULL THEN '{Bucket.RECREATED}' "
        f"WHEN NOT w_present AND w_live IS NOT NULL THEN '{Bucket.DELETED}' END"
    )
    sql.run(f"UPDATE {working} SET w_verdict = {verdict} WHERE w_verdict IS DISTINCT FROM {verdict}")
    sql.run(
        f"UPDATE {working} AS w SET w_verdict = '{Bucket.RESTORED}' FROM {sql.quote(tracked.table)} l "
        f"WHERE l.{pk} = w.w_live AND w.w_present AND ({sql.differ(tracked.compared, 'w', 'l')})"
    )


def _block_all(sql: Sql, tracked: Tracked, touched: list[Tracked]) -> bool:
    """Run the three checks on one model; return whether anything was blocked."""
    blocked = 0
    there = verdicts_in(sql, tracked)
    if there & {Bucket.RESTORED, Bucket.RECREATED}:
        for columns in tracked.unique_sets[1:]:
            sql.index_temp(working_table(tracked), columns)
    for condition, why, verdicts in _checks(sql, tracked, touched):
        if not there.intersection(verdicts):
            continue
        blocked += sql.run(
            f"UPDATE {sql.temp(working_table(tracked))} AS w SET w_why = '{why}', w_verdict = '{Bucket.BLOCKED}' "
            f"WHERE w.w_verdict IN ({', '.join(repr(str(verdict)) for verdict in verdicts)}) AND ({condition})"
        )
    if blocked:
        _stay_as_live(sql, tracked)
    return bool(blocked)


def _checks(sql: Sql, tracked: Tracked, touched: list[Tracked]) -> Iterator[tuple[str, str, tuple[Bucket, ...]]]:
    """Yield condition, code and the verdicts it can overturn, for a model's row called `w`.

    No condition joins two EXISTS by OR: PostgreSQL would run both for each row instead of joining once.
    """
    for table, column, referring in _referring(tracked):
        live = f"SELECT 1 FROM {sql.quote(table)} l WHERE l.{sql.quote(column)} = w.w_live"
        if referring in touched:
            live += _not_in_copy(sql, referring)
            copy = (
                f"SELECT 1 FROM {sql.temp(working_table(referring))} x "
                f"WHERE x.w_present AND x.{sql.quote(column)} = w.w_live"
            )
            yield f"EXISTS ({copy})", REFERENCED, (Bucket.DELETED,)
        yield f"EXISTS ({live})", REFERENCED, (Bucket.DELETED,)
    for field in _foreign_keys(tracked):
        yield _target_missing(sql, field, touched), MISSING_TARGET, (Bucket.RESTORED, Bucket.RECREATED)
    for columns in tracked.unique_sets:
        for condition in _taken(sql, tracked, columns):
            yield condition, UNIQUE_CLASH, (Bucket.RESTORED, Bucket.RECREATED)


def _target_missing(sql: Sql, field: models.ForeignKey, touched: list[Tracked]) -> str:
    """The row points to an object that would not be there."""
    meta = field.related_model._meta
    column, key = sql.quote(field.column), sql.quote(field.target_field.column)
    live = f"SELECT 1 FROM {sql.quote(meta.db_table)} l WHERE l.{key} = w.{column}"
    missing = f"NOT EXISTS ({live})"
    target = next((tracked for tracked in touched if tracked.model is field.related_model), None)
    if target is not None:
        copy = f"SELECT 1 FROM {sql.temp(working_table(target))} x WHERE x.w_present AND x.{key} = w.{column}"
        missing = f"NOT EXISTS ({live}{_not_in_copy(sql, target)}) AND NOT EXISTS ({copy})"
    return f"w.{column} IS NOT NULL AND {missing}"


def _taken(sql: Sql, tracked: Tracked, columns: tuple[str, ...]) -> Iterator[str]:
    """The row gets a unique value, new to it, that another row would have too: a live one, one of the copy."""
    table, pk = sql.quote(tracked.table), sql.quote(tracked.pk)
    same = " AND ".join(f"{{0}}.{name} = w.{name}" for name in map(sql.quote, columns))
    unchanged = f"SELECT 1 FROM {table} o WHERE o.{pk} = w.w_live AND {same.format('o')}"
    live = f"SELECT 1 FROM {table} l WHERE {same.format('l')}{_not_in_copy(sql, tracked)}"
    copy = (
        f"SELECT 1 FROM {sql.temp(working_table(tracked))} x WHERE x.w_present AND x.w_id <> w.w_id "
        f"AND {same.format('x')}"
    )
    yield f"NOT EXISTS ({unchanged}) AND EXISTS ({live})"
    yield f"NOT EXISTS ({unchanged}) AND EXISTS ({copy})"


def _not_in_copy(sql: Sql, tracked: Tracked) -> str:
    working, pk = sql.temp(working_table(tracked)), sql.quote(tracked.pk)
    return f" AND NOT EXISTS (SELECT 1 FROM {working} c WHERE c.w_live = l.{pk})"


def _stay_as_live(sql: Sql, tracked: Tracked) -> None:
    """Give blocked rows their live state back, so that the other checks see it."""
    working, pk = sql.temp(working_table(tracked)), sql.quote(tracked.pk)
    values = ", ".join(f"{name} = l.{name}" for name in map(sql.quote, tracked.columns))
    sql.run(
        f"UPDATE {working} AS w SET w_present = {true_in(sql)}, {values} FROM {sql.quote(tracked.table)} l "
        f"WHERE l.{pk} = w.w_live AND w.w_verdict = '{Bucket.BLOCKED}'"
    )
    sql.run(f"UPDATE {working} SET w_present = {false_in(sql)} WHERE w_verdict = '{Bucket.BLOCKED}' AND w_live IS NULL")


def _referring(tracked: Tracked) -> Iterator[tuple[str, str, Tracked | None]]:
    """Yield table and column of each foreign key that points to the model, and its tracked model where it is one."""
    for relation in tracked.model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or not (relation.one_to_many or relation.one_to_one):
            continue
        field = relation.field
        if not field.db_constraint:
            continue  # History rows point to what is gone, and may.
        try:
            referring = tracked_for(relation.related_model)
        except LookupError:
            referring = None
        yield relation.related_model._meta.db_table, field.column, referring


def _foreign_keys(tracked: Tracked) -> list[models.ForeignKey]:
    return [field for field in tracked.model._meta.concrete_fields if field.is_relation]
