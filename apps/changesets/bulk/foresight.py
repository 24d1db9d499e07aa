"""Which rows of a bulk action the database would refuse, and by which rule: known before anything is written.

What the action would write is put into a working copy of the model, as a revert does, and the rules that the model
declares are looked at there. Where the action sets nothing that a rule is about, no row is copied.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import models

from apps.changesets.bulk.plans import SAMPLE, Listed, sample_of
from apps.changesets.bulk.rehearsal import BLOCKED, CHANGED, Rehearsal, rehearsing
from apps.changesets.bulk.selection import Selection
from apps.changesets.fields import AnyField, column_of, field_of
from apps.changesets.revert import blocking
from apps.changesets.revert.matching import condition_in_sql, copy_of, working_table
from apps.changesets.revert.working import index_working_copy, start_working_copy
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for

LEFT_OUT = "left out: blocked by "
Unique = tuple[str, tuple[str, ...], models.Q | None]


def left_out(rule: str, number: int, names: tuple[str, ...]) -> Listed:
    """Return what a plan says of objects that would break a rule."""
    return Listed(f"{LEFT_OUT}{rule}", number, names)


class _Foresight(Rehearsal):
    """Takes what an action would write to the selected model, in place of the database."""

    def __init__(self, tracked: Tracked) -> None:
        self.tracked, self.number = tracked, 0

    def note(
        self,
        sql: Sql,
        tracked: Tracked,
        source: str,
        params: Any = (),
        *,
        bucket: str = CHANGED,
        after: Mapping[AnyField, str],
        notes: str = "NULL",
    ) -> int:
        # What further statements would do to the same rows is left to the database.
        if bucket == BLOCKED or tracked is not self.tracked or self.number or not _may_break(tracked, after, sql):
            return 0
        start_working_copy(sql, tracked)
        values = {column_of(field): value.replace("%", "%%") if params else value for field, value in after.items()}
        self.number = copy_of(sql, tracked).run(
            """
            INSERT INTO {working} (w_live, w_present, w_verdict, {columns})
            SELECT l.{pk}, TRUE, {restored}, {values} {source} ORDER BY l.{pk}
            """,
            params,
            values=", ".join(values.get(column, f"l.{sql.quote(column)}") for column in tracked.columns),
            source=source,
        )
        return self.number


def foresee(selection: Selection, write: Callable[[], None]) -> tuple[list[Listed], Selection]:
    """Return what the database would refuse of a write, by rule, and the selection without it."""
    sql, tracked = selection.sql, tracked_for(selection.model)
    foresight = _Foresight(tracked)
    with rehearsing(foresight):
        write()
    if not foresight.number:
        return [], selection
    selection.temps.append(working_table(tracked))
    _block(sql, tracked)
    blocked = _blocked(sql, tracked)
    if blocked:
        keys = copy_of(sql, tracked).fill("SELECT w_live FROM {working} WHERE w_verdict = {blocked}")
        selection = selection.without(keys)
    return blocked, selection


def _block(sql: Sql, tracked: Tracked) -> None:
    index_working_copy(sql, tracked)
    for _rule, columns, _condition in _uniques(tracked):
        sql.index_temp(working_table(tracked), columns)
    # The rules about one row first: what breaks one stands in the way of no other.
    for checks in (blocking.rule_checks, _unique_checks):
        while blocking.block_by(sql, tracked, checks(sql, tracked), blocking.verdicts_in(sql, tracked)):
            pass


def _unique_checks(sql: Sql, tracked: Tracked) -> Iterator[blocking.Check]:
    for rule, columns, condition in _uniques(tracked):
        where = "" if condition is None else condition_in_sql(sql, tracked, condition)
        cause = "'{}'".format(rule.replace("'", "''").replace("%", "%%"))
        # Of rows that clash with each other the first one is written.
        for broken, _holder in blocking.taken(sql, tracked, columns, where, of_copy="x.w_id < w.w_id"):
            yield blocking.Check(broken, blocking.RULE, blocking.CHANGED, cause)


def _uniques(tracked: Tracked) -> Iterator[Unique]:
    """Yield what is unique: what the rule is called, the columns, and the condition under which they are."""
    meta = tracked.model._meta
    for field in meta.concrete_fields:
        if field.unique:
            yield f"the rule that {field.verbose_name} must be unique", (column_of(field),), None
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
            columns = tuple(column_of(field_of(tracked.model, name)) for name in constraint.fields)
            yield constraint.name, columns, constraint.condition


def _blocked(sql: Sql, tracked: Tracked) -> list[Listed]:
    copy = copy_of(sql, tracked)
    by_rule = copy.rows(
        "SELECT w_cause, count(*) FROM {working} WHERE w_verdict = {blocked} GROUP BY w_cause ORDER BY min(w_id)"
    )
    first = "SELECT w_live FROM {working} WHERE w_verdict = {blocked} AND w_cause = %s ORDER BY w_id LIMIT {few}"
    rows = tracked.model._base_manager
    return [
        left_out(rule, number, sample_of(rows.filter(pk__in=copy.firsts(first, [rule], few=str(SAMPLE)))))
        for rule, number in by_rule
    ]


def _may_break(tracked: Tracked, after: Mapping[AnyField, str], sql: Sql) -> bool:
    """Whether a rule of the model is about one of the fields, which get these values."""
    columns = {column_of(field) for field in after}
    if any(field.db_check(sql.connection) or not (field.null or value != "NULL") for field, value in after.items()):
        return True
    for _rule, unique, condition in _uniques(tracked):
        if columns.intersection(unique) or _names(condition) & {field.name for field in after}:
            return True
    checks = [c for c in tracked.model._meta.constraints if isinstance(c, models.CheckConstraint)]
    return any(
        isinstance(c.condition, models.Q) and _names(c.condition) & {field.name for field in after} for c in checks
    )


def _names(condition: models.Q | None) -> set[str]:
    """Return the fields that a condition is about."""
    return set() if condition is None else set(condition.referenced_base_fields)
