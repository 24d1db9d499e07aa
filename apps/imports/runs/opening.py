"""Opening a run for an uploaded file or a command, and changing its options; nothing is compared yet."""

import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import chain
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.changesets.models import Actor
from apps.imports.errors import LockTaken, RunRefused
from apps.imports.mapping.headers import needs_mapping, other_file
from apps.imports.mapping.layout import columns_found
from apps.imports.mapping.titles import open_table
from apps.imports.models import ImportRun, PlannedRow, RefusedCell, RunStatus
from apps.imports.reading.encodings import SURE, letters_of
from apps.imports.reading.rows import Reading
from apps.imports.reading.sources import LENIENT, SourceFile
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.amounts import why_not_keep, why_not_open
from apps.imports.runs.confirming import require, why_not_decide, why_not_start_again
from apps.imports.runs.files import keep_file
from apps.imports.runs.lease import fail_dead_runs
from apps.imports.runs.preview import Preview, clean, first_rows, sample_of, unreadable_from
from apps.imports.spec import ImportSpec

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
    """Keep the file, read its beginning, and return the run, uploaded; raises FileRefused when it cannot be read.

    `how` is what the person knows about the file. Nothing is kept when the file is refused. Raises RunRefused when the
    person has as much as one may have already.
    """
    require(why_not_open(actor))
    raw = open_table(replace(source, errors=LENIENT), spec, how)
    taken = [index for _column, index in columns_found(raw.header, spec, options)]
    chunks = raw.taking(taken)
    rows = first_rows(chain((next(chunks),), chunks))
    guessed = raw.how.encoding not in SURE and not (how and how.encoding)
    damaged = bool(unreadable_from(rows))
    unsure = guessed or damaged or bool(other_file(raw.header, spec))
    require(why_not_keep(actor, source.identity.size))
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
        header=[clean(title) for title in raw.header],
        summary={
            "unsure": unsure,
            "letters": _letters(source) if raw.how.encoding not in SURE else "",
            "sample": sample_of(rows),
        },
        options=options.as_json(),
    )


def _letters(source: SourceFile) -> str:
    # A character for each byte, since JSON keeps no bytes.
    return letters_of(source).replace(b"\x00", b"").decode("latin-1")


def is_unsure(run: ImportRun) -> bool:
    """Whether nobody knows yet that the file of a run is read rightly, whatever its titles are."""
    return bool((run.summary or {}).get("unsure"))


def asks_how(run: ImportRun) -> bool:
    """Whether a person must look at how the file of a run is read, and which column is which, before it is planned."""
    sample = (run.summary or {}).get("sample", ())
    return is_unsure(run) or needs_mapping(
        run.header, spec_named(run.spec), ImportOptions.from_json(run.options), sample
    )


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


def set_options(run: ImportRun, options: ImportOptions, *, actor: User, read: Preview | None = None) -> ImportRun:
    """Give a run that nobody has confirmed other options, and put it back to be planned; its old plan is forgotten.

    `read` is how the person wants the file to be read.

    Raises RunRefused when the person may not, the file is gone, or the run is further already.
    """
    require(why_not_decide(actor, run))
    require(why_not_start_again(run))
    require(why_not_open(run.actor, again=run))
    mapping: Mapping[str, str] | None = options.mapping
    # Who says how the file is read is sure of it.
    known = ("letters", "sample") if read else ("letters", "sample", "unsure")
    values: dict[str, Any] = {
        "status": RunStatus.UPLOADED,
        "options": options.as_json(),
        "mapping": dict(mapping) if mapping is not None else None,
        "counts": None,
        "summary": {name: kept for name, kept in (run.summary or {}).items() if name in known},
        "error": "",
        "started_at": None,
        "finished_at": None,
        "start_at": None,
    }
    if read is not None:
        values |= {"how": asdict(read.how), "header": read.header}
    if not ImportRun.objects.filter(pk=run.pk, status__in=_BEFORE_CONFIRMING).update(**values):
        run.refresh_from_db()
        raise RunRefused(f"{run} is {run.get_status_display().lower()}: it cannot be planned again.")
    PlannedRow.objects.filter(run=run).delete()
    RefusedCell.objects.filter(run=run).delete()
    run.refresh_from_db()
    return run
