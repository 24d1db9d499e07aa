"""Updating the airports with nobody watching: one at a time, after a backup, and not at all when the file looks bad."""

import json
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.backups.automatic import recent_or_new
from apps.backups.kinds import BEFORE_IMPORT
from apps.changesets.models import Changeset
from apps.imports.errors import BeyondLimits, ImportFailure, RunCancelled
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import SourceFile
from apps.imports.results import ImportOptions, Progress
from apps.imports.runs.files import keep_file
from apps.imports.runs.lease import fail_dead_runs, working
from apps.imports.runs.progress import forget
from apps.imports.runs.pruning import prune_runs
from apps.imports.runs.states import end, move

LOCK = "update:ourairports"
COMMAND = "update_airports"
REFUSED_LIMIT_PERCENT = 1
logger = logging.getLogger("apps.imports.update")


class AlreadyUpdating(ImportFailure):
    """Another update holds the lock."""


class TooManyRefused(ImportFailure):
    """So many rows are refused that the file itself is in doubt."""


@dataclass
class Update:
    """What became of one update, so far as it got."""

    run: ImportRun | None = None
    plan: ImportPlan | None = None
    changeset: Changeset | None = None
    counts: dict[str, int] = field(default_factory=dict)
    backup: str | None = None
    outcome: str = "failed"
    error: str = ""
    initial_count: int = 0
    final_count: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def duration(self) -> float:
        """How many seconds it has taken."""
        return time.monotonic() - self.started


def back_up() -> str:
    """Return what the backup of all there is now is called: with nobody there it is made whatever the settings say."""
    return recent_or_new(BEFORE_IMPORT, actor=None, reason=f"before {COMMAND}").id


def update_airports(
    open_source: Callable[[], AbstractContextManager[SourceFile]],
    *,
    name: str,
    options: ImportOptions,
    reason: str = "",
    backup: bool = True,
) -> Update:
    """Fetch the file called `name`, and import it after a backup; the run is there to be seen, also when this fails.

    Writes one line to the log, whatever happens. Raises AlreadyUpdating, TooManyRefused, and what importing and
    backing up raise; nothing was imported then.
    """
    update = Update()
    try:
        update.run = _take_lock(name, options, reason)
        with working(update.run) as progress:
            _update(update, open_source, options, progress, backup=backup)
    except BaseException as error:
        _fail(update, error)
        raise
    finally:
        logger.info(json.dumps(_line(update)))
        if update.run:
            forget(update.run.pk)
    prune_runs()
    return update


def refuse_too_many(plan: ImportPlan) -> None:
    """Raise TooManyRefused, and discard the plan, when more than 1 % of the file's rows are refused."""
    refused, total = plan.counts.refused, plan.counts.total
    if refused * 100 <= total * REFUSED_LIMIT_PERCENT:
        return
    first = f" The first: {plan.refusals[0]}." if plan.refusals else ""
    plan.discard()
    raise TooManyRefused(
        f"{refused:,} of {total:,} rows of {plan.file.name} are refused, more than {REFUSED_LIMIT_PERCENT} %: "
        f"nothing was imported.{first}"
    )


def _take_lock(name: str, options: ImportOptions, reason: str) -> ImportRun:
    fail_dead_runs()
    # Asked first, since on SQLite writing would wait for the end of the other one.
    if (holder := ImportRun.objects.filter(lock=LOCK).first()) is None:
        try:
            with transaction.atomic():
                return ImportRun.objects.create(
                    spec=OURAIRPORTS.name,
                    status=RunStatus.RUNNING,
                    started_at=timezone.now(),
                    reason=reason,
                    file_name=name[:500],
                    file_size=0,
                    options=options.as_json(),
                    summary={"command": COMMAND, "host": socket.gethostname(), "process": os.getpid()},
                    lock=LOCK,
                )
        except IntegrityError:
            holder = ImportRun.objects.filter(lock=LOCK).first()
    raise AlreadyUpdating(_held_by(holder))


def _held_by(holder: ImportRun | None) -> str:
    if holder is None:
        return "Another update of the airports has just ended: try again."
    by = holder.summary or {}
    since = timezone.localtime(holder.started_at or holder.created_at)
    return (
        f"The airports are being updated already, by import {holder.pk} (process {by.get('process')} on "
        f"{by.get('host')}) since {since:%H:%M:%S on %Y-%m-%d}: wait for it, or stop it with "
        f"manage.py imports cancel {holder.pk}."
    )


def _update(
    update: Update,
    open_source: Callable[[], AbstractContextManager[SourceFile]],
    options: ImportOptions,
    progress: Progress,
    *,
    backup: bool,
) -> None:
    update.initial_count = update.final_count = Airport.objects.count()
    progress("fetch", 0)
    with open_source() as source:
        _remember_file(update.run, source)
        plan = update.plan = plan_import(source, spec=OURAIRPORTS, options=options, progress=progress)
    update.counts = plan.counts.as_dict()
    refuse_too_many(plan)
    if backup and not plan.changes_nothing:
        progress("back up", 0)
        update.backup = back_up()
    progress("write", 0)
    # The run is applied with the data or not at all; inside the transaction no second backup is made.
    with transaction.atomic():
        made = update.changeset = apply_import(plan, actor=None, reason=update.run.reason)
        update.counts = made.summary["counts"] if made else plan.counts.as_dict()
        ended = {"finished_at": timezone.now(), "lock": None}
        move(update.run, RunStatus.APPLIED, changeset=made, counts=update.counts, **ended)
    update.outcome = "applied" if made else "unchanged"
    update.final_count = Airport.objects.count()


def _remember_file(run: ImportRun, source: SourceFile) -> None:
    run.file_name, run.file_sha256, run.file_size = (
        source.identity.name[:500],
        source.identity.sha256,
        source.identity.size,
    )
    run.kept_as = keep_file(source)
    run.save(update_fields=["file_name", "file_sha256", "file_size", "kept_as"])


def _fail(update: Update, error: BaseException) -> None:
    update.changeset = None
    if update.plan is not None:
        update.plan.discard()
    update.error = str(error) or type(error).__name__
    known = {AlreadyUpdating: "locked", TooManyRefused: "refused", BeyondLimits: "refused", RunCancelled: "cancelled"}
    update.outcome = known.get(type(error), "failed")
    if update.run is not None:
        end(
            update.run,
            RunStatus.CANCELLED if isinstance(error, RunCancelled) else RunStatus.FAILED,
            error=update.error,
        )


def _line(update: Update) -> dict[str, Any]:
    line = {
        "event": COMMAND,
        "run": update.run.pk if update.run else None,
        "changeset": update.changeset.pk if update.changeset else None,
        "counts": update.counts,
        "duration_s": round(update.duration, 3),
        "backup": update.backup,
        "outcome": update.outcome,
    }
    return {**line, "error": update.error} if update.error else line
