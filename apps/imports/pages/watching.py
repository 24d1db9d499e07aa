"""Watching a run: the phase, rows done, rate and time left, as the page shows them and as its script asks for them."""

import time
from typing import Any

from django.utils import timezone

from apps.changesets.pages.links import changeset_url
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.runs.lease import is_dead
from apps.imports.runs.progress import progress_of

# How long a worker may need to take up a run.
PATIENCE_SECONDS = 10
PHASES = {
    "start": "Starting",
    "count": "Counting",
    "read": "Reading the file",
    "compare": "Comparing with what is here",
    "store": "Storing the plan",
    "load": "Loading the plan",
    "back up": "Making a backup first",
    "lock": "Waiting for other writers",
    "check": "Checking what changed meanwhile",
    "look": "Looking for findings",
    "links": "Finding countries and cities",
    "write": "Writing",
    "record": "Recording the changes",
    "stop": "Stopping",
}
WATCHED = (RunStatus.UPLOADED, RunStatus.PLANNING, RunStatus.APPROVED, RunStatus.RUNNING)
GONE = "gone"
WORKER_GONE = "Its worker has gone, and nothing was written. A worker that looks will fail it; so can you."
NO_WORKER = "No worker has taken it up yet. Is one running? It is started with: python manage.py db_worker"


def state_of(run: ImportRun, *, waits_for_mapping: bool = False) -> dict[str, Any]:
    """Return how far a run is, ready to be shown; nothing is done about one whose worker has gone."""
    snapshot = progress_of(run.pk) if run.status in BUSY else None
    percent = None
    words = _waiting_words(run)
    if snapshot is not None:
        percent = min(100, round(100 * snapshot.done / snapshot.total)) if snapshot.total else None
        words = PHASES.get(snapshot.phase, snapshot.phase.replace("_", " ").capitalize())
    gone = run.status in BUSY and is_dead(run)
    return {
        # A page opens itself anew when this changes.
        "status": GONE if gone else run.status,
        "words": words,
        "numbers": _numbers(snapshot) if snapshot else "",
        "percent": percent,
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


def _numbers(snapshot: Any) -> str:
    parts = []
    if snapshot.done:
        of = f" of {snapshot.total:,}" if snapshot.total else ""
        parts.append(f"{snapshot.done:,}{of} rows")
    if snapshot.rate:
        parts.append(f"{snapshot.rate:,.0f} a second")
    if snapshot.seconds_left is not None:
        parts.append(_left(snapshot.seconds_left))
    return " · ".join(parts)


def _left(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s left"
    return f"{round(seconds / 60)} min left"


def _warning(run: ImportRun) -> str:
    """Return a warning where a worker should have begun by now."""
    if run.status not in (RunStatus.UPLOADED, RunStatus.APPROVED):
        return ""
    since = run.confirmed_at if run.status == RunStatus.APPROVED else run.created_at
    since = max(filter(None, (since, run.start_at)), default=run.created_at)
    return NO_WORKER if time.time() - since.timestamp() > PATIENCE_SECONDS else ""
