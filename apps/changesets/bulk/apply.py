"""Planning and applying a bulk action: one transaction, one changeset, never more than was shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction

from apps.changesets.bulk.foresight import LEFT_OUT, foresee, left_out
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Options, leaving_out, sample_of, summary_of
from apps.changesets.bulk.rehearsal import Rehearsal, rehearsing
from apps.changesets.bulk.selection import Selection, selecting
from apps.changesets.context import changeset
from apps.changesets.errors import BulkRefused, ChangesetError, NothingSelected, PlanMoved
from apps.changesets.history.cache import state_of_tables
from apps.changesets.hooks import Coming, may_prepare, prepare
from apps.changesets.models import Actor, Changeset, StoredPlan
from apps.changesets.plans.storing import plan_of, store
from apps.changesets.processes.failures import constraint_of
from apps.changesets.processes.locking import again_once, alone, patience
from apps.changesets.revert.refused import REFUSED, refused_among

PATIENCE = 10
# The word for what was shown, in the sentence of PlanMoved.
NOUN = "selection"
ACT = "bulk"


@dataclass(frozen=True)
class BulkWork:
    """The work of a bulk action: `plan` looks and changes nothing, `write` does what the plan says.

    `deletes` tells whether it deletes objects, as it was asked to be done; `names` are further models whose objects its
    plan names. With `one_by_one` nothing that is done to an object depends on the others: those that would break a rule
    of the database are left out.
    """

    kind: str
    plan: Callable[[Selection, Options], BulkPlan]
    write: Callable[[Selection, BulkPlan, Options], None]
    deletes: Callable[[Options], bool] = lambda options: False
    names: tuple[type[models.Model], ...] = ()
    one_by_one: bool = False


@dataclass(frozen=True)
class BulkResult:
    """What was done: the changeset, None when nothing was to change, and the plan that was followed."""

    changeset: Changeset | None
    plan: BulkPlan


def plan_bulk(work: BulkWork, objects: models.QuerySet[Any], options: Options | None = None) -> BulkPlan:
    """Return what the work would do to the objects; nothing is changed. Raises NothingSelected."""
    with selecting(objects) as selection:
        return _plan(work, selection, options or {})[0]


def stored_bulk(
    work: BulkWork, objects: models.QuerySet[Any], *, actor: User, about: Any, options: Options | None = None
) -> StoredPlan:
    """Return the person's stored plan of the work, with every row that it would write; nothing else is written.

    Raises NothingSelected, and BulkRefused with the plan's own refusal.
    """
    with selecting(objects) as selection:
        plan, selection = _plan(work, selection, options or {})
        if plan.refusal:
            raise BulkRefused(plan.refusal)
        head: dict[str, Any] = {"objects": plan.objects, "fields": {}}

        def fill(stored: StoredPlan) -> None:
            rehearsal = Rehearsal(stored)
            with rehearsing(rehearsal):
                work.write(selection, plan, options or {})
            head["fields"] = rehearsal.fields

        stored = plan_of(actor, ACT, about, dict(plan.seen))
        return store(stored, state=state_of_tables(), seen={}, head=head, fill=fill)


def apply_bulk(
    work: BulkWork,
    objects: models.QuerySet[Any],
    *,
    actor: Actor,
    reason: str,
    seen: Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> BulkResult:
    """Do the work to the objects as one changeset.

    With `seen` (of a plan) nothing is done unless the selection is still what that plan was made for. Raises
    NothingSelected, PlanMoved, BulkRefused or Busy, each with its sentence; nothing is written then.
    """
    if work.deletes(options or {}) and may_prepare(objects.db):
        _prepare(work, objects, actor, options)

    def attempt(remarks: dict[str, bool]) -> BulkResult:
        with (
            changeset(kind=work.kind, actor=actor, reason=reason) as opened,
            alone(opened),
            selecting(objects) as selection,
        ):
            plan, selection = _plan(work, selection, options or {})
            if seen is not None and seen != plan.seen:
                raise _moved(seen, plan, selection)
            if plan.refusal:
                raise BulkRefused(plan.refusal)
            if plan.number:
                plan = _write(work, selection, plan, options or {})
            opened.summary = {"bulk": summary_of(plan, objects.model), **remarks}
        return BulkResult(opened if opened.pk else None, plan)

    with patience(PATIENCE):
        return again_once(attempt)


def _write(work: BulkWork, selection: Selection, plan: BulkPlan, options: Options) -> BulkPlan:
    """Write, and return the plan that was followed: without the objects that the database refuses all the same."""
    blocked = list(plan.blocked)
    while True:
        try:
            with transaction.atomic():
                work.write(selection, plan, options)
        except REFUSED as error:
            found = _refused(work, selection, options) if work.one_by_one else []
            if not found or sum(len(keys) for keys, _ in found) == selection.number:
                raise BulkRefused(
                    f"Blocked by {constraint_of(error)}: some of {plan.objects} would break that rule of the database. "
                    "Nothing was changed; select the others alone."
                ) from error
        else:
            return plan
        gone = {key: constraint for keys, constraint in found for key in keys}
        selection = selection.only([key for key in selection.keys_in_order() if key not in gone])
        for constraint in dict.fromkeys(gone.values()):
            keys = [key for key, other in gone.items() if other == constraint]
            names = sample_of(selection.model._base_manager.filter(pk__in=keys[:SAMPLE]))
            blocked.append(left_out(constraint, len(keys), names))
        now = leaving_out(work.plan(selection, options), blocked)
        plan = replace(now, selected=plan.selected, seen=plan.seen)


def _refused(work: BulkWork, selection: Selection, options: Options) -> list[tuple[Sequence[Any], str]]:
    """Return the objects that the database refuses to change, by the rule that each would break."""

    def attempt(keys: Sequence[Any]) -> str:
        temps = list(selection.temps)
        try:
            with transaction.atomic():
                few = selection.only(keys)
                work.write(few, work.plan(few, options), options)
                transaction.set_rollback(True)
        except REFUSED as error:
            return constraint_of(error)
        finally:
            # They came back with the rollback.
            selection.temps[:] = temps
        return ""

    return refused_among(selection.keys_in_order(), attempt)


def _prepare(work: BulkWork, objects: models.QuerySet[Any], actor: Actor, options: Options | None) -> None:
    """Make a backup first, or what else other apps added, where more than one object would be deleted."""
    plan = plan_bulk(work, objects, options)
    deleted = sum(line.number or 0 for line in plan.lines if line.sign == "deleted")
    if deleted > 1 and not plan.refusal:
        prepare(Coming(work.kind, actor, f"the deletion of {plan.objects}", objects.db, objects=deleted))


def _plan(work: BulkWork, selection: Selection, options: Options) -> tuple[BulkPlan, Selection]:
    """Return the plan, and what it is about: the selection without the objects that would break a rule."""
    if not selection.number:
        raise NothingSelected(
            f"No {selection.model._meta.verbose_name} is selected, or what was selected is gone by now: "
            "nothing was changed. Look at the list again."
        )
    plan, selected = work.plan(selection, options), selection.number
    if work.one_by_one and plan.number:
        plan, selection = _without_blocked(work, plan, selection, options)
    seen = {
        "number": selected,
        "objects": [selection.seen, plan.also_seen, *(line.number for line in plan.lines)],
        "chosen": {name: str(value) for name, value in options.items()},
    }
    return replace(plan, selected=selected, seen=seen), selection


def _without_blocked(
    work: BulkWork, plan: BulkPlan, selection: Selection, options: Options
) -> tuple[BulkPlan, Selection]:
    whole, objects = selection.number, plan.objects
    blocked, selection = foresee(selection, lambda: work.write(selection, plan, options))
    if blocked:
        plan = leaving_out(work.plan(selection, options), blocked)
    if sum(listed.number for listed in blocked) == whole:
        rules = ", ".join(listed.why.removeprefix(LEFT_OUT) for listed in blocked)
        refusal = f"Blocked by {rules}: {objects} would break that rule of the database. Nothing was changed."
        plan = replace(plan, refusal=refusal)
    return plan, selection


def _moved(seen: Mapping[str, Any], plan: BulkPlan, selection: Selection) -> ChangesetError:
    """Return the refusal that says what changed since the plan was shown, or that something else was chosen."""
    names = selection.model._meta.verbose_name_plural
    same_objects = seen["objects"][0] == plan.seen["objects"][0]
    if same_objects and seen["chosen"] != plan.seen["chosen"]:
        return BulkRefused("This is the plan of what you chose now: look at it, then confirm. Nothing was changed yet.")
    if seen["number"] != selection.number:
        why = f"you saw {seen['number']:,} {names}, and by now it is {selection.number:,}"
    else:
        why = f"somebody changed some of these {names}, or what belongs to them, meanwhile"
    return PlanMoved(why, NOUN)
