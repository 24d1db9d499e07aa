"""The plan of a revert: made when a person asks for it, stored for them, and read page by page.

Showing it stores nothing. A small one is made for each showing: that takes no time, and also sees what no history tells
of; a larger one is shown as it is stored.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from apps.changesets.errors import NotPlanned
from apps.changesets.history.cache import state_of_tables
from apps.changesets.history.counts import counts_of_many, total
from apps.changesets.models import Changeset, PlanWork, StoredPlan
from apps.changesets.plans.storing import plan_numbered, plan_of, show_once, store
from apps.changesets.processes.locking import lock_tracked_tables, patience
from apps.changesets.processes.progress import Progress, quiet
from apps.changesets.revert.plan import check_scope, load_revertable, merge_copies, refuse_unless_all_revertable
from apps.changesets.revert.rows import count_fields, fill_rows
from apps.changesets.revert.verdicts import OnConflict, RevertPlan, Scope
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

ACT = "revert"
# The plan of no more objects is made for each page.
FEW = 1000
# A page waits so long for somebody who is writing; a large import takes longer.
PATIENCE_SECONDS = 3


@dataclass(frozen=True)
class ShownPlan:
    """The numbers of a plan, its stored rows, how many objects change in which field; whether it is out of date.

    `seen` is the newest history row of each table when the plan was made.
    """

    head: RevertPlan
    stored: StoredPlan
    fields: dict[str, dict[str, int]]
    is_stale: bool = False

    @property
    def seen(self) -> dict[str, int]:
        seen: dict[str, int] = self.stored.seen
        return seen


def shown_revert(changesets: Sequence[Changeset], *, scope: Scope, on_conflict: OnConflict, actor: User) -> ShownPlan:
    """Return the plan of reverting the changesets as the person is shown it; nothing is stored.

    A large one may be out of date; NotPlanned is raised where the person has not had it made. Raises what `plan_revert`
    raises, and Busy where somebody writes for long.
    """
    stored = asked_of(changesets, scope=scope, on_conflict=on_conflict, actor=actor)
    if size_of(changesets, scope) <= FEW:
        return _made(stored, changesets, kept=False)
    if not stored.state:
        raise NotPlanned(stored)
    return _shown(stored, is_stale=stored.state != state_of_tables())


def planned_revert(
    changesets: Sequence[Changeset],
    *,
    scope: Scope,
    on_conflict: OnConflict,
    actor: User,
    address: str = "",
    progress: Progress = quiet,
) -> ShownPlan:
    """Return the same plan, made and stored now unless nothing was written since; `address` is the page that shows it.

    Raises what `plan_revert` raises, and Busy where somebody writes for long.
    """
    stored = asked_of(changesets, scope=scope, on_conflict=on_conflict, actor=actor)
    if stored.state == state_of_tables():
        return _shown(stored)
    return _made(stored, changesets, kept=True, address=address, progress=progress)


def waiting_plans(actor: User) -> list[ShownPlan]:
    """Return the person's stored plans that would write something and are as the tables are, newest first."""
    made = StoredPlan.objects.using("default").filter(actor=actor, act=ACT, work=PlanWork.NONE)
    stored = list(made.exclude(state="").exclude(address="").order_by("-made_at"))
    state = state_of_tables() if stored else ""
    plans = [_shown(plan) for plan in stored if plan.state == state]
    return [plan for plan in plans if plan.head.writes]


def size_of(changesets: Sequence[Changeset], scope: Scope) -> int:
    """Return how many objects this part of the changesets has at most: what they touched, or the chosen rows."""
    number = sum(map(total, counts_of_many(changesets).values()))
    return min(number, len(scope.pks)) if scope.pks else number


def _made(
    plan: StoredPlan, changesets: Sequence[Changeset], *, kept: bool, address: str = "", progress: Progress = quiet
) -> ShownPlan:
    """Make a plan now; its rows are kept, or there for this request alone."""
    state = state_of_tables()
    # Read before the plan is made: what is written meanwhile counts as moved, never as seen.
    seen, sql = newest_seen(), Sql()
    scope, on_conflict = scope_of(plan), OnConflict(plan.asked["on_conflict"])
    targets = load_revertable(changesets)
    made, touched = merge_copies(sql, targets, scope=scope, on_conflict=on_conflict, progress=progress)
    chosen = set(made.changesets)
    head = {name: value for name, value in asdict(made).items() if name in ("changesets", "counts", "models", "partly")}
    head["fields"] = count_fields(sql, touched)
    # What was written meanwhile makes it out of date at once.
    state = state if state_of_tables() == state else "?"

    def fill(plan: StoredPlan) -> None:
        fill_rows(sql, plan, touched, chosen=chosen)

    if not kept:
        return _shown(show_once(plan, state=state, seen=seen, head=head, fill=fill))
    progress("store", 0)
    return _shown(store(plan, state=state, seen=seen, head=head, fill=fill, address=address))


def asked_of(changesets: Sequence[Changeset], *, scope: Scope, on_conflict: OnConflict, actor: User) -> StoredPlan:
    """Return the person's stored plan of this revert, or one that is not saved yet.

    Raises NothingToRevert and EmptyScope; the changesets are as they were read in this request.
    """
    refuse_unless_all_revertable(changesets)
    check_scope(scope)
    asked = {"scope": {name: list(keys) for name, keys in asdict(scope).items()}, "on_conflict": str(on_conflict)}
    return plan_of(actor, ACT, about_of(changesets), asked)


def same_revert(stored: StoredPlan) -> list[Any]:
    """Return what a plan is of, as JSON has it: the same, whoever asks for it."""
    # In which order rows were ticked is nothing of the plan.
    scope = {name: sorted(keys) for name, keys in stored.asked["scope"].items()}
    return [stored.about, scope, stored.asked["on_conflict"]]


def scope_numbered(pk: int, changesets: Sequence[Changeset], *, actor: User) -> Scope:
    """Return the scope of the person's stored plan of this number; raises PlanMoved where it is gone."""
    return scope_of(plan_numbered(pk, actor=actor, act=ACT, about=about_of(changesets)))


def about_of(changesets: Sequence[Changeset]) -> list[int]:
    """Return what a plan is of, as it is stored."""
    return sorted(changeset.pk for changeset in changesets)


def newest_seen() -> dict[str, int]:
    """Return the newest history_id by model label; what is written later has a greater one.

    PostgreSQL hands numbers out before it commits, so nobody may be writing in the moment when they are read there:
    raises Busy with a sentence when somebody still is after a few seconds.
    """
    if connection.vendor == "sqlite":
        return _newest()
    with patience(PATIENCE_SECONDS), transaction.atomic():
        lock_tracked_tables(mode="SHARE")
        return _newest()


def _newest() -> dict[str, int]:
    return {
        tracked.label: tracked.history_model._base_manager.using("default").aggregate(
            newest=Coalesce(Max("history_id"), 0)
        )["newest"]
        for tracked in tracked_models()
    }


def scope_of(stored: StoredPlan) -> Scope:
    """Return the scope that a stored plan of a revert is of."""
    return Scope(**{name: tuple(keys) for name, keys in stored.asked["scope"].items()})


def _shown(stored: StoredPlan, *, is_stale: bool = False) -> ShownPlan:
    head: dict[str, Any] = dict(stored.head)
    fields = head.pop("fields")
    head.pop("by_model")
    plan = RevertPlan(
        scope=scope_of(stored),
        on_conflict=OnConflict(stored.asked["on_conflict"]),
        **head | {"changesets": tuple(head["changesets"])},
    )
    return ShownPlan(plan, stored, fields, is_stale)
