"""A large plan is made once: its numbers and its rows are remembered for the state of the tables, and paged from there.

They stand in the cache of dear figures (`history/cache.py`): reading a plan writes nothing to the database, whoever
asks for the same plan has the same one, it expires by itself, and any recorded write makes it another. The rows are cut
into a few chunks. Where one is missing the plan is made anew: what is shown is whole, and of now.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from apps.changesets.history.cache import recalled, remember, state_of_tables
from apps.changesets.models import Changeset
from apps.changesets.revert.listing import EVERY_BUCKET, PlannedRow, explain, list_rows
from apps.changesets.revert.plan import find_revertable, merge_copies
from apps.changesets.revert.reasons import Row
from apps.changesets.revert.scoping import check_scope
from apps.changesets.revert.seen import newest_seen
from apps.changesets.revert.verdicts import Bucket, Cause, OnConflict, RevertPlan, Scope, Verdict, Window
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

# A plan of no more objects is made for each page: it takes no time, and also sees what no history tells of.
FEW = 300
# The cache drops entries at random when it has too many, so that a plan is few of them, however large.
MOST_CHUNKS = 12
SMALLEST_CHUNK = 2000


@dataclass(frozen=True)
class Place:
    """Which rows of a plan are shown: those of a bucket from the one numbered `start`, at most `limit`."""

    bucket: Bucket
    start: int
    limit: int


@dataclass(frozen=True)
class PagedPlan:
    """The numbers of a plan, the place in it that is shown, and the verdicts there.

    `seen` is the newest history row of each table when the plan was made.
    """

    head: RevertPlan
    seen: dict[str, int]
    place: Place
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Head:
    """What is remembered of a plan besides its rows; `mark` is in the names of its chunks, used by no other plan."""

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

    def places(self, shown: Place) -> range:
        """Return the numbers of the rows that are shown, among all rows."""
        before = EVERY_BUCKET[: EVERY_BUCKET.index(shown.bucket)]
        start = sum(self.plan.number(bucket) for bucket in before)
        stop = min(shown.start + shown.limit, self.plan.number(shown.bucket))
        return range(start + shown.start, start + max(shown.start, stop))


def paged_plan(
    changesets: Sequence[Changeset],
    *,
    scope: Scope,
    on_conflict: OnConflict,
    choose: Callable[[RevertPlan], Place],
    using: str = "default",
) -> PagedPlan:
    """Return the plan of reverting the changesets with the rows of one bucket that `choose` asks for.

    Raises what `plan_revert` raises, and Busy where somebody writes for long.
    """
    state, name = state_of_tables(using=using), _name(changesets, scope, on_conflict)
    head: _Head | None = recalled(name, state)
    rows = None if head is None else _recalled_rows(head, state, choose(head.plan))
    if head is None or rows is None:
        head, rows = _make(changesets, scope, on_conflict, choose, remembered_as=(name, state), using=using)
    verdicts = explain(rows, chosen=set(head.plan.changesets), using=using)
    return PagedPlan(head.plan, head.seen, choose(head.plan), tuple(verdicts))


def _name(changesets: Sequence[Changeset], scope: Scope, on_conflict: OnConflict) -> str:
    """Return what the plan is remembered as; what can be reverted also depends on what became of the changesets."""
    asked = [(one.pk, one.status, one.pruned_at is None) for one in changesets], scope, str(on_conflict)
    return f"revert-plan-{sha256(repr((_shape(), asked)).encode()).hexdigest()[:20]}"


def _shape() -> list[tuple[str, list[str]]]:
    """Return what the remembered values are made of: those of another release are other plans, and never read."""
    kinds: tuple[type, ...] = (_Head, RevertPlan, PlannedRow, Row, Cause)
    return [(f"{kind.__module__}.{kind.__qualname__}", list(kind.__annotations__)) for kind in kinds]


def _recalled_rows(head: _Head, state: str, shown: Place) -> list[PlannedRow] | None:
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
    choose: Callable[[RevertPlan], Place],
    *,
    remembered_as: tuple[str, str],
    using: str,
) -> tuple[_Head, list[PlannedRow]]:
    """Make the plan, and remember it where it is large and nobody wrote meanwhile; return it with the window's rows."""
    # Read before the plan is made: what is written meanwhile counts as moved, never as seen.
    seen = newest_seen(using=using)
    targets = find_revertable(changesets, using=using)
    check_scope(scope)
    sql = Sql(using)
    plan, touched = merge_copies(sql, targets, scope=scope, on_conflict=on_conflict)
    head = _Head(secrets.token_hex(8), plan, seen)
    shown, numbers = choose(plan), set(plan.changesets)
    if head.total <= FEW:
        window = Window(shown.bucket, shown.start, shown.limit)
        return head, list(list_rows(sql, touched, window=window, chosen=numbers))
    name, state = remembered_as
    places, rows = head.places(shown), []
    for number, chunk in enumerate(_chunks(_all_rows(sql, touched, head, numbers), head.chunk_size)):
        first = number * head.chunk_size
        rows += chunk[max(0, places.start - first) : max(0, places.stop - first)]
        remember(head.chunk_name(number), state, chunk)
    # Last, so that no plan is found that has not all its rows yet.
    if state_of_tables(using=using) == state:
        remember(name, state, head)
    return head, rows


def _all_rows(sql: Sql, touched: list[Tracked], head: _Head, chosen: set[int]) -> Iterable[PlannedRow]:
    for bucket in EVERY_BUCKET:
        if number := head.plan.number(bucket):
            yield from list_rows(sql, touched, window=Window(bucket, 0, number), chosen=chosen)


def _chunks(rows: Iterable[PlannedRow], size: int) -> Iterable[list[PlannedRow]]:
    chunk: list[PlannedRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
