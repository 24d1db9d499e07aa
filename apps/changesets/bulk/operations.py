"""Planning a bulk action, and doing it: one transaction, one changeset, and never more than was shown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import models

from apps.changesets.bulk.plans import BulkPlan, Options
from apps.changesets.bulk.selection import Selection, selecting
from apps.changesets.context import changeset
from apps.changesets.errors import BulkRefused, NothingSelected, SelectionMoved
from apps.changesets.locking import lock_tracked_tables, patience
from apps.changesets.models import Changeset

PATIENCE = 10


@dataclass(frozen=True)
class Operation:
    """A kind of bulk action: `plan` looks and changes nothing, `write` does what the plan says."""

    kind: str
    plan: Callable[[Selection, Options], BulkPlan]
    write: Callable[[Selection, BulkPlan, Options], None]


@dataclass(frozen=True)
class Outcome:
    """What was done: the changeset, None when nothing was to change, and the plan that was followed."""

    changeset: Changeset | None
    plan: BulkPlan


def plan_bulk(operation: Operation, objects: models.QuerySet, options: Options | None = None) -> BulkPlan:
    """Return what the operation would do to the objects; nothing is changed. Raises NothingSelected."""
    with selecting(objects) as selection:
        return _plan(operation, selection, options or {})


def apply_bulk(
    operation: Operation,
    objects: models.QuerySet,
    *,
    actor: Any,
    reason: str,
    seen: str = "",
    options: Options | None = None,
) -> Outcome:
    """Do the operation to the objects as one changeset.

    With `seen` (of a plan) nothing is done unless the selection is still what that plan was made for. Raises
    NothingSelected, SelectionMoved, BulkRefused or Busy, each with its sentence; nothing is written then.
    """
    with patience(PATIENCE), changeset(kind=operation.kind, actor=actor, reason=reason) as opened:
        lock_tracked_tables()
        with selecting(objects) as selection:
            if seen and seen != selection.seen:
                raise SelectionMoved(_moved(seen, selection))
            plan = _plan(operation, selection, options or {})
            if plan.refusal:
                raise BulkRefused(plan.refusal)
            if plan.number:
                operation.write(selection, plan, options or {})
            opened.summary = {"selected": plan.selected, "lines": [[line.number, line.words] for line in plan.lines]}
    return Outcome(opened if opened.pk else None, plan)


def _plan(operation: Operation, selection: Selection, options: Options) -> BulkPlan:
    if not selection.number:
        raise NothingSelected(
            f"No {selection.model._meta.verbose_name} is selected, or what was selected is gone by now: "
            "nothing was changed. Look at the list again."
        )
    plan = operation.plan(selection, options)
    return replace(plan, selected=selection.number, seen=selection.seen)


def _moved(seen: str, selection: Selection) -> str:
    before = seen.partition(".")[0]
    names = selection.model._meta.verbose_name_plural
    if before.isdecimal() and len(before) < 19 and int(before) != selection.number:
        what = f"you saw {int(before):,} {names}, and by now it is {selection.number:,}"
    else:
        what = f"somebody changed some of these {names} meanwhile"
    return f"The selection is no longer what you were shown: {what}. Nothing was changed; look again and confirm."
