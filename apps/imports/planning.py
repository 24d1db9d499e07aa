"""Planning: what an import would do, counted and listed; nothing but temporary tables is written."""

from contextlib import suppress
from dataclasses import dataclass, replace

from django.db import DatabaseError, connections

from apps.imports import merging
from apps.imports.completing import complete
from apps.imports.errors import ColumnsMissing, LocalEditsInTheWay, OptionsContradict, RowsRefused
from apps.imports.identity import refuse_clashes
from apps.imports.matching import match, refuse_duplicates, refuse_held, superseded
from apps.imports.normalising import Layout, layout_of, normalise
from apps.imports.reading import RawFile
from apps.imports.results import (
    LISTED,
    FileIdentity,
    ImportCounts,
    ImportOptions,
    KeptValue,
    Progress,
    Refusal,
    Superseded,
)
from apps.imports.sources import SourceFile
from apps.imports.spec import ImportSpec
from apps.imports.staging import Staging


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do; it holds its staged rows until it is applied or discarded.

    The lists carry the first ones, the counts all of them. `stamp` is the newest history row of each table that the
    plan read: when it has moved by the time of applying, the plan is made anew.
    """

    staging: Staging
    file: FileIdentity
    counts: ImportCounts
    refusals: tuple[Refusal, ...]
    superseded: tuple[Superseded, ...]
    kept: tuple[KeptValue, ...]
    missing: tuple[str, ...]
    missing_to_change: int
    stamp: tuple[int, ...]

    @property
    def spec(self) -> ImportSpec:
        """What was imported."""
        return self.staging.spec

    @property
    def options(self) -> ImportOptions:
        """How."""
        return self.staging.options

    @property
    def changes_nothing(self) -> bool:
        """Whether applying it would write no row."""
        counts = self.counts
        return not (counts.created or counts.updated or counts.superseded or self.missing_to_change)

    def discard(self) -> None:
        """Forget the staged rows; in a broken transaction they go with it."""
        if not self.staging.discarded:
            self.staging.discarded = True
            with suppress(DatabaseError):
                self.staging.drop()


def plan_import(
    source: SourceFile,
    *,
    spec: ImportSpec,
    options: ImportOptions | None = None,
    using: str = "default",
    progress: Progress | None = None,
) -> ImportPlan:
    """Read, normalise and stage `source`, and compare it with the live rows; changes nothing.

    `progress` is called with a stage and the number of rows so far. Raises FileRefused when the file cannot be read or
    lacks columns, RowsRefused with strict, LocalEditsInTheWay with policy abort.
    """
    options = options or ImportOptions()
    _check_options(spec, options)
    raw = spec.read(source)
    layout = layout_of(raw.header, spec, corrections=options.corrections, name=source.identity.name)
    _check_filters(layout, options)
    staging = Staging(connection=connections[using], layout=layout, options=options)
    staging.create()
    try:
        read_counts, refusals = _stage(raw, staging, progress or (lambda stage, rows: None))
        if progress:
            progress("compare", read_counts.total)
        plan = _compare(staging, source.identity, read_counts, refusals)
        _check_policies(plan)
    except BaseException:
        staging.discarded = True
        # A broken transaction takes the tables along.
        with suppress(DatabaseError):
            staging.drop()
        raise
    return plan


def plan_again(plan: ImportPlan) -> ImportPlan:
    """Compare the staged rows of `plan` with the live rows as they are now."""
    counts = replace(
        plan.counts, created=0, updated=0, renamed=0, unchanged=0, kept=0, missing=0, superseded=0, links={}
    )
    again = _compare(plan.staging, plan.file, counts, list(plan.refusals))
    _check_policies(again)
    return again


def stamp_of(staging: Staging) -> tuple[int, ...]:
    """Return the newest history row of each table that the plan reads."""
    return tuple(
        staging.count(
            "SELECT MAX(history_id) FROM {history}", history=staging.quote(model.history.model._meta.db_table)
        )
        for model in staging.spec.watched
    )


def _stage(raw: RawFile, staging: Staging, progress: Progress) -> tuple[ImportCounts, list[Refusal]]:
    """Stream the file into the staging tables; return the counts of reading and the first refusals."""
    total = taken = refused = 0
    refusals: list[Refusal] = []
    limit = staging.options.limit

    with staging.writing():
        for chunk in raw.chunks:
            room = None if limit is None else limit - taken
            result = normalise(chunk, staging.layout, staging.options, room=room)
            total += len(chunk.rows)
            taken += result.taken
            refused += sum(row[3] for row in result.seen)
            refusals += result.refusals[: LISTED - len(refusals)]
            staging.load_staged(result.rows)
            staging.load_seen(result.seen)
            progress("read", total)
    staging.finish()
    twice, more = refuse_duplicates(staging)
    refusals += more
    return ImportCounts(total=total, refused=refused + twice, skipped=total - taken), refusals


def _compare(staging: Staging, file: FileIdentity, counts: ImportCounts, refusals: list[Refusal]) -> ImportPlan:
    stamp = stamp_of(staging)
    unmatched, about_nothing, more = match(staging)
    merging.merge(staging)
    held, still_more = refuse_held(staging)
    clashing, listed = refuse_clashes(staging)
    complete(staging)
    replaced, replaced_list = superseded(staging)
    kept, kept_list = merging.kept_values(staging)
    staged = staging.count("SELECT COUNT(*) FROM {staged}")
    matched = staging.count("SELECT COUNT(*) FROM {matched}")
    updated, renamed = _count_changed(staging)
    refusals = sorted([*refusals, *more, *still_more, *listed], key=lambda refusal: refusal.line)[:LISTED]
    missing = staging.count("SELECT COUNT(*) FROM {missing}")
    linker = staging.spec.linker
    return ImportPlan(
        staging=staging,
        file=file,
        counts=replace(
            counts,
            refused=counts.refused + unmatched + held + clashing,
            skipped=counts.skipped + about_nothing,
            created=staged - matched,
            updated=updated,
            renamed=renamed,
            unchanged=matched - updated,
            kept=kept,
            missing=missing,
            superseded=replaced,
            links=linker.plan(staging) if linker else {},
        ),
        refusals=tuple(refusals),
        superseded=tuple(replaced_list),
        kept=tuple(kept_list),
        missing=_list_missing(staging),
        missing_to_change=_count_missing_to_change(staging) if missing else 0,
        stamp=stamp,
    )


def _count_changed(staging: Staging) -> tuple[int, int]:
    if staging.spec.automatic:
        return staging.count("SELECT COUNT(*) FROM {changed}"), 0
    natural = staging.quote(staging.spec.natural)
    # Objects that change, and those among them that get another natural key.
    rows = staging.fetch("SELECT COUNT(*), SUM(CASE WHEN {n} <> old_pk THEN 1 ELSE 0 END) FROM {changed}", n=natural)
    return rows[0][0], rows[0][1] or 0


def _list_missing(staging: Staging) -> tuple[str, ...]:
    rows = staging.fetch("SELECT old_pk FROM {missing} ORDER BY old_pk LIMIT {limit}", limit=str(LISTED))
    return tuple(str(pk) for (pk,) in rows)


def _count_missing_to_change(staging: Staging) -> int:
    if staging.options.missing == "report":
        return 0
    still = "" if staging.options.missing == "delete" else "AND l.{active}"
    # Missing objects that the option deletes, or deactivates and that are active still.
    return staging.count("SELECT COUNT(*) FROM {missing} m JOIN {live} l ON l.{pk} = m.old_pk {still}",
                         still=staging.fill(still))  # fmt: skip


def _check_options(spec: ImportSpec, options: ImportOptions) -> None:
    if not spec.upstream and not options.corrections:
        what = spec.model._meta.verbose_name_plural.capitalize()
        raise OptionsContradict(f"{what} have no upstream: import the file as corrections by hand.")
    if options.missing != "report" and options.filtered:
        raise OptionsContradict("--missing deactivate or delete needs the whole file: leave out the filters.")
    if options.missing != "report" and options.corrections:
        raise OptionsContradict("A corrections file does not list every object: leave out --missing.")


def _check_filters(layout: Layout, options: ImportOptions) -> None:
    lacking = sorted(set(options.only) - layout.fields)
    if lacking:
        raise ColumnsMissing(f"The file has no column {', '.join(lacking)} to filter by.")


def _check_policies(plan: ImportPlan) -> None:
    if plan.options.strict and plan.counts.refused:
        first = plan.refusals[0]
        raise RowsRefused(
            f"Refused rows: {plan.counts.refused}; with --strict so is the whole file. The first: {first}."
        )
    if plan.options.on_local_edit == "abort" and plan.counts.kept:
        first = plan.kept[0]
        raise LocalEditsInTheWay(
            f"{plan.counts.kept} objects were corrected here and changed upstream since, such as {first.object_id} "
            f"({first.field}: ours {first.current!r}, theirs {first.new!r}): use --on-local-edit keep or overwrite."
        )
