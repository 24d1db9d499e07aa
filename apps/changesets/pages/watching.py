"""Work of a worker as pages show it: the phase, what is done, rate and time left."""

from typing import Any

from apps.changesets.processes.watched import Snapshot

# How long a worker may need to take up a run.
PATIENCE_SECONDS = 10
PHASES = {
    "start": "Starting",
    "count": "Counting",
    "read": "Reading the file",
    "compare": "Comparing with the present data",
    "store": "Storing the plan",
    "load": "Loading the plan",
    "back up": "Making a backup first",
    "lock": "Waiting for other writers",
    "check": "Checking what changed meanwhile",
    "look": "Looking for findings",
    "links": "Finding countries and cities",
    "write": "Writing",
    "record": "Recording the changes",
    "settle": "Checking for conflicts",
    "stop": "Stopping",
}
GONE = "gone"
WORKER_GONE = "Its worker has stopped, and nothing was written. Another worker will mark it as failed, or you can."
NO_WORKER = "No worker has started it yet. Start a worker with: python manage.py db_worker"


def shown(snapshot: Snapshot | None, *, waiting: str) -> dict[str, Any]:
    """Return how far work is in words, with its numbers and percent; `waiting` is said of what nobody reported on."""
    if snapshot is None:
        return {"words": waiting, "numbers": "", "percent": None}
    return {
        "words": PHASES.get(snapshot.phase, snapshot.phase.replace("_", " ").capitalize()),
        "numbers": _numbers(snapshot),
        "percent": min(100, round(100 * snapshot.done / snapshot.total)) if snapshot.total else None,
    }


def _numbers(snapshot: Snapshot) -> str:
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
