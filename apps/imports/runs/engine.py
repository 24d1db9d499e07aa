"""The one engine of imports: each file, from a page or a command, becomes a run that is planned and applied here.

A plan that a person reviews is stored and applied later; a command plans and applies at once. The same code writes
both, in one changeset. Rows that changed after the plan was made are skipped and listed.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from apps.changesets.hooks import Coming, prepare
from apps.changesets.models import Changeset, Kind
from apps.changesets.processes.failures import FAILURES
from apps.changesets.processes.watched import forget
from apps.imports.errors import LockTaken, TooManyRefused
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan.apply import Done, Plan, Settle, apply_import
from apps.imports.plan.checks import look_at
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.rows import Reading
from apps.imports.reading.sources import SourceFile
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, LeftAlone, Progress, quiet
from apps.imports.runs.confirming import within_rights_of
from apps.imports.runs.earlier_imports import beside_earlier
from apps.imports.runs.files import estimate_rows, kept_file, remember_file
from apps.imports.runs.lease import working
from apps.imports.runs.opening import open_for_command
from apps.imports.runs.preview import clean
from apps.imports.runs.pruning import prune_runs
from apps.imports.runs.repeats import Repeat, key_of, note_repeat, repeat_of
from apps.imports.runs.schema import schema_of
from apps.imports.runs.states import claim, ending, fail, log_end, move
from apps.imports.runs.stored_plan import load_plan, note_left_alone
from apps.imports.runs.storing import store_plan, store_refused
from apps.imports.spec import ImportSpec

logger = logging.getLogger(__name__)


def plan_run(run: ImportRun, *, progress: Progress | None = None) -> None:
    """Plan an uploaded run and store its rows; it is planned then, or failed with a sentence. Writes no tracked table.

    `progress` is told the phase and how many rows it has done, and stops the planning by raising RunCancelled. Raises
    RunRefused when the run is not waiting to be planned.
    """
    progress = progress or quiet
    claim(run, RunStatus.UPLOADED, RunStatus.PLANNING)
    with ending(run, progress):
        with kept_file(run) as source:
            plan = plan_import(
                source,
                spec=spec_named(run.spec),
                options=ImportOptions.from_json(run.options),
                how=Reading(**run.how),
                progress=progress,
            )
        try:
            figures = store_plan(plan, run, progress=progress)
            progress("look", 0)
            checks = look_at(plan.staging)
            earlier = beside_earlier(plan, run, figures.fields)
        finally:
            plan.discard()
        counts = {**plan.counts.as_dict(), "missing_to_change": plan.missing_to_change}
        letters = (run.summary or {}).get("letters", "")
        summary = {**plan.figures(), "checks": checks, "planned_at": plan.planned_at.isoformat(), "letters": letters}
        summary |= {"figures": figures.as_json(), "earlier": earlier, "schema": schema_of(plan.spec)}
        move(run, RunStatus.PLANNED, counts=counts, summary=summary)
        run.refresh_from_db()


def apply_run(run: ImportRun, *, progress: Progress | None = None) -> Changeset | None:
    """Write what the confirmed run's stored plan says; returns its changeset, None when nothing was to be changed.

    The run is applied in the same transaction; otherwise it is failed or cancelled, and nothing was written. `progress`
    is told the phase and stops it by raising RunCancelled. Nothing is written that the person who confirmed it may not
    write. Raises RunRefused when the run is not waiting to be applied.
    """
    progress = progress or quiet
    claim(run, RunStatus.APPROVED, RunStatus.RUNNING)
    with ending(run, progress), within_rights_of(run):
        plan = load_plan(run, progress)

        def settle(done: Done, opened: Changeset | None) -> None:
            note_left_alone(run, done.left_alone)
            # The counts are those of the stored rows; the changeset has those of what was done.
            _settle(run, opened, {**(run.counts or {}), "left_alone": len(done.left_alone)})

        return _apply(run, plan, settle, progress, before=f"import {run.pk} of {run.file_name}")
    return None


@dataclass
class Finished:
    """The result of an import by a command; one that was only planned has no run."""

    plan: ImportPlan | Repeat
    counts: dict[str, int]
    left_alone: Sequence[LeftAlone] = ()
    run: ImportRun | None = None
    changeset: Changeset | None = None
    duration: float = 0.0
    # What the plan is beside the earlier imports of the same source.
    earlier: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a command asks for: a file to be imported at once, and what holds for it.

    `file_name` is what the file is called before it is there, `how` what is known of how it is read. Only one run holds
    a `lock` at a time. More than `refused_percent` of refused rows stop it. A `backup` comes first where True, whatever
    the settings say, and as they say where None.
    """

    spec: ImportSpec
    open_source: Callable[[], AbstractContextManager[SourceFile]]
    options: Callable[[SourceFile], ImportOptions]
    command: str
    file_name: str
    reason: str = ""
    how: Reading = field(default_factory=Reading)
    lock: str | None = None
    refused_percent: float | None = None
    backup: bool | None = None


def import_now(request: Request, *, progress: Progress | None = None) -> Finished:
    """Open a run, plan the file and apply the plan at once; the run is in the list also when this fails.

    Raises LockTaken, TooManyRefused, and what planning, applying and backing up raise; nothing was imported then.
    """
    started = time.monotonic()
    try:
        run = open_for_command(
            request.spec,
            command=request.command,
            file_name=request.file_name,
            reason=request.reason,
            lock=request.lock,
        )
    except LockTaken as error:
        log_end(ImportRun(summary={"command": request.command}), "locked", error=str(error))
        raise
    try:
        with working(run) as heart:
            finished = _import_now(request, run, _both(heart, progress), heart.totals)
    except BaseException as error:
        # In a broken transaction of the caller nothing can be written; the lease ends the run then.
        with suppress(*FAILURES):
            fail(run, error)
        raise
    finally:
        forget(run.pk)
    finished.duration = time.monotonic() - started
    _prune()
    return finished


