"""Opening a run for an uploaded file or a command, and changing its options; nothing is compared yet."""

import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import islice

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.changesets.models import Actor
from apps.imports.errors import FileRefused, LockTaken, RunRefused
from apps.imports.mapping.layout import columns_found
from apps.imports.models import ImportRun, PlannedRow, RefusedCell, RunStatus
from apps.imports.reading.rows import RawChunk, Reading
from apps.imports.reading.sources import SourceFile
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import require, why_not_decide, why_not_start_again
from apps.imports.runs.files import keep_file, kept_file
from apps.imports.runs.lease import fail_dead_runs
from apps.imports.spec import ImportSpec

# How many rows help to tell which column is which: the first ones, then those that fill a column so far mostly blank.
FIRST_ROWS = 3
SAMPLE_ROWS = 20
_LOOKED_AT = 1000
_SAMPLE_CHARACTERS = 60
_BEFORE_CONFIRMING = (RunStatus.UPLOADED, RunStatus.PLANNED, RunStatus.FAILED, RunStatus.CANCELLED)


def open_run(
    source: SourceFile,
    *,
    spec: ImportSpec,
    options: ImportOptions,
    actor: Actor,
    reason: str,
    how: Reading | None = None,
) -> ImportRun:
    """Keep the file, read its header, and return the run, uploaded; raises FileRefused when it cannot be read.

    `how` is what the person knows about the file. Nothing is kept when the file is refused.
    """
    raw = spec.read(source, how)
    taken = [index for _column, index in columns_found(raw.header, spec, options)]
    sample = _sample(_rows(raw.taking(taken)))
    return ImportRun.objects.create(
        spec=spec.name,
        actor=actor,
        actor_name=actor.get_username() if actor else "",
        reason=reason,
        file_name=source.identity.name,
        file_sha256=source.identity.sha256,
        file_size=source.identity.size,
        kept_as=keep_file(source),
        how=asdict(raw.how),
        header=raw.header,
        summary={"sample": sample},
        options=options.as_json(),
    )


def _rows(chunks: Iterator[RawChunk]) -> Iterator[list[str]]:
    for chunk in chunks:
        for row in chunk.rows:
            # PostgreSQL stores NUL nowhere.
            yield [cell[:_SAMPLE_CHARACTERS].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in row]


def _sample(rows: Iterator[list[str]]) -> list[list[str]]:
    """Return rows in which each column is filled several times, if the beginning of the file has such."""
    sample = list(islice(rows, FIRST_ROWS))
    filled = Counter(place for row in sample for place, cell in enumerate(row) if cell.strip())
    # What is wrong further down is said when the whole file is read.
    with suppress(FileRefused):
        for row in islice(rows, _LOOKED_AT):
            here = [place for place, cell in enumerate(row) if cell.strip()]
            if len(sample) < SAMPLE_ROWS and any(filled[place] < SAMPLE_ROWS // 2 for place in here):
                sample.append(row)
                filled.update(here)
    return sample


def sample_of(run: ImportRun) -> list[list[str]]:
    """Return some of the first rows of the run's file, each cell cut short; raises FileIsGone or FileRefused."""
    summary = run.summary or {}
    if "sample" in summary:
        return summary["sample"]
    with kept_file(run) as source:
        return _sample(_rows(spec_named(run.spec).read(source, Reading(**run.how)).chunks))


def open_for_command(spec: ImportSpec, *, command: str, file_name: str, reason: str, lock: str | None) -> ImportRun:
    """Return a running run for a command, whose file is yet to come; raises LockTaken with who holds the lock."""
    fail_dead_runs()
    values = {
        "spec": spec.name,
        "status": RunStatus.RUNNING,
        "started_at": timezone.now(),
        "reason": reason,
        "file_name": file_name[:500],
        "file_size": 0,
        "summary": {"command": command, "host": socket.gethostname(), "process": os.getpid()},
        "lock": lock,
    }
    # Check first: on SQLite, writing would wait until the other run ends.
    holder = ImportRun.objects.filter(lock=lock).first() if lock else None
    if holder is None:
        try:
            with transaction.atomic():
                return ImportRun.objects.create(**values)
        except IntegrityError:
            if lock is None:
                raise
            holder = ImportRun.objects.filter(lock=lock).first()
    raise LockTaken(_held_by(holder, str(spec.model._meta.verbose_name_plural)))


def _held_by(holder: ImportRun | None, objects: str) -> str:
    if holder is None:
        return f"Another update of the {objects} has just ended: try again."
    by = holder.summary or {}
    since = timezone.localtime(holder.started_at or holder.created_at)
    return (
        f"The {objects} are being updated already, by import {holder.pk} (process {by.get('process')} on "
        f"{by.get('host')}) since {since:%H:%M:%S on %Y-%m-%d}: wait for it, or stop it with "
        f"manage.py imports cancel {holder.pk}."
    )


def set_options(run: ImportRun, options: ImportOptions, *, actor: User) -> ImportRun:
    """Give a run that nobody has confirmed other options, and put it back to be planned; its old plan is forgotten.

    Raises RunRefused when the person may not, the file is gone, or the run is further already.
    """
    require(why_not_decide(actor, run))
    require(why_not_start_again(run))
    mapping: Mapping[str, str] | None = options.mapping
    values = {
        "status": RunStatus.UPLOADED,
        "options": options.as_json(),
        "mapping": dict(mapping) if mapping is not None else None,
        "counts": None,
        "error": "",
        "started_at": None,
        "finished_at": None,
        "start_at": None,
    }
    if not ImportRun.objects.filter(pk=run.pk, status__in=_BEFORE_CONFIRMING).update(**values):
        run.refresh_from_db()
        raise RunRefused(f"{run} is {run.get_status_display().lower()}: it cannot be planned again.")
    PlannedRow.objects.filter(run=run).delete()
    RefusedCell.objects.filter(run=run).delete()
    run.refresh_from_db()
    return run
