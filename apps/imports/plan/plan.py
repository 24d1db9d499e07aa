"""Planning: what an import would do, counted and listed; nothing but temporary tables is written."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connections
from django.utils import timezone

from apps.changesets.history.cursors import Cursor, cursor_now
from apps.changesets.processes.failures import FAILURES
from apps.imports.errors import LocalEditsInTheWay, MissingAboveLimit, RowsRefused
from apps.imports.mapping.headers import settle
from apps.imports.mapping.layout import effective, layout_of
from apps.imports.mapping.titles import open_table
from apps.imports.models import HeaderMapping
from apps.imports.plan.checks import beyond_limits, check_filters, check_options, require_within_limits
from apps.imports.plan.complete import complete
from apps.imports.plan.correction_count import count_new_corrections
from apps.imports.plan.deleted import leave_deleted, list_deleted_here
from apps.imports.plan.kept import list_kept
from apps.imports.plan.match import match, refuse_duplicates, refuse_held
from apps.imports.plan.match_by_columns import refuse_clashes
from apps.imports.plan.merge import merge
from apps.imports.plan.missing import (
    above_limit,
    count_missing_to_change,
    count_superseded,
    list_missing,
    list_superseded,
)
from apps.imports.plan.pinned_rows import load_pins
from apps.imports.reading.rows import RawFile, Reading
from apps.imports.reading.sources import SourceFile
from apps.imports.results import (
    LISTED,
    FileIdentity,
    ImportCounts,
    ImportOptions,
    KeptValue,
    Progress,
    Refusal,
    Superseded,
    quiet,
)
from apps.imports.spec import ImportSpec
from apps.imports.staging.normalise import normalise
from apps.imports.staging.tables import Staging

_IN_FIGURES = 100


@dataclass(eq=False)
class ImportPlan:
    """What an import would do; it holds its staged rows until it is applied or discarded.

    The lists have the first ones, the counts all of them. While `seen` knows all, no table has changed since.
    """

    staging: Staging
    file: FileIdentity
    counts: ImportCounts
    refusals: tuple[Refusal, ...]
    superseded: tuple[Superseded, ...]
    kept: tuple[KeptValue, ...]
    missing: tuple[str, ...]
    missing_to_change: int
    missing_above_limit: str
    beyond_limits: tuple[str, ...]
    seen: Cursor
    planned_at: datetime
    how: Reading = field(default_factory=Reading)
    # The mapping of an earlier file with the same titles, where its columns are taken.
    remembered: HeaderMapping | None = None

    @property
    def spec(self) -> ImportSpec:
        """What is imported."""
        return self.staging.spec

    @property
    def options(self) -> ImportOptions:
        """How it is imported."""
        return self.staging.options

    @property
    def read_as_blank(self) -> Mapping[str, int]:
        """The words that were read as blank, and how often."""
        return self.staging.read_as_blank

    @property
    def later_titles(self) -> Sequence[str]:
        """The keys that came up late in a file of JSON, which are not taken."""
        return self.staging.later_titles

    @property
    def past_limits(self) -> bool:
        """Whether a person chose to pass the limits of the settings."""
        return self.options.past_limits

    def require_within_limits(self) -> None:
        """Raise MissingAboveLimit or BeyondLimits when the plan goes past a limit."""
        if self.missing_above_limit:
            raise MissingAboveLimit(self.missing_above_limit)
        require_within_limits(self.beyond_limits, past=self.past_limits)

    def figures(self) -> dict[str, Any]:
        """Return what a changeset or a run stores of the plan besides its rows."""
        layout = self.staging.layout
        return {
            "spec": self.spec.name,
            "source": "corrections" if self.options.corrections else self.spec.name,
            "counts": self.counts.as_dict(),
            "on_local_edit": self.options.on_local_edit,
            "missing": self.options.missing,
            "filtered": self.options.filtered,
            "columns": [column.field for column, _index in layout.columns],
            "not_taken": [*layout.not_taken, *self.staging.later_titles],
            "read_as_blank": dict(self.staging.read_as_blank),
            "missing_above_limit": self.missing_above_limit,
            "beyond_limits": list(self.beyond_limits),
            "superseded": _in_figures(self.superseded),
            "kept": _in_figures(self.kept),
            "missing_objects": list(self.missing[:_IN_FIGURES]),
            "refused": _in_figures(self.refusals),
        }

    @property
    def to_write(self) -> int:
        """How many objects applying it would create, change or remove."""
        # Superseded objects are among the missing to change where those are deleted anyway.
        return self.counts.created + self.counts.updated + max(self.counts.superseded, self.missing_to_change)

    def discard(self) -> None:
        """Remove the staged rows; a broken transaction removes them itself."""
        if not self.staging.discarded:
            self.staging.discarded = True
            with suppress(*FAILURES):
                self.staging.drop()


def plan_import(
    source: SourceFile,
    *,
    spec: ImportSpec,
    options: ImportOptions | None = None,
    how: Reading | None = None,
    using: str = "default",
    progress: Progress | None = None,
) -> ImportPlan:
    """Read, normalise and stage `source`, and compare it with the live rows; changes nothing.

    A file that was exported from this console is taken as corrections: its values are not those of upstream. `progress`
    is called with a stage and the number of rows so far. Raises FileRefused when the file cannot be read or lacks
    columns, RowsRefused with strict, LocalEditsInTheWay with policy abort.
    """
    raw = open_table(source, spec, how)
    options = effective(options or ImportOptions(), raw.header, spec)
    options, known = settle(options, raw.header, spec, source.identity.name)
    check_options(spec, options)
    layout = layout_of(raw.header, spec, options=options, name=source.identity.name)
    check_filters(layout, options)
    staging = Staging(connection=connections[using], layout=layout, options=options, progress=progress or quiet)
    staging.create()
    try:
        read_counts = _stage(raw, staging)
        plan = replace(_compare(staging, source.identity, read_counts), how=raw.how, remembered=known)
        _check_policies(plan)
    except BaseException:
        staging.discarded = True
        # A broken transaction takes the tables along.
        with suppress(*FAILURES):
            staging.drop()
        raise
    return plan


def _stage(raw: RawFile, staging: Staging) -> ImportCounts:
    """Stream the file into the staging tables; return the counts of reading."""
    total = taken = refused = cells_refused = 0
    limit = staging.options.limit
    with staging.writing():
        for chunk in raw.taking([index for _column, index in staging.layout.columns]):
            room = None if limit is None else limit - taken
            result = normalise(chunk, staging.layout, staging.options, room=room)
            total += len(chunk.rows)
            taken += result.taken
            refused += sum(row.refused for row in result.seen)
            cells_refused += result.cells_refused
            staging.read_as_blank.update(result.read_as_blank)
            staging.later_titles = chunk.later_titles
            staging.note_refusals(result.refusals)
            staging.load_staged(result.rows)
            staging.load_seen(result.seen)
            staging.progress("read", total)
    staging.finish()
    twice, refusals = refuse_duplicates(staging)
    staging.note_refusals(refusals)
    return ImportCounts(total=total, refused=refused + twice, cells_refused=cells_refused, skipped=total - taken)


def _compare(staging: Staging, file: FileIdentity, counts: ImportCounts) -> ImportPlan:
    planned_at, seen = timezone.now(), cursor_now(staging.using, settled=False)
    staging.progress("compare", counts.total)
    staging.pinned = load_pins(staging)
    matching = match(staging)
    stays_deleted = leave_deleted(staging)
    merge(staging)
    refused = [matching.refused, refuse_held(staging), refuse_clashes(staging)]
    staging.note_refusals([refusal for rows in refused for refusal in rows.first])
    complete(staging)
    staging.progress("count", counts.total)
    objects = count_objects(staging)
    kept_list = list_kept(staging) if objects["kept"] else []
    replaced_list = list_superseded(staging) if objects["superseded"] else []
    matched = staging.value("SELECT COUNT(*) FROM {matched}")
    missing = staging.value("SELECT COUNT(*) FROM {missing}")
    to_change = count_missing_to_change(staging) if missing else 0
    return ImportPlan(
        staging=staging,
        file=file,
        counts=replace(
            counts,
            refused=counts.refused + sum(rows.number for rows in refused),
            skipped=counts.skipped + matching.skipped + stays_deleted,
            unchanged=matched - objects["updated"],
            missing=missing,
            disputed=staging.value("SELECT COUNT(*) FROM {disputed}"),
            **objects,
            deleted_here=list_deleted_here(staging),
            corrections=count_new_corrections(staging),
            links=staging.spec.linker.plan(staging) if staging.spec.linker else {},
        ),
        refusals=tuple(staging.refusals(limit=LISTED)),
        superseded=tuple(replaced_list),
        kept=tuple(kept_list),
        missing=list_missing(staging),
        missing_to_change=to_change,
        missing_above_limit=above_limit(
            staging.spec, staging.options, to_change, objects["superseded"], using=staging.using
        ),
        beyond_limits=beyond_limits(staging),
        seen=seen,
        planned_at=planned_at,
    )


def count_objects(staging: Staging) -> dict[str, int]:
    """Return how many objects the tables of a plan create, update, rename, keep values of, and supersede."""
    moves = "FALSE" if staging.spec.automatic else staging.fill("{new_pk} <> old_pk")
    # Objects that change, and those among them that get another primary key, or keep a correction.
    [(updated, renamed, kept)] = staging.rows(
        """
        SELECT COUNT(*), COUNT(CASE WHEN {moves} THEN 1 END), COUNT(CASE WHEN kept > 0 THEN 1 END) FROM {changed}
        """,
        moves=moves,
    )
    # The good rows that match no object.
    rows = staging.value("SELECT (SELECT COUNT(*) FROM {staged}) - (SELECT COUNT(*) FROM {matched})")
    return {
        "created": rows,
        "updated": updated,
        "renamed": renamed,
        "kept": kept,
        "superseded": count_superseded(staging),
    }


def _in_figures(rows: Sequence[Superseded | KeptValue | Refusal]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows[:_IN_FIGURES]]


def _check_policies(plan: ImportPlan) -> None:
    if plan.options.strict and plan.counts.refused:
        raise RowsRefused(
            f"Refused rows: {plan.counts.refused}; with --strict so is the whole file. The first: {plan.refusals[0]}."
        )
    if plan.options.on_local_edit == "abort" and plan.counts.kept:
        kept = plan.kept[0]
        raise LocalEditsInTheWay(
            f"{plan.counts.kept} objects were corrected here and changed upstream since, such as {kept.object_id} "
            f"({kept.field}: ours {kept.current!r}, theirs {kept.new!r}): use --on-local-edit keep or overwrite."
        )
