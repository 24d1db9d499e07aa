"""A large plan is made once: its numbers and its rows are cached for the state of the tables, and paged from there.

They are in the cache of costly figures (`history/cache.py`), the rows in a few chunks: reading a plan writes nothing to
the database, and any recorded write makes another plan. Where a chunk is missing, the plan is made again.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from apps.changesets.history.cache import recalled, remember, state_of_tables
from apps.changesets.models import Changeset
from apps.changesets.processes.locking import lock_tracked_tables, patience
from apps.changesets.revert.listing import EVERY_BUCKET, PlannedRow, explain, list_rows
from apps.changesets.revert.plan import check_scope, load_revertable, merge_copies
from apps.changesets.revert.reasons import Row
from apps.changesets.revert.verdicts import Cause, OnConflict, RevertPlan, Scope, Verdict, Window
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

# A plan of no more objects is made for each page: it takes no time, and also sees what no history tells of.
FEW = 300
# The cache drops entries at random when it has too many, so that a plan is few of them, however large.
MOST_CHUNKS = 12
SMALLEST_CHUNK = 2000
# A page waits so long for somebody who is writing; a large import takes longer.
PATIENCE_SECONDS = 3


@dataclass(frozen=True)
class PagedPlan:
    """The numbers of a plan, the window that is shown, and the verdicts in it.

    `seen` is the newest history row of each table when the plan was made.
    """

    head: RevertPlan
    seen: dict[str, int]
    window: Window
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Head:
    """The cached part of a plan besides its rows; `mark` is in the names of its chunks, and of no other plan."""

    mark: str
    plan: RevertPlan
    seen: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.plan.counts.values())

    @property
    def chunk_size(self) -> int:
        return max(SMALLEST_CHUNK, -(-self.total // MOST_CHUNKS))

    def chunk_name(self, number: int) -> str:
        return f"revert-plan-{self.mark}-{number}"

    def places(self, shown: Window) -> range:
        """Return the numbers of the rows that are shown, among all rows."""
        place = EVERY_BUCKET.index(shown.bucket or EVERY_BUCKET[0])
        start = sum(self.plan.number(bucket) for bucket in EVERY_BUCKET[:place])
        stop = min(shown.start + shown.limit, self.plan.number(EVERY_BUCKET[place]))
        return range(start + shown.start, start + max(shown.start, stop))


def paged_plan(
    changesets: Sequence[Changeset], *, scope: Scope, on_conflict: OnConflict, choose: Callable[[RevertPlan], Window]
) -> PagedPlan:
    """Return the plan of reverting the changesets with the rows of one bucket that `choose` asks for.

    Raises what `plan_revert` raises, and Busy where somebody writes for long.
    """
    state, name = state_of_tables(), _name(changesets, scope, on_conflict)
    head: _Head | None = recalled(name, state)
    rows = None if head is None else _recalled_rows(head, state, choose(head.plan))
    if head is None or rows is None:
        head, rows = _make(changesets, scope, on_conflict, choose, remembered_as=(name, state))
    verdicts = explain(rows, chosen=set(head.plan.changesets))
    return PagedPlan(head.plan, head.seen, choose(head.plan), tuple(verdicts))


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


def _name(changesets: Sequence[Changeset], scope: Scope, on_conflict: OnConflict) -> str:
    """Return the name of the plan in the cache; it also depends on the status of the changesets."""
    parameters = (
        [(changeset.pk, changeset.status, changeset.pruned_at is None) for changeset in changesets],
        scope,
        str(on_conflict),
    )
    return f"revert-plan-{sha256(repr((_shape(), parameters)).encode()).hexdigest()[:20]}"


def _shape() -> list[tuple[str, list[str]]]:
    """Return what the cached values are made of: those of another release have another name, and are never read."""
    kinds: tuple[type, ...] = (_Head, RevertPlan, PlannedRow, Row, Cause)
    return [(f"{kind.__module__}.{kind.__qualname__}", list(kind.__annotations__)) for kind in kinds]


def _recalled_rows(head: _Head, state: str, shown: Window) -> list[PlannedRow] | None:
    """Return the rows that are shown; None when a chunk with some of them is not remembered any more."""
    places, size, rows = head.places(shown), head.chunk_size, []
    if not places:
        return []
    for number in range(places.start // size, (places.stop - 1) // size + 1):
        chunk = recalled(head.chunk_name(number), state)
        if chunk is None:
            return None
        rows += chunk[max(0, places.start - number * size) : places.stop - number * size]
    return rows if len(rows) == len(places) else None


def _make(
    changesets: Sequence[Changeset],
    scope: Scope,
    on_conflict: OnConflict,
    choose: Callable[[RevertPlan], Window],
    *,
    remembered_as: tuple[str, str],
) -> tuple[_Head, list[PlannedRow]]:
    """Make the plan and the rows of the window; cache it where it is large and nobody wrote meanwhile."""
    # Read before the plan is made: what is written meanwhile counts as moved, never as seen.
    seen = newest_seen()
    targets = load_revertable(changesets)
    check_scope(scope)
    sql = Sql()
    plan, touched = merge_copies(sql, targets, scope=scope, on_conflict=on_conflict)
    head = _Head(secrets.token_hex(8), plan, seen)
    shown, numbers = choose(plan), set(plan.changesets)
    if head.total <= FEW:
        return head, list(list_rows(sql, touched, window=shown, chosen=numbers))
    name, state = remembered_as
    places, rows = head.places(shown), []
    planned = iter(_all_rows(sql, touched, head, numbers))
    for number, chunk in enumerate(iter(lambda: list(islice(planned, head.chunk_size)), [])):
        first = number * head.chunk_size
        rows += chunk[max(0, places.start - first) : max(0, places.stop - first)]
        remember(head.chunk_name(number), state, chunk)
    # Last, so that no plan is found that has not all its rows yet.
    if state_of_tables() == state:
        remember(name, state, head)
    return head, rows


def _all_rows(sql: Sql, touched: list[Tracked], head: _Head, chosen: set[int]) -> Iterable[PlannedRow]:
    for bucket in EVERY_BUCKET:
        if number := head.plan.number(bucket):
            yield from list_rows(sql, touched, window=Window(bucket, 0, number), chosen=chosen)
