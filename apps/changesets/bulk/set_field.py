"""The bulk action that changes one field of the selected objects: its plan, and the one statement that writes it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.text import capfirst

from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.edit_rules import refuse_what_rules_forbid
from apps.changesets.bulk.edits import Edit, Edits, keys_of
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Listed, Options, ValueCount, sample_of
from apps.changesets.bulk.rehearsal import BLOCKED, rehearsed
from apps.changesets.bulk.selection import Selection
from apps.changesets.fields import AnyField, column_of
from apps.changesets.history.values import field_label, in_words, names_of, value_label
from apps.changesets.models import Kind
from apps.changesets.plans.filling import object_sql
from apps.changesets.text import counted, plural

# How many distinct values, and how many reasons, are shown.
VALUES, REASONS = 20, 10


def _plan(selection: Selection, options: Options) -> BulkPlan:
    edit: Edit | None = options.get("edit")
    if edit is None:
        return BulkPlan(0, f"a field of {counted(selection.number, selection.model)}", "")
    edits = Edits(selection, edit)
    edits.fill(selection)
    refuse_what_rules_forbid(edits)
    # How many objects are written, and how many are refused for which reason, the commonest first.
    numbers: dict[str, int] = dict(
        edits.sql.rows("SELECT refused, COUNT(*) FROM {edits} GROUP BY refused ORDER BY 2 DESC, 1")
    )
    number = numbers.pop("", 0)
    objects = f"{_named(edit.field)} of {counted(number, selection.model)}"
    values, distinct = _values(edits, edit.field) if number else ((), 0)
    return BulkPlan(
        number,
        objects,
        f"{capfirst(objects)} changed: {edit.words}.",
        tuple(_lines(selection, edits, number, sum(numbers.values()))),
        sample_of(keys_of(selection.model, edits)) if number else (),
        tuple(_refused(edits, numbers)),
        values=values,
        distinct=distinct,
    )


def _lines(selection: Selection, edits: Edits, number: int, blocked: int) -> list[Line]:
    model, edit = selection.model, edits.edit
    lines = [Line("changed", number, f"{plural(number, model)} will get another {_label(edit.field)}")]
    if number and (pinned := edit.rules.count_pinned(edit.field.name, edits.keys())):
        words = f"of them {plural(pinned, 'has', 'have')} it pinned against imports: the pin will hold the new value"
        lines.append(Line("changed", pinned, words, part=True))
    for follows in edit.written[1:]:
        if follows.editable:
            words = f"their {_label(follows)} follows, where it was made of the {_label(edit.field)}"
            lines.append(Line("changed", None, words, part=True))
    same = selection.number - number - blocked
    already = plural(same, "has", "have") + " that value already" if edit.is_constant else "would not change by this"
    lines.append(Line("kept", same, already))
    words = f"{plural(blocked, 'stays as it is', 'stay as they are')}: the rules forbid the new value"
    lines.append(Line("blocked", blocked, words))
    return [line for line in lines if line.number is None or line.number]


def _label(field: AnyField) -> str:
    return field_label(field.model, field.name)


def _named(field: AnyField) -> str:
    # What is yes or no is called by an adjective.
    return f"“{_label(field)}”" if isinstance(field, models.BooleanField) else f"the {_label(field)}"


def _refused(edits: Edits, reasons: Mapping[str, int]) -> Iterator[Listed]:
    """Yield the objects that are refused by reason, as far as there is room, and how many others there are."""
    for why, number in list(reasons.items())[:REASONS]:
        # The first objects that are refused for it.
        few = "SELECT pk FROM {edits} WHERE refused = %s ORDER BY pk LIMIT {number}"
        keys = edits.sql.firsts(few, [why], number=str(SAMPLE))
        yield Listed(f"blocked: {why}", number, sample_of(edits.tracked.model._base_manager.filter(pk__in=keys)))
    if rest := sum(list(reasons.values())[REASONS:]):
        yield Listed("blocked for other reasons: “Show all rows” has each", rest, ())


def _values(edits: Edits, field: AnyField) -> tuple[tuple[ValueCount, ...], int]:
    """Return the commonest distinct values now and after, and how many there are."""
    # Values now and after, of how many objects, and how many of such pairs there are.
    rows = edits.sql.rows(
        """
        SELECT l.{field} AS now, e.{field} AS after, COUNT(*), COUNT(*) OVER ()
        FROM {edits} e JOIN {live} l ON l.{pk} = e.pk WHERE e.refused = '' GROUP BY 1, 2
        ORDER BY 3 DESC, 1, 2 LIMIT {few}
        """,
        few=str(VALUES),
    )
    keys = {key for row in rows for key in row[:2]}
    names = names_of(field.related_model, keys) if isinstance(field.related_model, type) else None

    def words(value: Any) -> str:
        python = value if field.is_relation else field.to_python(value)
        return in_words(value_label(field, python, names))

    return tuple(ValueCount(words(now), words(after), number) for now, after, number, _all in rows), rows[0][3]


def _write(selection: Selection, plan: BulkPlan, options: Options) -> None:
    edits = Edits(selection, options["edit"])
    if rehearsed() is not None:
        _rehearse(edits)
        return
    stamps = [f for f in edits.tracked.model._meta.concrete_fields if getattr(f, "auto_now", False)]
    stamped = "".join(f", {edits.sql.quote(column_of(f))} = %s" for f in stamps)
    # The new values, and the time of the change.
    edits.sql.run(
        "UPDATE {live} SET {taken} {stamped} FROM {edits} e WHERE e.pk = {live}.{pk} AND e.refused = ''",
        [edits.sql.moment(timezone.now())] * len(stamps),
        taken=edits.sql.taken(edits.columns, of="e"),
        stamped=stamped,
    )


def _rehearse(edits: Edits) -> None:
    """Note what would be written, and what is refused and why."""
    rehearsal = rehearsed()
    if rehearsal is None:
        return
    after: Mapping[AnyField, str] = {
        f: f"e.{edits.sql.quote(column_of(f))}" for f in edits.edit.written if f in edits.tracked.news
    }
    source = "FROM {live} l JOIN {edits} e ON e.pk = l.{pk} WHERE e.refused {is} ''"
    changed, refused = (edits.sql.fill(source, **{"is": sign}) for sign in ("=", "<>"))
    rehearsal.note(edits.sql, edits.tracked, changed, after=after)
    notes = object_sql(edits.sql, {"why": "e.refused"})
    rehearsal.note(edits.sql, edits.tracked, refused, bucket=BLOCKED, after={}, notes=notes)


SET_FIELD = BulkWork(Kind.BULK_ACTION, _plan, _write, one_by_one=True)
