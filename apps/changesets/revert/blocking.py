"""What blocks a revert: rows that refer to what would be deleted, targets that are missing, taken unique values.

Each check looks at the state as it would be: the working copies, and the live rows that are in none of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel

from apps.changesets.fields import AnyLink, column_of, target_of
from apps.changesets.revert.matching import condition_in_sql, copy_of, working_table
from apps.changesets.revert.verdicts import Bucket
from apps.changesets.revert.working import index_working_copy
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

REFERENCED = "referenced"
MISSING_TARGET = "missing"
UNIQUE_CLASH = "taken"
RULE = "rule"
MOVED = "moved"
# What is written with values of before.
CHANGED = (Bucket.RESTORED, Bucket.RECREATED)


@dataclass(frozen=True)
class Check:
    """One reason to block: a condition on the row `w`, its code, the verdicts that it replaces, SQL of the cause."""

    condition: str
    why: str
    verdicts: tuple[Bucket, ...]
    cause: str = "NULL"


def settle(sql: Sql, touched: list[Tracked], *, seen: Mapping[str, int] | None = None) -> None:
    """Give every row of the working copies its verdict, and block rows until no check finds another.

    `seen` is the newest history_id by model label that a person was shown: what was written later is left alone.
    """
    for tracked in touched:
        _judge(sql, tracked)
        if seen is not None:
            _leave_moved(sql, tracked, seen.get(tracked.label, 0))
        index_working_copy(sql, tracked)
        for field in tracked.links:
            sql.index_temp(working_table(tracked), [field.column])
    spread(sql, touched)


def spread(sql: Sql, touched: list[Tracked]) -> None:
    """Block rows until no check finds another: what is blocked may stand in the way of others."""
    many = "SELECT count(*) > 1000 FROM (SELECT 1 FROM {working} LIMIT 1001) first"
    large = sql.postgresql and any(copy_of(sql, tracked).value(many) for tracked in touched)
    with sql.without_loops(large):
        while any(_block_all(sql, tracked, touched) for tracked in touched):
            pass


def block(sql: Sql, tracked: Tracked, ids: Sequence[int], why: str, cause: str) -> None:
    """Block these rows of a working copy, which stay as they are."""
    numbers = ", ".join(map(str, ids))
    copy_of(sql, tracked).run(
        "UPDATE {working} SET w_why = %s, w_cause = %s, w_verdict = {blocked} WHERE w_id IN ({numbers})",
        [why, cause],
        numbers=numbers,
    )
    _stay_as_live(sql, tracked, f"w_id IN ({numbers})")


def verdicts_in(sql: Sql, tracked: Tracked) -> set[str]:
    """Return the verdicts that occur in a model's working copy."""
    verdicts = copy_of(sql, tracked).firsts("SELECT DISTINCT w_verdict FROM {working}")
    return {verdict for verdict in verdicts if verdict}


def _judge(sql: Sql, tracked: Tracked) -> None:
    """Compare the working copy with the live rows: restored, deleted, recreated, or nothing to do."""
    copy = copy_of(sql, tracked)
    verdict = copy.fill(
        """
        CASE WHEN w_present AND w_live IS NULL THEN {recreated}
             WHEN NOT w_present AND w_live IS NOT NULL THEN {deleted} END
        """
    )
    # Most rows have the right verdict from the step that changed them; only the others are written again.
    copy.run("UPDATE {working} SET w_verdict = {verdict} WHERE w_verdict IS DISTINCT FROM {verdict}", verdict=verdict)
    # Rows whose object lives and is to be otherwise.
    copy.run(
        """
        UPDATE {working} AS w SET w_verdict = {restored} FROM {live} l
        WHERE l.{pk} = w.w_live AND w.w_present AND ({differ})
        """,
        differ=sql.differ(tracked.compared, "w", "l"),
    )


def _leave_moved(sql: Sql, tracked: Tracked, seen: int) -> None:
    """Leave rows that were written after the history row `seen` as they are."""
    moved = copy_of(sql, tracked).run(
        """
        UPDATE {working} AS w SET w_verdict = NULL, w_kept = '', w_why = '{moved}', w_present = w_live IS NOT NULL
        WHERE (w_verdict IS NOT NULL OR w_kept <> '' OR w_why IS NOT NULL)
        AND coalesce(w_live, {pk}) IN (SELECT {pk} FROM {history} WHERE history_id > %s)
        """,
        [seen],
        moved=MOVED,
    )
    if moved:
        _stay_as_live(sql, tracked, f"w_why = '{MOVED}'")


