"""The rows of a stored plan by bucket, field and text; the counts come with the plan and are not counted again."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.changesets.text import whole_number
from apps.imports.errors import RunRefused
from apps.imports.models import Decision, ImportRun, PlannedRow, RefusedCell, RowKind, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import why_not_decide
from apps.imports.runs.states import changed_rows


class Bucket(StrEnum):
    """The parts of a plan that its page shows; some contain others."""

    NEW = "new"
    CHANGED = "changed"
    RENAMED = "renamed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REFUSED = "refused"
    DISPUTED = "disputed"
    MISSING = "missing"
    SUPERSEDED = "superseded"
    DELETED_HERE = "deleted-here"
    DECIDED = "decided"
    LEFT_ALONE = "left-alone"


# Which rows a bucket has, and which of the plan's counts says how many; without one they are few and are counted.
_ROWS: dict[Bucket, tuple[Q, str]] = {
    Bucket.NEW: (Q(kind=RowKind.NEW), "created"),
    Bucket.CHANGED: (Q(kind=RowKind.CHANGED), "updated"),
    Bucket.RENAMED: (Q(renamed=True), "renamed"),
    Bucket.UNCHANGED: (Q(kind=RowKind.UNCHANGED), "unchanged"),
    Bucket.KEPT: (Q(kept=True), "kept"),
    Bucket.REFUSED: (Q(kind=RowKind.REFUSED), "refused"),
    Bucket.DISPUTED: (Q(disputed__isnull=False), "disputed"),
    Bucket.MISSING: (Q(kind=RowKind.MISSING), "missing"),
    Bucket.SUPERSEDED: (Q(kind=RowKind.MISSING, superseded=True), "superseded"),
    Bucket.DELETED_HERE: (Q(deleted_here=True), "deleted_here"),
    Bucket.DECIDED: (~Q(decision=Decision.NONE), ""),
    Bucket.LEFT_ALONE: (~Q(left_alone=""), ""),
}
# What each decision can be about.
_ABOUT = {
    Decision.NONE: ~Q(decision=Decision.NONE),
    Decision.TAKE: Q(kept=True),
    Decision.KEEP: Q(kept=True),
    Decision.ID: Q(disputed__may_id=True),
    Decision.IDENT: Q(disputed__may_ident=True),
    Decision.LEAVE: Q(disputed__isnull=False) | Q(kind__in=(RowKind.NEW, RowKind.CHANGED, RowKind.MISSING)),
}


@dataclass(frozen=True)
class Wanted:
    """Which rows of a plan are asked for."""

    bucket: Bucket
    field: str = ""
    text: str = ""

    @property
    def filtered(self) -> bool:
        """Whether the plan's own counts do not tell how many they are."""
        return bool(self.field or self.text)


def bucket_counts(run: ImportRun) -> dict[Bucket, int]:
    """Return how many rows each bucket has; empty ones are left out. Two short queries at most."""
    counts = run.counts or {}
    numbers = {bucket: counts.get(name, 0) for bucket, (_rows, name) in _ROWS.items() if name}
    numbers[Bucket.DECIDED] = run.rows.filter(_ROWS[Bucket.DECIDED][0]).count()
    if run.status == RunStatus.APPLIED:
        numbers[Bucket.LEFT_ALONE] = run.rows.filter(_ROWS[Bucket.LEFT_ALONE][0]).count()
    return {bucket: number for bucket, number in numbers.items() if number}


def rows_of(run: ImportRun, wanted: Wanted) -> QuerySet[PlannedRow]:
    """Return the rows asked for, in the order of the plan."""
    rows = PlannedRow.objects.filter(_ROWS[wanted.bucket][0], run=run)
    if wanted.field and wanted.bucket == Bucket.REFUSED:
        cells = RefusedCell.objects.filter(run=run, line=OuterRef("line"), column=wanted.field)
        rows = rows.filter(Exists(cells))
    elif wanted.field:
        rows = rows.filter(Q(changes__has_key=wanted.field) | Q(kept_values__has_key=wanted.field))
    if wanted.text:
        text = wanted.text
        rows = rows.filter(
            Q(new_pk__icontains=text) | Q(label__icontains=text) | Q(old_pk__icontains=text) | _on_line(text)
        )
    return rows.order_by("id")


def page_of(run: ImportRun, wanted: Wanted, *, start: int, limit: int, number: int) -> tuple[list[PlannedRow], int]:
    """Return some of the rows asked for, and how many there are; `number` is what the plan's counts say of the bucket.

    The keys of the page are found first, so that the rows before it are not read.
    """
    rows = rows_of(run, wanted)
    if wanted.filtered:
        number = rows.count()
    keys = list(rows.values_list("pk", flat=True)[start : start + limit])
    planned = PlannedRow.objects.defer("payload").in_bulk(keys)
    return [planned[key] for key in keys], number


def changes_of(run: ImportRun) -> int:
    """Return how many objects applying the plan as decided would write."""
    left = run.rows.filter(decision=Decision.LEAVE, disputed__isnull=True)
    if ImportOptions.from_json(run.options).missing == "report":
        # Nothing would happen to them either way.
        left = left.exclude(kind=RowKind.MISSING, superseded=False)
    return max(0, changed_rows(run) - left.count())


def decide(run: ImportRun, rows: Iterable[int], decision: Decision, *, actor: User) -> int:
    """Record what a person decided about some rows of a plan; returns how many it is about.

    Rows that the decision says nothing about stay as planned. Raises RunRefused when the plan is not to be reviewed any
    more, or not by this person.
    """
    return _decide(run, PlannedRow.objects.filter(run=run, pk__in=list(rows)), decision, actor)


def decide_all(run: ImportRun, wanted: Wanted, decision: Decision, *, actor: User) -> int:
    """Record what a person decided about all rows that are asked for; see `decide`."""
    return _decide(run, rows_of(run, wanted).order_by(), decision, actor)


@transaction.atomic
def _decide(run: ImportRun, rows: QuerySet[PlannedRow], decision: Decision, actor: User) -> int:
    if why := why_not_decide(actor, run):
        raise RunRefused(why)
    # The lock keeps others from confirming the plan now; a page that shows the plan from before cannot confirm it.
    run.refresh_from_db(from_queryset=ImportRun.objects.select_for_update(of=("self",)))
    if run.status != RunStatus.PLANNED:
        raise RunRefused(
            f"{run} is {run.get_status_display().lower()}: only a plan to be reviewed can be decided about."
        )
    by = actor.get_username() if decision else ""
    number = rows.filter(_ABOUT[decision]).update(decision=decision, decided_by_name=by)
    summary = run.summary or {}
    run.summary = {**summary, "decisions": summary.get("decisions", 0) + 1}
    run.save(update_fields=["summary"])
    return number


def _on_line(text: str) -> Q:
    number = whole_number(text.removeprefix("line ").strip(), digits=9)
    return Q(pk__in=[]) if number is None else Q(line=number)
