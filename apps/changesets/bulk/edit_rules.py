"""Rules of the database about an edit, asked before it is written: what is taken already, and checks of a row."""

from collections.abc import Iterator
from string import Formatter
from typing import Any

from django.db import models
from django.db.models import Q

from apps.changesets.bulk.edits import Edits
from apps.changesets.fields import AnyField, column_of, field_of
from apps.changesets.history.values import names_of, value_label
from apps.changesets.revert.matching import condition_in_sql
from apps.changesets.sql import Sql


def refuse_what_rules_forbid(edits: Edits) -> None:
    """Refuse the objects that would break a check, or that would have what another one has, or gets, too."""
    sql = edits.sql.with_parts(after=_after(edits))
    for constraint in edits.tracked.model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint) and isinstance(constraint.condition, Q):
            # Objects for which the condition of a check would be false.
            keys = sql.firsts(
                "SELECT w.edited FROM ({after}) w WHERE ({condition}) IS FALSE",
                [""],
                condition=condition_in_sql(sql, edits.tracked, constraint.condition),
            )
            edits.refuse([(key, str(constraint.get_violation_error_message())) for key in keys])
    for columns, condition, sentence in _unique(edits):
        _refuse_taken(edits, sql, columns, condition, sentence)


def _after(edits: Edits) -> str:
    """Return the query of the edited objects as they would be, with all columns; their key is `edited`."""
    written = set(edits.columns)
    columns = [
        f"{'e' if column in written else 'l'}.{edits.sql.quote(column)} AS {edits.sql.quote(column)}"
        for column in edits.tracked.columns
    ]
    return edits.sql.fill(
        "SELECT e.pk AS edited, {values} FROM {edits} e JOIN {live} l ON l.{pk} = e.pk WHERE e.refused = %s",
        values=", ".join(columns),
    )


def _unique(edits: Edits) -> Iterator[tuple[tuple[str, ...], Q | None, str]]:
    """Yield the columns that are unique together and among those that are written, the condition, and the sentence."""
    model, written = edits.tracked.model, set(edits.columns)
    for columns in edits.tracked.unique_sets[1:]:
        if written & set(columns):
            yield columns, None, _sentence(edits, columns)
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint) or constraint.condition is None:
            continue
        columns = tuple(column_of(field_of(model, name)) for name in constraint.fields)
        of_condition = {column_of(field_of(model, name)) for name in constraint.condition.referenced_base_fields}
        if columns and written & {*columns, *of_condition}:
            yield columns, constraint.condition, str(constraint.get_violation_error_message())


def _sentence(edits: Edits, columns: tuple[str, ...]) -> str:
    """Return the form's sentence about these columns, or Django's; braces in it are names of fields."""
    model, of_column = edits.tracked.model, edits.tracked.fields_by_column
    names = tuple(of_column[column].name for column in columns)
    own = edits.edit.rules.taken.get(names)
    if own and all(edits.edit.rules.shows(name) for name in _holes(own)):
        return own
    error = model().unique_error_message(model, names)
    return str(error.messages[0]).replace("{", "{{").replace("}", "}}")


def _holes(sentence: str) -> list[str]:
    return [name for _text, name, _spec, _conversion in Formatter().parse(sentence) if name]


def _refuse_taken(edits: Edits, sql: Sql, columns: tuple[str, ...], condition: Q | None, sentence: str) -> None:
    holes = [field_of(edits.tracked.model, name) for name in _holes(sentence)]
    where = "TRUE" if condition is None else condition_in_sql(sql, edits.tracked, condition)
    # Edited objects that another one stands in the way of: one that has the same values now, whatever becomes of it, or
    # one that gets them and comes before.
    rows = sql.rows(
        """
        SELECT w.edited, {shown} FROM (
            SELECT a.*, ROW_NUMBER() OVER (PARTITION BY {columns} ORDER BY a.edited) AS bulk_place
            FROM ({after}) a WHERE {where}
        ) w
        WHERE {filled} AND (w.bulk_place > 1 OR EXISTS (
            SELECT 1 FROM {live} o WHERE {same} AND o.{pk} <> w.edited
            AND o.{pk} IN (SELECT {pk} FROM {live} WHERE {where})
        ))
        """,
        [""],
        shown=sql.names([column_of(hole) for hole in holes], of="w") or "NULL",
        columns=sql.names(columns, of="a"),
        where=where,
        filled=" AND ".join(f"w.{sql.quote(column)} IS NOT NULL" for column in columns),
        same=sql.same(columns, "o", "w"),
    )
    names = {hole.name: _names(hole, [row[1 + place] for row in rows]) for place, hole in enumerate(holes)}
    refusals = []
    for key, *values in rows:
        words = {hole.name: names[hole.name][value] for hole, value in zip(holes, values[: len(holes)], strict=True)}
        refusals.append((key, sentence.format(**words)))
    edits.refuse(refusals)


def _names(hole: AnyField, values: list[Any]) -> dict[Any, str]:
    """Return what people call these values of a field."""
    known = names_of(hole.related_model, values) if isinstance(hole.related_model, type) else None
    return {value: str(value_label(hole, value, known)) for value in set(values)}