def _block_all(sql: Sql, tracked: Tracked, touched: list[Tracked]) -> bool:
    """Run the checks on one model; return whether anything was blocked."""
    occurring = verdicts_in(sql, tracked)
    if occurring & {Bucket.RESTORED, Bucket.RECREATED}:
        for columns in tracked.unique_sets[1:]:
            sql.index_temp(working_table(tracked), columns)
    return block_by(sql, tracked, _checks(sql, tracked, touched), occurring)


def block_by(sql: Sql, tracked: Tracked, checks: Iterable[Check], occurring: set[str]) -> bool:
    """Block the rows that a check finds, of the verdicts that occur; return whether there were any."""
    blocked = 0
    for check in checks:
        if not occurring.intersection(check.verdicts):
            continue
        # The rows of these verdicts that the check is about.
        blocked += copy_of(sql, tracked).run(
            """
            UPDATE {working} AS w SET w_why = '{why}', w_cause = {cause}, w_verdict = {blocked}
            WHERE w.w_verdict IN ({marks}) AND ({condition})
            """,
            check.verdicts,
            why=check.why,
            cause=check.cause,
            marks=sql.marks(check.verdicts),
            condition=check.condition,
        )
    if blocked:
        _stay_as_live(sql, tracked, f"w_verdict = '{Bucket.BLOCKED}'")
    return bool(blocked)


def _checks(sql: Sql, tracked: Tracked, touched: list[Tracked]) -> Iterator[Check]:
    """Yield the checks of a model.

    No condition joins two EXISTS by OR: PostgreSQL would run both for each row instead of joining once.
    """
    for table, column, referring in referring_columns(tracked):
        points_here = sql.with_names(referring_table=table, column=column)
        live = points_here.fill("SELECT 1 FROM {referring_table} l WHERE l.{column} = w.w_live")
        if referring in touched:
            live += _not_in_copy(sql, referring)
            # One that is in a working copy, too, points here.
            copy = points_here.fill(
                "EXISTS (SELECT 1 FROM {copy} x WHERE x.w_present AND x.{column} = w.w_live)",
                copy=sql.temp(working_table(referring)),
            )
            yield Check(copy, REFERENCED, (Bucket.DELETED,))
        yield Check(f"EXISTS ({live})", REFERENCED, (Bucket.DELETED,))
    yield from rule_checks(sql, tracked)
    for field in tracked.links:
        cause = f"'{field.column}|' || CAST(w.{sql.quote(field.column)} AS text)"
        yield Check(_target_missing(sql, field, touched), MISSING_TARGET, CHANGED, cause)
    conditional = [(columns, condition_in_sql(sql, tracked, where)) for columns, where in tracked.conditional_sets]
    for columns, where in [*((columns, "") for columns in tracked.unique_sets), *conditional]:
        for condition, holder in taken(sql, tracked, columns, where):
            yield Check(condition, UNIQUE_CLASH, CHANGED, f"'{','.join(columns)}|' || ({holder})")


def rule_checks(sql: Sql, tracked: Tracked) -> Iterator[Check]:
    """Yield the check of the rules about one row, if the model has any."""
    if rules := _broken_rules(sql, tracked):
        cases = " ".join(f"WHEN {broken} THEN '{rule}'" for broken, rule in rules)
        yield Check(" OR ".join(broken for broken, _rule in rules), RULE, CHANGED, f"CASE {cases} END")


def _broken_rules(sql: Sql, tracked: Tracked) -> list[tuple[str, str]]:
    """Return for each rule about one row the condition that the row breaks it, and what the rule is called.

    A column may have become required, or a check may be new, after the values were recorded.
    """
    rules = []
    for column, field in tracked.fields_by_column.items():
        name = str(field.verbose_name).replace("'", "''").replace("%", "%%")
        if not field.null:
            rules.append((f"w.{sql.quote(column)} IS NULL", f"the rule that {name} must have a value"))
        if check := field.db_check(sql.connection):
            rules.append((f"({check}) IS FALSE", f"the rule {check}".replace("'", "''")))
    for constraint in tracked.model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint) and isinstance(constraint.condition, models.Q):
            broken = f"({condition_in_sql(sql, tracked, constraint.condition)}) IS FALSE"
            rules.append((broken, constraint.name.replace("'", "''")))
    return rules


