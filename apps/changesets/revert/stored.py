"""The plan of a revert, stored for the person who is shown it: made once, and read page by page.

Any recorded write makes another plan of it. A small one is made for each showing: that takes no time, and also sees
what no history tells of.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from apps.changesets.history.cache import state_of_tables
from apps.changesets.models import Changeset, StoredPlan
from apps.changesets.plans.storing import plan_numbered, plan_of, store
from apps.changesets.processes.locking import lock_tracked_tables, patience
from apps.changesets.processes.progress import Progress, quiet
from apps.changesets.revert.plan import check_scope, load_revertable, merge_copies, refuse_unless_all_revertable
from apps.changesets.revert.rows import count_fields, fill_rows
from apps.changesets.revert.verdicts import OnConflict, RevertPlan, Scope
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

ACT = "revert"
# A plan of no more objects is made for each page.
FEW = 300
# A page waits so long for somebody who is writing; a large import takes longer.
PATIENCE_SECONDS = 3


@dataclass(frozen=True)
class ShownPlan:
    """The numbers of a plan, its stored rows, how many objects change in which field; whether it was or is out of date.

    `seen` is the newest history row of each table when the plan was made.
    """

    head: RevertPlan
    stored: StoredPlan
    fields: dict[str, dict[str, int]]
    was_stale: bool = False
    is_stale: bool = False

    @property
    def seen(self) -> dict[str, int]:
        seen: dict[str, int] = self.stored.seen
        return seen


def planned_revert(
    changesets: Sequence[Changeset],
    *,
    scope: Scope,
    on_conflict: OnConflict,
    actor: User,
    leave: Callable[[StoredPlan], bool] | None = None,
    progress: Progress = quiet,
) -> ShownPlan:
    """Return the person's plan of reverting the changesets: the stored one, or one that is made and stored now.

    One that has to be made is given to `leave` first, which raises where it is left to a worker, or says that the one
    from before something changed is shown. The changesets are as they were read in this request. Raises what
    `plan_revert` raises, and Busy where somebody writes for long.
    """
    refuse_unless_all_revertable(changesets)
    check_scope(scope)
    stored = asked_of(changesets, scope=scope, on_conflict=on_conflict, actor=actor)
    state = state_of_tables()
    if stored.state == state and (leave is not None or sum(stored.head["counts"].values()) > FEW):
        return _shown(stored)
    if leave is not None and leave(stored):
        return _shown(stored, is_stale=True)
    before = dict(stored.head) if stored.state not in ("", state) else {}
    # Read before the plan is made: what is written meanwhile counts as moved, never as seen.
    seen, sql = newest_seen(), Sql()
    targets = load_revertable(changesets)
    plan, touched = merge_copies(sql, targets, scope=scope, on_conflict=on_conflict, progress=progress)
    chosen = set(plan.changesets)
    head = {name: value for name, value in asdict(plan).items() if name in ("changesets", "counts", "models", "partly")}
    head["fields"] = count_fields(sql, touched)
    progress("store", 0)
    stored = store(
        stored,
        # What was written meanwhile makes it out of date at once.
        state=state if state_of_tables() == state else "?",
        seen=seen,
        head=head,
        fill=lambda saved: fill_rows(sql, saved, touched, chosen=chosen),
    )
    # Of a small one, which is made each time, only other numbers are news.
    told = before and (sum(plan.counts.values()) > FEW or any(before[of] != head[of] for of in ("counts", "fields")))
    return _shown(stored, was_stale=bool(told))


def asked_of(changesets: Sequence[Changeset], *, scope: Scope, on_conflict: OnConflict, actor: User) -> StoredPlan:
    """Return the person's stored plan of this revert, or one that is not saved yet."""
    asked = {"scope": {name: list(keys) for name, keys in asdict(scope).items()}, "on_conflict": str(on_conflict)}
    return plan_of(actor, ACT, about_of(changesets), asked)


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


def _shown(stored: StoredPlan, *, was_stale: bool = False, is_stale: bool = False) -> ShownPlan:
    head: dict[str, Any] = dict(stored.head)
    fields = head.pop("fields")
    head.pop("by_model")
    plan = RevertPlan(
        scope=scope_of(stored),
        on_conflict=OnConflict(stored.asked["on_conflict"]),
        **head | {"changesets": tuple(head["changesets"])},
    )
    return ShownPlan(plan, stored, fields, was_stale, is_stale)
