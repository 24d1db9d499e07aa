"""Bulk actions that give one field of all selected objects the same value."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.plans import BulkPlan, Options, sample_of
from apps.changesets.bulk.rehearsal import rehearsed
from apps.changesets.bulk.selection import Selection
from apps.changesets.models import Kind
from apps.changesets.text import counted, plural


def setting(field: str, value: Any, *, done: str, already: str, kind: str = Kind.BULK_ACTION) -> BulkWork:
    """Return the work that sets `field` to `value` on all selected objects that have another.

    `done` and `already` say what the objects are, after and before: "set active", "are active already".
    """

    def plan(selection: Selection, options: Options) -> BulkPlan:
        differing = selection.rows().filter(_differs(field, value))
        number = differing.count()
        same = selection.number - number
        lines = [Line("changed", number, f"{plural(number, selection.model)} will be {done}")] if number else []
        if same:
            lines.append(Line("kept", same, already))
        objects = counted(number, selection.model)
        return BulkPlan(number, objects, f"{objects} {done}.", tuple(lines), sample_of(differing) if number else ())

    def write(selection: Selection, plan: BulkPlan, options: Options) -> None:
        write_values(selection.rows().filter(_differs(field, value)), {field: value})

    return BulkWork(kind, plan, write)


def write_values(rows: models.QuerySet[Any], values: dict[str, Any]) -> int:
    """Set the values, and the time of the change, in all rows by one statement; return the number of rows."""
    if rehearsal := rehearsed():
        return rehearsal.set(rows, values)
    stamps = {f.name: timezone.now() for f in rows.model._meta.concrete_fields if getattr(f, "auto_now", False)}
    return rows.order_by().update(**values, **stamps)


def _differs(field: str, value: Any) -> Q:
    if value is None:
        return Q(**{f"{field}__isnull": False})
    return ~Q(**{field: value})


SET_ACTIVE = setting("active", True, done="set active", already="active already")
SET_INACTIVE = setting("active", False, done="set inactive", already="inactive already")
