"""Bringing objects back: deleted ones from the recycle bin, and an object to one of its old versions.

Both go through the working copies of a revert, so that missing links and taken values are found before anything is
written, and the plan that is shown is made by the code that does it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User

from apps.changesets.context import changeset
from apps.changesets.errors import NothingToRestore, PlanMoved
from apps.changesets.history.cache import state_of_tables
from apps.changesets.history.recycle_bin import still_deleted
from apps.changesets.models import Actor, Changeset, Kind, StoredPlan
from apps.changesets.plans.storing import plan_of, show_once
from apps.changesets.processes.locking import alone
from apps.changesets.revert.blocking import settle
from apps.changesets.revert.matching import copy_of
from apps.changesets.revert.obstacles import Obstacle, obstacles_of
from apps.changesets.revert.rows import fill_rows
from apps.changesets.revert.run import write_copies
from apps.changesets.revert.working import start_working_copy
from apps.changesets.rights import Sees, all_seen
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

ACT = "bring-back"
# What is to come back: history_ids of deletions by model label.
Picked = dict[str, list[int]]


@dataclass(frozen=True)
class Returning:
    """One deleted object of a plan: its last row, and its obstacles (none when it comes back)."""

    model: str
    row: Any
    obstacles: tuple[Obstacle, ...]

    @property
    def comes_back(self) -> bool:
        return not self.obstacles


@dataclass(frozen=True)
class RestorePlan:
    """What bringing the picked objects back would do; `gone` of them are not in the recycle bin any more."""

    objects: tuple[Returning, ...]
    gone: int

    @property
    def coming(self) -> int:
        return sum(returning.comes_back for returning in self.objects)

    @property
    def blocked(self) -> int:
        return len(self.objects) - self.coming

    @property
    def seen(self) -> str:
        """The state of the plan: a short text of the deletions, and of which of them come back."""
        state = sorted([returning.model, returning.row.history_id, returning.comes_back] for returning in self.objects)
        return sha256(repr(state).encode()).hexdigest()


def plan_restore(picked: Picked, *, sees: Sees = all_seen) -> RestorePlan:
    """Return which of the picked deletions come back and which are blocked; writes only temporary tables."""
    plan, _touched = _plan(Sql(), picked, sees)
    return plan


def number_of(picked: Picked) -> int:
    """Return how many deletions are picked."""
    return sum(len(set(ids)) for ids in picked.values())


def restore_asked(picked: Picked, *, actor: User) -> StoredPlan:
    """Return the person's stored plan of bringing these back, or one that is not saved yet."""
    return plan_of(actor, ACT, sorted([label, *rows] for label, rows in picked.items()), {})


def shown_restore(picked: Picked, *, actor: User, sees: Sees) -> tuple[RestorePlan, StoredPlan]:
    """Return the same plan, and its rows for the person who is shown them; they are not stored."""
    sql, state = Sql(), state_of_tables()
    plan, touched = _plan(sql, picked, sees)
    unmade = restore_asked(picked, actor=actor)
    shown = show_once(unmade, state=state, seen={}, head={}, fill=lambda of: fill_rows(sql, of, touched, chosen=()))
    return plan, shown


def restore_deleted(picked: Picked, *, actor: Actor, reason: str, seen: Any = None) -> Changeset:
    """Bring the objects back with their keys and every value, as one changeset; what is blocked stays deleted.

    Raises NothingToRestore when none of them can come back, and PlanMoved when `seen`, a plan's mark, is not that of
    the plan as it is now.
    """
    sql = Sql()
    with changeset(kind=Kind.RESTORE, actor=actor, reason=reason) as opened, alone(opened):
        plan, touched = _plan(sql, picked)
        if seen is not None and plan.seen != seen:
            raise PlanMoved("rows changed since the plan was shown")
        if not plan.coming:
            raise NothingToRestore("None of these can come back now: nothing was restored.")
        if write_copies(sql, touched):
            plan = replace(plan, objects=_judged_again(sql, plan, touched))
            if not plan.coming:
                whys = {obstacle.why for returning in plan.objects for obstacle in returning.obstacles}
                raise NothingToRestore(f"Nothing was restored: {'; '.join(sorted(whys))}.")
        blocked = [returning for returning in plan.objects if returning.obstacles]
        opened.summary = {
            "restore": {"recreated": plan.coming, "blocked": plan.blocked, "there": plan.gone},
            "left_alone": [
                {
                    "model": returning.model,
                    "object": str(returning.row.instance),
                    "why": [asdict(o) for o in returning.obstacles],
                }
                for returning in blocked
            ],
        }
    return opened


def _plan(sql: Sql, picked: Picked, sees: Sees = all_seen) -> tuple[RestorePlan, list[Tracked]]:
    rows_of: list[tuple[Tracked, list[Any]]] = []
    for tracked in tracked_models():
        rows = list(still_deleted(tracked, picked[tracked.label], using=sql.using)) if tracked.label in picked else []
        if rows:
            start_working_copy(sql, tracked)
            bring_back_in_copy(sql, tracked, [row.history_id for row in rows])
            rows_of.append((tracked, rows))
    touched = [tracked for tracked, _ in rows_of]
    settle(sql, touched)
    objects = [returning for tracked, rows in rows_of for returning in _judged(sql, tracked, rows, sees)]
    return RestorePlan(tuple(objects), number_of(picked) - len(objects)), touched


def bring_back_in_copy(sql: Sql, tracked: Tracked, rows: Sequence[int]) -> None:
    """Put objects that are gone into the model's working copy, as these history rows have them."""
    copy_of(sql, tracked).run(
        """
        INSERT INTO {working} (w_present, w_verdict, {columns})
        SELECT TRUE, {recreated}, {columns} FROM {history} WHERE history_id IN ({marks})
        """,
        rows,
        marks=sql.marks(rows),
    )


def _judged_again(sql: Sql, plan: RestorePlan, touched: list[Tracked]) -> tuple[Returning, ...]:
    """Return the objects of a plan after rows were blocked that the database refused."""
    rows = {tracked: [of.row for of in plan.objects if of.model == tracked.label] for tracked in touched}
    return tuple(returning for tracked in touched for returning in _judged(sql, tracked, rows[tracked], all_seen))


def _judged(sql: Sql, tracked: Tracked, rows: list[Any], sees: Sees) -> list[Returning]:
    pk = tracked.model._meta.pk.attname
    blocked = set(copy_of(sql, tracked).firsts("SELECT {pk} FROM {working} WHERE w_verdict = {blocked}"))
    stuck = [row for row in rows if getattr(row, pk) in blocked]
    named = dict(zip(map(id, stuck), obstacles_of(sql, tracked, stuck, sees=sees), strict=True))
    return [Returning(tracked.label, row, named.get(id(row), ())) for row in rows]
