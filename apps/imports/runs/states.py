"""The states of a run: one process at a time moves it on, and the log says how it ended."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from apps.changesets.errors import ChangesetError
from apps.changesets.processes.failures import FAILURES, Cause, cause_of, sentence_with_words
from apps.imports.errors import (
    BeyondLimits,
    ImportFailure,
    NumbersContradicted,
    RunCancelled,
    RunRefused,
    TooManyRefused,
)
from apps.imports.models import Decision, ImportRun, PlannedRow, RowKind, RunStatus
from apps.imports.plan.missing import above_limit
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, Progress, quiet

# One line for each run, from a page or a command; monitoring knows the logger by this name.
logger = logging.getLogger("apps.imports.update")


def changed_rows(run: ImportRun) -> int:
    """Return how many objects the plan creates, changes or removes; what people decided to take counts, too."""
    counts = run.counts or {}
    # Superseded objects are deleted, and are among the missing to change where those are deleted anyway.
    gone = max(counts.get("missing_to_change", 0), counts.get("superseded", 0))
    taken = run.rows.filter(decision=Decision.TAKE).exclude(kind__in=[RowKind.NEW, RowKind.CHANGED]).count()
    return counts.get("created", 0) + counts.get("updated", 0) + gone + taken + _changed_by_disputed(run)


def _changed_by_disputed(run: ImportRun) -> int:
    """Return how many objects the disputed rows write that people decided about; some make another one give way."""
    if not (run.counts or {}).get("disputed"):
        return 0
    rows = run.rows.filter(disputed__isnull=False)
    keyed = rows.filter(decision__in=(Decision.ID, Decision.IDENT)).count()
    return keyed + _gives_way(run).count()


def _gives_way(run: ImportRun) -> QuerySet[PlannedRow]:
    """Return the disputed rows whose first key counts as a person decided, so that the object of the others goes."""
    return run.rows.filter(decision=Decision.ID, disputed__lone=True)


def above_limit_as_decided(run: ImportRun) -> str:
    """Return the sentence that too many objects would go, those included that give way as decided, or nothing."""
    counts, planned = run.counts or {}, str((run.summary or {}).get("missing_above_limit", ""))
    if planned or not counts.get("disputed") or not (gone := _gives_way(run).count()):
        return planned
    to_change = counts.get("missing_to_change", 0)
    spec, options = spec_named(run.spec), ImportOptions.from_json(run.options)
    return above_limit(spec, options, to_change and to_change + gone, counts.get("superseded", 0) + gone)


def claim(run: ImportRun, before: RunStatus, after: RunStatus) -> None:
    """Move the run on in one statement that only one can win; raises RunRefused when it is not where it should be."""
    now = timezone.now()
    if not ImportRun.objects.filter(pk=run.pk, status=before).update(status=after, started_at=now, error=""):
        run.refresh_from_db(fields=["status"])
        raise RunRefused(f"{run} is {run.get_status_display().lower()}: it is not there to be taken up.")
    run.status, run.started_at, run.error = after, now, ""


def move(run: ImportRun, after: RunStatus, **values: Any) -> None:
    """Move on, in the database, a run that this process took up.

    Raises RunRefused when it is not this process's any more: it reported nothing for so long (a laptop that slept) that
    the run was failed, and perhaps taken up by another process.
    """
    own = ImportRun.objects.filter(pk=run.pk, status=run.status, started_at=run.started_at)
    if not own.update(status=after, **values):
        raise _given_up(run)


def hold(run: ImportRun) -> None:
    """Lock a run that this process took up until the open transaction ends.

    Raises RunRefused when it is not this process's any more.
    """
    own = ImportRun.objects.filter(pk=run.pk, status=run.status, started_at=run.started_at)
    if not own.select_for_update().exists():
        raise _given_up(run)


def end(run: ImportRun, status: RunStatus, *, error: str = "", outcome: str = "") -> None:
    """End a run that wrote nothing and free its lock, unless another process has taken it up."""
    ended = {"error": error, "lock": None, "finished_at": timezone.now()}
    with suppress(RunRefused):
        move(run, status, **ended)
        vars(run).update(ended, status=status)
        log_end(run, outcome or str(status))


@contextmanager
def ending(run: ImportRun, progress: Progress) -> Iterator[None]:
    """Any error inside the block ends the run, with a sentence; one that is no failure of an import is raised again."""
    try:
        yield
    except RunRefused:
        # Another process has taken it up.
        raise
    except (ImportFailure, ChangesetError, *FAILURES) as error:
        fail(run, error, progress)
    except BaseException as error:
        fail(run, error, progress)
        raise


def fail(run: ImportRun, error: BaseException, progress: Progress = quiet) -> None:
    """End a run that an error stopped; an interrupted statement means that the run was cancelled."""
    if cause_of(error) == Cause.UNREACHABLE and not connection.in_atomic_block:
        # Perhaps only this connection was lost: how the run ended is written through a new one.
        connection.close()
    try:
        if isinstance(error, RunCancelled):
            raise error
        progress("stop", 0)
    except RunCancelled:
        end(run, RunStatus.CANCELLED)
        return
    if isinstance(error, FAILURES):
        sentence = sentence_with_words(error)
    elif isinstance(error, ImportFailure | ChangesetError):
        sentence = str(error)
    else:
        sentence = f"{type(error).__name__}: {' '.join(str(error).split())}"
    # Some sentences say so already.
    if not re.search("[Nn]othing was (imported|changed)", sentence):
        sentence += " Nothing was written."
    refused = isinstance(error, TooManyRefused | NumbersContradicted | BeyondLimits)
    end(run, RunStatus.FAILED, error=sentence, outcome="refused" if refused else "failed")


def log_end(run: ImportRun, outcome: str, *, error: str = "") -> None:
    """Write one line of JSON to the log: how a run ended."""
    now = timezone.now()
    error = error or run.error
    line = {
        "event": run.command or "import",
        "run": run.pk,
        "changeset": run.changeset_id,
        "counts": run.counts or {},
        "duration_s": round((now - (run.started_at or now)).total_seconds(), 3),
        "backup": (run.summary or {}).get("backup"),
        "outcome": outcome,
    }
    logger.info(json.dumps({**line, "error": error} if error else line))


def _given_up(run: ImportRun) -> RunRefused:
    return RunRefused(f"{run} was not heard of for so long that it was given up: nothing was written.")
