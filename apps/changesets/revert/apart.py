"""Reverts of so many objects that a worker plans and carries them out: what is begun, stopped, and how it ends."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from apps.changesets.context import asked_for_by, asker
from apps.changesets.errors import ChangesetError, NotPermitted, PlanMoved, PlanUnderWay, WorkCancelled
from apps.changesets.history.cache import state_of_tables
from apps.changesets.models import Changeset, PlanWork, Proposal, StoredPlan
from apps.changesets.plans.storing import ask
from apps.changesets.plans.storing import key_of as key_of_act
from apps.changesets.processes.heart import Heart, beats, is_given_up
from apps.changesets.processes.progress import Progress
from apps.changesets.processes.watched import ask_to_stop, forget
from apps.changesets.revert.run import carry_out
from apps.changesets.revert.stored import ACT, planned_revert, same_revert, scope_of, size_of
from apps.changesets.revert.verdicts import OnConflict, Scope
from apps.changesets.rights import within_rights

# What a page does at once takes some seconds for as many objects.
AT_ONCE = 50_000
WAITING = {PlanWork.TO_PLAN: PlanWork.PLANNING, PlanWork.TO_APPLY: PlanWork.APPLYING}
BUSY = tuple(WAITING.values())
OVER = (PlanWork.NONE, PlanWork.APPLIED, PlanWork.FAILED, PlanWork.CANCELLED)
Enqueue = Callable[[int], Any]


def is_large(changesets: Sequence[Changeset], scope: Scope) -> bool:
    """Whether a worker reverts this part of them: some chosen rows are few, whatever they are of."""
    return size_of(changesets, scope) > AT_ONCE


def leave_planning(plan: StoredPlan, *, address: str, enqueue: Enqueue) -> None:
    """Leave the making of a plan to a worker, unless one is busy with it, or it is made and nothing changed since.

    `address` is the page that shows the plan.
    """
    if plan.work in OVER and plan.state != state_of_tables():
        _begin(ask(plan), PlanWork.TO_PLAN, enqueue, address=address)


def leave_revert(plan: StoredPlan, *, address: str, enqueue: Enqueue, reason: str, confirmed: Any) -> StoredPlan:
    """Leave the revert that a person confirmed to a worker; raises PlanMoved where one is busy with it already.

    Who asked for it, where somebody else did, goes along.
    """
    asked_by, name = asker()
    confirmed = {"seen": confirmed, "asked_by": asked_by.pk if asked_by else None, "asked_by_name": name}
    return _begin(ask(plan), PlanWork.TO_APPLY, enqueue, address=address, reason=reason, confirmed=confirmed)


def refuse_under_way(plan: StoredPlan) -> None:
    """Raise PlanUnderWay where a worker has to do with the plan, or did not come to its end with it."""
    failed = plan.work in (PlanWork.FAILED, PlanWork.CANCELLED) and not plan.state
    if plan.work not in OVER or failed:
        raise PlanUnderWay(plan)


def stop(plan: StoredPlan) -> None:
    """Cancel what waits for a worker, or ask the worker to stop; what a dead worker left has failed."""
    if is_dead(plan):
        _end(plan, PlanWork.FAILED, "Its worker stopped unexpectedly, and nothing was written.")
    elif plan.work in BUSY:
        ask_to_stop(key_of(plan))
    else:
        _end(plan, PlanWork.CANCELLED, "It was cancelled, and nothing was written.")


def is_dead(plan: StoredPlan) -> bool:
    """Whether the worker that is busy with the plan is gone, or hangs."""
    name, begun = key_of(plan), plan.begun_at or timezone.now()
    return plan.work in BUSY and is_given_up(name, name, begun, after=settings.IMPORTS_LEASE_SECONDS)


def key_of(plan: StoredPlan) -> str:
    """Return the name of the work with a plan."""
    return f"plan-{plan.pk}"


def do_work(pk: int) -> None:
    """Do what a plan waits for, if nobody else does; however it ends, the plan says so."""
    plan = StoredPlan.objects.filter(pk=pk, work__in=WAITING).select_related("actor").first()
    if plan is None or not _move(plan, WAITING[PlanWork(plan.work)], begun_at=timezone.now()):
        return
    changesets = list(Changeset.objects.filter(pk__in=plan.about).order_by("-pk"))
    number = size_of(changesets, Scope())
    heart = Heart(key_of(plan), connections["default"], dict.fromkeys(("compare", "write"), number))
    try:
        with beats(heart, key_of(plan)):
            done = (_plan if plan.work == PlanWork.PLANNING else _apply)(plan, changesets, heart)
    except WorkCancelled as cancelled:
        _end(plan, PlanWork.CANCELLED, str(cancelled))
    except ChangesetError as refusal:
        _end(plan, PlanWork.FAILED, str(refusal))
    except BaseException as error:
        _end(plan, PlanWork.FAILED, f"{type(error).__name__}: {error} Nothing was written.")
        raise
    else:
        _move(plan, PlanWork.APPLIED if plan.work == PlanWork.APPLYING else PlanWork.NONE, changeset=done, error="")
    forget(key_of(plan))


def _plan(plan: StoredPlan, changesets: list[Changeset], progress: Progress) -> None:
    policy = OnConflict(plan.asked["on_conflict"])
    planned_revert(changesets, scope=scope_of(plan), on_conflict=policy, actor=plan.actor, progress=progress)


def _apply(plan: StoredPlan, changesets: list[Changeset], progress: Progress) -> Changeset | None:
    actor = plan.actor
    if not actor.is_active or not actor.has_perm("changesets.revert_changeset"):
        raise NotPermitted(f"{actor.get_username()}, who confirmed this, may not revert any more. Nothing was written.")
    confirmed: dict[str, Any] = plan.confirmed or {}
    asked_by = User.objects.filter(pk=confirmed.get("asked_by") or 0).first()
    with within_rights(actor), asked_for_by(asked_by, confirmed.get("asked_by_name", "")):
        made, _done = carry_out(
            [changeset.pk for changeset in changesets],
            scope=scope_of(plan),
            on_conflict=plan.asked["on_conflict"],
            actor=actor,
            reason=plan.reason,
            # Of before there was a second person.
            seen=confirmed.get("seen", confirmed),
            progress=progress,
        )
    # Only now it is done: what was asked for stayed until here, for the case that this fails.
    Proposal.objects.filter(key=_proposed(plan)).delete()
    return made


def is_under_way(proposal: str) -> bool:
    """Whether a worker that lives does, or will do, what has this key of a Proposal."""
    left = StoredPlan.objects.filter(act=ACT, work__in=(PlanWork.TO_APPLY, PlanWork.APPLYING))
    return any(_proposed(plan) == proposal and not is_dead(plan) for plan in left)


def _proposed(plan: StoredPlan) -> str:
    return key_of_act(ACT, same_revert(plan))


def _begin(plan: StoredPlan, work: PlanWork, enqueue: Enqueue, **values: Any) -> StoredPlan:
    begun: datetime = timezone.now()
    values |= {"work": work, "begun_at": begun, "error": "", "changeset": None}
    if not StoredPlan.objects.filter(pk=plan.pk, work__in=OVER).update(**values):
        raise PlanMoved("a worker is busy with it already")
    forget(key_of(plan))
    enqueue(plan.pk)
    plan.refresh_from_db()
    return plan


def _end(plan: StoredPlan, work: PlanWork, error: str) -> None:
    _move(plan, work, error=error)
    forget(key_of(plan))


def _move(plan: StoredPlan, work: PlanWork, **values: Any) -> bool:
    """Move a plan on, unless somebody else has; return whether it was."""
    moved = StoredPlan.objects.filter(pk=plan.pk, work=plan.work).update(work=work, **values)
    if moved:
        vars(plan).update({name: value for name, value in values.items() if name != "changeset"}, work=work)
    return bool(moved)