def plan_only(request: Request, *, progress: Progress | None = None) -> Finished:
    """Plan what a command asks for and change nothing, the list of runs included; the plan's staged rows are gone."""
    started = time.monotonic()
    plan: ImportPlan | Repeat | None
    with request.open_source() as source:
        options = request.options(source)
        plan = repeat_of(source.identity, request.spec, key_of(source.identity, request.spec, options, request.how))
        plan = plan or plan_import(source, spec=request.spec, options=options, how=request.how, progress=progress)
    file = {"file_name": plan.file.name, "file_sha256": plan.file.sha256}
    earlier = beside_earlier(plan, ImportRun(spec=request.spec.name, **file))
    if isinstance(plan, ImportPlan):
        plan.discard()
    _refuse_too_many(plan, request.refused_percent)
    return Finished(plan, plan.counts.as_dict(), duration=time.monotonic() - started, earlier=earlier)


def _import_now(request: Request, run: ImportRun, progress: Progress, totals: dict[str, int | None]) -> Finished:
    progress("fetch", 0)
    with request.open_source() as source:
        run.how = asdict(request.how)
        options = remember_file(run, source, request.options)
        key = key_of(source.identity, request.spec, options, request.how)
        if repeat := repeat_of(source.identity, request.spec, key):
            return _tell_again(request, run, repeat)
        totals["read"] = estimate_rows(run)
        plan = plan_import(source, spec=request.spec, options=options, how=request.how, progress=progress)
    run.how, run.options = asdict(plan.how), plan.options.as_json()
    run.header = [clean(title) for title in plan.staging.layout.header]
    run.save(update_fields=["how", "options", "header"])
    did = Done(plan.counts.as_dict())
    run.counts = did.counts
    totals |= dict.fromkeys(("write", "record"), plan.to_write)

    def settle(done: Done, opened: Changeset | None) -> None:
        nonlocal did
        did = done
        run.summary = {**(run.summary or {}), "left_alone": done.as_json()["left_alone"]}
        _settle(run, opened, done.counts)

    try:
        store_refused(plan.staging, run)
        if not plan.to_write and key and key == key_of(plan.file, request.spec, options, request.how):
            note_repeat(run, plan, key)
        earlier = beside_earlier(plan, run)
        _refuse_too_many(plan, request.refused_percent)
        before = request.command if request.backup else f"the import of {plan.file.name}"
        made = _apply(run, plan, settle, progress, before=before, backup=request.backup)
    finally:
        plan.discard()
    return Finished(plan, did.counts, did.left_alone, run, made, earlier=earlier)


def _tell_again(request: Request, run: ImportRun, repeat: Repeat) -> Finished:
    """End a run, without planning it, with what an earlier one of the same file found."""
    repeat.give(run)
    earlier = beside_earlier(repeat, run)
    _refuse_too_many(repeat, request.refused_percent)
    done = Done(repeat.counts.as_dict())
    run.summary = {**(run.summary or {}), "left_alone": []}
    _settle(run, None, done.counts)
    run.refresh_from_db()
    log_end(run, "unchanged")
    return Finished(repeat, done.counts, run=run, earlier=earlier)


def _apply(
    run: ImportRun,
    plan: Plan,
    settle: Settle,
    progress: Progress,
    *,
    before: str,
    backup: bool | None = None,
) -> Changeset | None:
    """Apply a plan after the backup that comes first; the run is applied with the data or not at all."""
    actor, using = run.confirmed_by or run.actor, plan.staging.connection.alias
    try:
        plan.require_within_limits()
        if backup is not False and (number := plan.to_write):
            progress("back up", 0)
            made = prepare(Coming(Kind.IMPORT, actor, before, using, required=bool(backup), objects=number))
            run.summary = {**(run.summary or {}), "backup": made[0] if made else None}
        progress("write", 0)
        opened = apply_import(plan, actor=actor, reason=run.reason, settle=settle)
    finally:
        plan.discard()
    run.refresh_from_db()
    log_end(run, "applied" if opened else "unchanged")
    return opened


def _settle(run: ImportRun, opened: Changeset | None, counts: dict[str, int]) -> None:
    if opened is not None:
        opened.summary = {**(opened.summary or {}), "run": run.pk}
        if run.confirmed_by_name and run.actor_name not in ("", run.confirmed_by_name):
            opened.asked_by, opened.asked_by_name = run.actor, run.actor_name
    ended = {"changeset": opened, "counts": counts, "summary": run.summary, "finished_at": timezone.now(), "lock": None}
    move(run, RunStatus.APPLIED, **ended)


def _refuse_too_many(plan: ImportPlan | Repeat, percent: float | None) -> None:
    refused, total = plan.counts.refused, plan.counts.total
    if percent is None or refused * 100 <= total * percent:
        return
    first = f" The first: {plan.refusals[0]}." if plan.refusals else ""
    raise TooManyRefused(
        f"{refused:,} of {total:,} rows of {plan.file.name} are refused, more than {percent:g} %: "
        f"nothing was imported.{first}"
    )


def _both(heart: Progress, watcher: Progress | None) -> Progress:
    if watcher is None:
        return heart

    def tell(phase: str, rows: int) -> None:
        heart(phase, rows)
        watcher(phase, rows)

    return tell


def _prune() -> None:
    """Prune old runs; when that fails, the import is done all the same."""
    try:
        prune_runs()
    except (DatabaseError, OSError):
        logger.exception("Tidying up after an import did not work; the next one tries again")
