"""Watching a run: the phase, rows done, rate and time left, as the page shows them and as its script asks for them."""

import time
from typing import Any

from django.utils import timezone

from apps.changesets.pages.links import changeset_url
from apps.changesets.pages.watching import GONE, NO_WORKER, PATIENCE_SECONDS, WORKER_GONE, shown
from apps.changesets.processes.watched import progress_of
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.runs.lease import is_dead

WATCHED = (RunStatus.UPLOADED, RunStatus.PLANNING, RunStatus.APPROVED, RunStatus.RUNNING)


def state_of(run: ImportRun, *, waits_for_mapping: bool = False) -> dict[str, Any]:
    """Return how far a run is, ready to be shown; nothing is done about one whose worker has gone."""
    snapshot = progress_of(run.pk) if run.status in BUSY else None
    gone = run.status in BUSY and is_dead(run)
    return {
        # A page opens itself anew when this changes.
        "status": GONE if gone else run.status,
        **shown(snapshot, waiting=_waiting_words(run)),
        # Where the page leads when the run is applied: to what the import did.
        "next": changeset_url(run.changeset_id) if run.status == RunStatus.APPLIED and run.changeset_id else "",
        "warning": WORKER_GONE if gone else "" if waits_for_mapping else _warning(run),
    }


_WAITING: dict[str, str] = {RunStatus.APPROVED: "Waiting to start", RunStatus.PLANNING: "Planning"}


def _waiting_words(run: ImportRun) -> str:
    if run.status == RunStatus.UPLOADED:
        return "Waiting to be planned"
    if run.status == RunStatus.APPROVED and run.start_at and run.start_at > timezone.now():
        at = timezone.localtime(run.start_at)
        return f"Confirmed, to start on {at:%d %B at %H:%M} ({at.tzname()})"
    return _WAITING.get(run.status, "Running")


def _warning(run: ImportRun) -> str:
    """Return a warning where a worker should have begun by now."""
    if run.status not in (RunStatus.UPLOADED, RunStatus.APPROVED):
        return ""
    since = run.confirmed_at if run.status == RunStatus.APPROVED else run.created_at
    since = max(filter(None, (since, run.start_at)), default=run.created_at)
    return NO_WORKER if time.time() - since.timestamp() > PATIENCE_SECONDS else ""
