"""The rows of a stored plan by bucket, field and text; the counts come with the plan and are not counted again."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.changesets.folding import folded
from apps.changesets.text import whole_number
from apps.imports.errors import RunRefused
from apps.imports.models import FAR_KM, Decision, ImportRun, PlannedRow, RefusedCell, RowKind, RunStatus
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import why_not_decide
from apps.imports.runs.states import changed_rows


class Bucket(StrEnum):
    """The parts of a plan that its page shows; some contain others."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
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
    # What is new and what changes: where rows of both are asked for by what they are linked to, or by a finding.
    WRITTEN = "written"


# Which rows a bucket has, and which of the plan's counts says how many; without one they are few and are counted.
_ROWS: dict[Bucket, tuple[Q, str]] = {
    Bucket.NEW: (Q(kind=RowKind.NEW), "created"),
    Bucket.CHANGED: (Q(kind=RowKind.CHANGED), "updated"),
    Bucket.RENAMED: (Q(renamed=True), "renamed"),
    Bucket.UNCHANGED: (Q(kind=RowKind.UNCHANGED), "unchanged"),
    Bucket.KEPT: (Q(kept=True), "kept"),
    Bucket.REFUSED: (Q(kind=RowKind.REFUSED), "refused"),
    Bucket.DISPUTED: (Q(disputed__isnull=False), "disputed"),
    Bucket.MOVED: (Q(moved_km__gte=FAR_KM), "moved"),
    Bucket.WRITTEN: (Q(kind__in=(RowKind.NEW, RowKind.CHANGED)), "written"),
    Bucket.MISSING: (Q(kind=RowKind.MISSING), "missing"),
    Bucket.SUPERSEDED: (Q(kind=RowKind.MISSING, superseded=True), "superseded"),
    Bucket.DELETED_HERE: (Q(deleted_here=True), "deleted_here"),
    Bucket.DECIDED: (~Q(decision=Decision.NONE), ""),
    Bucket.LEFT_ALONE: (~Q(left_alone=""), ""),
}
# A refused cell of a row whose rest is taken is refused all the same.
_CELLS = Exists(RefusedCell.objects.filter(run=OuterRef("run"), line=OuterRef("line")))
_ORDERS = {Bucket.MOVED: ("-moved_km", "id")}
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
    # The link that they make, what a check found that they are concerned by, and whether slight moves are hidden.
    link: str = ""
    check: str = ""
    far: bool = False

    @property
    def filtered(self) -> bool:
        """Whether the plan's own counts do not tell how many they are."""
        return bool(self.field or self.text or self.link or self.check or self.far)


def bucket_counts(run: ImportRun) -> dict[Bucket, int]:
    """Return how many rows each bucket has; empty ones are left out. Two short queries at most."""
    counts = {**(run.counts or {}), "moved": figures_of(run).get("moved", 0)}
    counts["written"] = counts.get("created", 0) + counts.get("updated", 0)
    numbers = {bucket: counts.get(name, 0) for bucket, (_rows, name) in _ROWS.items() if name}
    if counts.get("cells_refused"):
        numbers[Bucket.REFUSED] = rows_of(run, Wanted(Bucket.REFUSED)).count()
    numbers[Bucket.DECIDED] = run.rows.filter(_ROWS[Bucket.DECIDED][0]).count()
    if run.status == RunStatus.APPLIED:
        numbers[Bucket.LEFT_ALONE] = run.rows.filter(_ROWS[Bucket.LEFT_ALONE][0]).count()
    return {bucket: number for bucket, number in numbers.items() if number}


def figures_of(run: ImportRun) -> dict[str, Any]:
    """Return what was counted as the rows of a plan were stored; nothing of a plan from before that."""
    figures: dict[str, Any] = (run.summary or {}).get("figures") or {}
    return figures


def keys_of_check(run: ImportRun, name: str) -> list[str]:
    """Return the primary keys, as they will be, of the objects that a check of the plan names under `name`."""
    checks = ((run.summary or {}).get("checks") or {}).values()
    noted = [check[name] for check in checks if isinstance(check, dict) and name in check]
    return [str(key) for note in noted if isinstance(note, dict) for key in note.get("keys", ())]


def rows_of(run: ImportRun, wanted: Wanted) -> QuerySet[PlannedRow]:
    """Return the rows asked for, in the order of the plan; those that move, the farthest first."""
    condition = _ROWS[wanted.bucket][0]
    if wanted.bucket == Bucket.REFUSED and (run.counts or {}).get("cells_refused"):
        condition |= Q(_CELLS)
    rows = PlannedRow.objects.filter(condition, run=run)
    if wanted.far:
        rows = rows.filter(slight=False)
    if wanted.link:
        linker = spec_named(run.spec).linker
        known = wanted.link in {link.field for link in (linker.links if linker else ())}
        rows = rows.filter(**{f"payload__links__{wanted.link}": True}) if known else rows.none()
    if wanted.check:
        rows = rows.filter(new_pk__in=keys_of_check(run, wanted.check))
    if wanted.field and wanted.bucket == Bucket.REFUSED:
        cells = RefusedCell.objects.filter(run=run, line=OuterRef("line"), column=wanted.field)
        rows = rows.filter(Exists(cells))
    elif wanted.field:
        rows = rows.filter(Q(changes__has_key=wanted.field) | Q(kept_values__has_key=wanted.field))
    if wanted.text:
        text = wanted.text
        rows = rows.filter(
            Q(new_pk__icontains=text)
            | Q(label__folded__contains=folded(text))
            | Q(old_pk__icontains=text)
            | _on_line(text)
        )
    return rows.order_by(*_ORDERS.get(wanted.bucket, ("id",)))


def changes_of(run: ImportRun) -> int:
    """Return how many objects applying the plan as decided would write."""
    left = run.rows.filter(decision=Decision.LEAVE, disputed__isnull=True)
    if ImportOptions.from_json(run.options).missing == "report":
        # Nothing would happen to them either way.
        left = left.exclude(kind=RowKind.MISSING, superseded=False)
    return max(0, changed_rows(run) - left.count())


@transaction.atomic
def decide(run: ImportRun, rows: Iterable[int] | Wanted, decision: Decision, *, actor: User) -> int:
    """Record what a person decided about some rows of a plan, or all that a filter leaves; returns about how many.

    Rows that the decision says nothing about stay as planned. Raises RunRefused when the plan is not to be reviewed any
    more, or not by this person.
    """
    if why := why_not_decide(actor, run):
        raise RunRefused(why)
    # The lock keeps others from confirming the plan now; a page that shows the plan from before cannot confirm it.
    run.refresh_from_db(from_queryset=ImportRun.objects.select_for_update(of=("self",)))
    if run.status != RunStatus.PLANNED:
        raise RunRefused(
            f"{run} is {run.get_status_display().lower()}: only a plan to be reviewed can be decided about."
        )
    asked = rows_of(run, rows) if isinstance(rows, Wanted) else PlannedRow.objects.filter(run=run, pk__in=list(rows))
    chosen = asked.filter(_ABOUT[decision]).order_by()
    number = chosen.update(decision=decision, decided_by_name=actor.get_username() if decision else "")
    summary = run.summary or {}
    run.summary = {**summary, "decisions": summary.get("decisions", 0) + 1}
    run.save(update_fields=["summary"])
    return number


def _on_line(text: str) -> Q:
    number = whole_number(text.removeprefix("line ").strip(), digits=9)
    return Q(pk__in=[]) if number is None else Q(line=number)
