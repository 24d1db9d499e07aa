"""A stored plan: its rows are loaded into the tables that writing reads, with the decisions of people.

Values that a person decided to take are merged again, by the SQL that merged them when the plan was made.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Q

from apps.changesets.processes.failures import FAILURES
from apps.imports.errors import ImportFailure, MissingAboveLimit
from apps.imports.mapping.layout import effective, layout_of
from apps.imports.models import Decision, ImportRun, PlannedRow, RowKind
from apps.imports.plan.merge import create_views, merge
from apps.imports.plan.pinned_rows import load_pins
from apps.imports.registry import spec_named
from apps.imports.results import FileIdentity, ImportOptions, LeftAlone, Progress
from apps.imports.runs.schema import why_not_this_plan
from apps.imports.runs.states import above_limit_as_decided, changed_rows
from apps.imports.staging.tables import Staging

# The rows whose values a person takes, and the disputed rows of which a person said which key counts.
TAKEN = Q(kind=RowKind.CHANGED, kept=True, decision=Decision.TAKE)
BY_KEY = Q(disputed__isnull=False, decision__in=(Decision.ID, Decision.IDENT))


class Loaded(NamedTuple):
    """What applying needs of a planned row; making whole objects of them would take longer than writing does."""

    id: int
    line: int | None
    old_pk: str
    superseded: bool
    kept: bool
    payload: dict[str, Any]
    disputed: dict[str, Any] | None
    history_id: int | None
    decision: str


class Decided(NamedTuple):
    """What the file says in a row, the object that it is about (none: a new one), and the one that gives way to it.

    With `takes` its values count against what was corrected or pinned here.
    """

    line: int | None
    staged: dict[str, Any]
    upstream: Any
    old_pk: str
    history_id: int | None
    takes: bool = False
    gives_way: str = ""
    gives_way_history: int | None = None


def as_decided(row: Loaded) -> Decided:
    """Return what a row is as a person decided."""
    staged, upstream = row.payload["staged"], row.payload["upstream"]
    if row.disputed is None:
        return Decided(row.line, staged, upstream, row.old_pk, row.history_id, takes=True)
    by_id, by_others = (row.disputed[name] or {} for name in ("id", "ident"))
    if row.decision == Decision.IDENT:
        staged = staged | row.disputed["keys"]
        return Decided(row.line, staged, upstream, by_others.get("pk", ""), by_others.get("history_id"))
    gone = by_others if row.disputed["lone"] else {}
    gives_way = {"gives_way": gone.get("pk", ""), "gives_way_history": gone.get("history_id")}
    return Decided(row.line, staged, upstream, by_id["pk"], by_id["history_id"], **gives_way)


_CHUNK = 2000
_AT_ONCE = 500


@dataclass(eq=False)
class StoredPlan:
    """The plan of a run, with the tables that writing reads; see `plan.apply.Plan`."""

    run: ImportRun
    staging: Staging
    # What the tables were like is not stored: every row is checked again.
    seen: None = None

    @property
    def file(self) -> FileIdentity:
        """The imported file."""
        return FileIdentity(self.run.file_name, self.run.file_sha256, self.run.file_size)

    @property
    def planned_at(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.figures()["planned_at"])

    @property
    def past_limits(self) -> bool:
        """Whether the person who confirmed it chose to pass the limits of the settings."""
        return bool(self.figures().get("past_limits"))

    @property
    def to_write(self) -> int:
        """How many objects applying it would create, change or remove."""
        return changed_rows(self.run)

    def figures(self) -> dict[str, Any]:
        """Return what the changeset remembers; disputed rows that a person decided about are not refused."""
        figures = self.run.summary or {}
        counts = figures.get("counts", {})
        if not counts.get("disputed"):
            return figures
        decided = self.run.rows.filter(BY_KEY).count()
        moved = {"refused": counts["refused"] - decided, "skipped": counts["skipped"] + decided}
        return {**figures, "counts": counts | moved}

    def require_within_limits(self) -> None:
        """Raise MissingAboveLimit when more objects would go than may; writing looks at the other limits."""
        if sentence := above_limit_as_decided(self.run):
            raise MissingAboveLimit(sentence)

    def discard(self) -> None:
        """Forget the tables."""
        if not self.staging.discarded:
            self.staging.discarded = True
            # A broken transaction takes the tables along.
            with suppress(*FAILURES):
                self.staging.drop()


def load_plan(run: ImportRun, progress: Progress) -> StoredPlan:
    """Make the tables again from the rows of `run` that are to be written.

    Rows that a person decided to leave alone, and those that write nothing, stay out. Raises ImportFailure.
    """
    if why := why_not_this_plan(run):
        raise ImportFailure(why)
    spec = spec_named(run.spec)
    options = effective(ImportOptions.from_json(run.options), run.header, spec)
    layout = layout_of(run.header, spec, options=options, name=run.file_name)
    staging = Staging(connection=connections["default"], layout=layout, options=options, progress=progress)
    staging.create()
    try:
        create_views(staging)
        progress("load", 0)
        progress("load", _load(run, staging))
    except BaseException:
        staging.drop()
        raise
    return StoredPlan(run, staging)


def _load(run: ImportRun, staging: Staging) -> int:
    upstream = staging.upstream.strip('"')
    wants = [staging.want(link.field).strip('"') for link in staging.links]
    columns = ["line", "old_pk", "history_id", *staging.values, upstream, "kept", *wants]
    decided = PlannedRow.objects.filter(TAKEN | BY_KEY, run=run).exists()
    total = _merge_decided(run, staging) if decided else 0
    with staging.writing():
        for rows in _chunks(run, kind=RowKind.NEW):
            staging.load_staged(_staged(staging, rows))
            total += len(rows)
        for rows in _chunks(run, kind=RowKind.CHANGED):
            rows = [row for row in rows if not _is_taken(row)]
            staging.load("imports_changed", columns, _changed(staging, rows))
            total += len(rows)
        for rows in _chunks(run, kind=RowKind.MISSING):
            rows = [row for row in rows if row.superseded or staging.options.missing != "report"]
            missing = ((staging.stored_pk(row.old_pk), row.history_id) for row in rows)
            staging.load("imports_missing", ["old_pk", "history_id"], missing)
            total += len(rows)
    _finish(staging)
    return total


def _merge_decided(run: ImportRun, staging: Staging) -> int:
    """Stage the rows that a person decided about as the file gave them, and merge them as planning did."""
    staging.to_take = True
    staging.run("CREATE TEMP TABLE {to_take} (line integer PRIMARY KEY, history_id bigint, taken boolean)")
    total = 0
    giving_way: dict[str, int | None] = {}
    with staging.writing():
        for which in (TAKEN, BY_KEY):
            for rows in _chunks(run, which):
                decided = [as_decided(row) for row in rows]
                _load_decided(staging, decided)
                giving_way |= {row.gives_way: row.gives_way_history for row in decided if row.gives_way}
                total += len(rows)
        gone = ((staging.stored_pk(pk), history_id) for pk, history_id in giving_way.items())
        staging.load("imports_missing", ["old_pk", "history_id"], gone)
    staging.pinned = load_pins(staging)
    merge(staging)
    # The object must be as the person saw it, not as it is now.
    staging.run(
        "UPDATE {changed} SET history_id = (SELECT t.history_id FROM {to_take} t WHERE t.line = {changed}.line)"
    )
    return total


def _load_decided(staging: Staging, rows: list[Decided]) -> None:
    fields = staging.layout.staged
    staging.load_staged((row.line, *(row.staged[field] for field in fields), _text(row.upstream)) for row in rows)
    about = [(row, staging.stored_pk(row.old_pk)) for row in rows if row.old_pk]
    staging.load("imports_matched", ["line", "old_pk"], ((row.line, pk) for row, pk in about))
    noted = ((row.line, row.history_id, row.takes) for row in rows)
    staging.load("imports_to_take", ["line", "history_id", "taken"], noted)


def _is_taken(row: Loaded) -> bool:
    return row.kept and row.decision == Decision.TAKE


def _finish(staging: Staging) -> None:
    """Let the database find the rows as it does while planning: without the index each rename scans all changes."""
    staging.finish()
    staging.index_temp("imports_changed", ["old_pk"])
    staging.analyze("imports_changed", ["line", "old_pk"])
    staging.analyze("imports_missing", ["old_pk"])


def _chunks(run: ImportRun, *which: Q, **conditions: Any) -> Iterator[list[Loaded]]:
    after = 0
    rows = PlannedRow.objects.filter(*which, run=run, **conditions).exclude(decision=Decision.LEAVE).order_by("id")
    values = rows.values_list(*Loaded._fields)
    while chunk := list(map(Loaded._make, values.filter(id__gt=after)[:_CHUNK])):
        yield chunk
        after = chunk[-1].id


def _staged(staging: Staging, rows: list[Loaded]) -> Iterator[tuple]:
    for row in rows:
        values = _planned_values(row)
        yield (row.line, *(values[field] for field in staging.layout.staged), _text(row.payload["upstream"]))


def _changed(staging: Staging, rows: list[Loaded]) -> Iterator[tuple]:
    for row in rows:
        values = _planned_values(row)
        yield (
            row.line,
            staging.stored_pk(row.old_pk),
            row.history_id,
            *(values[field] for field in staging.values),
            _text(row.payload["upstream"]),
            1 if row.kept else 0,
            *(row.payload["links"][link.field] for link in staging.links),
        )


def _planned_values(row: Loaded) -> dict[str, Any]:
    """Return the values that a new or changed row will have: what upstream says, but for what its own values say."""
    return {**(row.payload["upstream"] or {}), **row.payload["values"]}


def _text(upstream: Any) -> str | None:
    """Return upstream values as Django's JSONField writes them."""
    return None if upstream is None else json.dumps(upstream)


def note_left_alone(run: ImportRun, left_alone: Sequence[LeftAlone]) -> None:
    """Store with the rows why they were skipped."""
    together: dict[tuple[str, str], list[object]] = {}
    for row in left_alone:
        field, value = ("old_pk", row.object_id) if row.line is None else ("line", row.line)
        together.setdefault((field, row.why), []).append(value)
    for (field, why), values in together.items():
        for start in range(0, len(values), _AT_ONCE):
            rows = PlannedRow.objects.filter(run=run, **{f"{field}__in": values[start : start + _AT_ONCE]})
            rows.update(left_alone=why[:255])