def _target_missing(sql: Sql, field: AnyLink, touched: list[Tracked]) -> str:
    """Return the condition that the row points to an object that would be missing."""
    model = target_of(field)
    sql = sql.with_names(target=model._meta.db_table, column=column_of(field), key=column_of(field.target_field))
    live = sql.fill("SELECT 1 FROM {target} l WHERE l.{key} = w.{column}")
    missing = f"NOT EXISTS ({live})"
    target = next((tracked for tracked in touched if tracked.model is model), None)
    if target is not None:
        missing = sql.fill(
            """
            NOT EXISTS ({live} {not_in_copy})
            AND NOT EXISTS (SELECT 1 FROM {copy} x WHERE x.w_present AND x.{key} = w.{column})
            """,
            live=live,
            not_in_copy=_not_in_copy(sql, target),
            copy=sql.temp(working_table(target)),
        )
    return sql.fill("w.{column} IS NOT NULL AND {missing}", missing=missing)


def taken(
    sql: Sql, tracked: Tracked, columns: tuple[str, ...], where: str, *, of_copy: str = "x.w_id <> w.w_id"
) -> Iterator[tuple[str, str]]:
    """The row gets a unique value, new to it, that another row would have too: a live one, one of the copy.

    Where the value is unique under the condition `where` only, both rows meet it. `of_copy` says which rows `x` of the
    copy stand in the way. Yields the condition and the SQL of the other row's key.
    """
    copy = copy_of(sql, tracked).with_parts(where=where)
    live_meets = "{of}.{pk} IN (SELECT {pk} FROM {live} WHERE {where})" if where else "TRUE"
    meets = "{of}.w_id IN (SELECT w_id FROM {working} WHERE {where})" if where else "TRUE"
    live = copy.fill(
        "FROM {live} l WHERE {same} AND {meets} {not_in_copy}",
        same=sql.same(columns, "l", "w"),
        meets=copy.fill(live_meets, of="l"),
        not_in_copy=_not_in_copy(sql, tracked),
    )
    in_copy = copy.fill(
        "FROM {working} x WHERE x.w_present AND {of_copy} AND {same} AND {meets}",
        same=sql.same(columns, "x", "w"),
        meets=copy.fill(meets, of="x"),
        of_copy=of_copy,
    )
    for holders, key in ((live, "l.{pk}"), (in_copy, "coalesce(x.w_live, x.{pk})")):
        condition = copy.fill(
            """
            {own_meets} AND NOT EXISTS (SELECT 1 FROM {live} o WHERE o.{pk} = w.w_live AND {same} AND {met})
            AND EXISTS (SELECT 1 {others})
            """,
            same=sql.same(columns, "o", "w"),
            own_meets=copy.fill(meets, of="w"),
            met=copy.fill(live_meets, of="o"),
            others=holders,
        )
        yield condition, copy.fill("SELECT min(CAST({key} AS text)) {others}", key=copy.fill(key), others=holders)


def _not_in_copy(sql: Sql, tracked: Tracked) -> str:
    return copy_of(sql, tracked).fill(" AND NOT EXISTS (SELECT 1 FROM {working} c WHERE c.w_live = l.{pk})")


def _stay_as_live(sql: Sql, tracked: Tracked, condition: str) -> None:
    """Give rows that are left alone their live state back, so that the other checks see it."""
    copy = copy_of(sql, tracked).with_parts(condition=condition)
    copy.run(
        "UPDATE {working} AS w SET w_present = TRUE, {taken} FROM {live} l WHERE l.{pk} = w.w_live AND w.{condition}",
        taken=sql.taken(tracked.columns, of="l"),
    )
    # Those without a live row are absent, as they are now.
    copy.run("UPDATE {working} SET w_present = FALSE WHERE {condition} AND w_live IS NULL")


class ReferringColumn(NamedTuple):
    """The table and column of a foreign key, and the tracked model of that table where it is one's."""

    table: str
    column: str
    tracked: Tracked | None


def referring_columns(tracked: Tracked) -> Iterator[ReferringColumn]:
    """Yield the foreign keys that point to the model."""
    for relation in tracked.model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel) or not isinstance(relation.field, models.ForeignKey):
            continue
        field = relation.field
        if not getattr(field, "db_constraint", True):
            continue  # History rows point to what is gone, and may.
        referring = next(
            (tracked_model for tracked_model in tracked_models() if tracked_model.model is field.model), None
        )
        yield ReferringColumn(field.model._meta.db_table, column_of(field), referring)
