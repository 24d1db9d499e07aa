"""The sign of life of workers (`manage.py db_worker`), for those who wait for one."""

import time

from apps.changesets.processes.progress import board, entry, where_the_board_can_be_used

BEAT_SECONDS = 10
# A worker that was not heard of for so long is gone.
SILENT_SECONDS = 60


def note_worker() -> None:
    """Leave a sign that a worker lives."""
    with where_the_board_can_be_used("Nobody sees that this worker lives."):
        board().set(entry("worker"), time.time(), timeout=None)


def worker_heard_of() -> float | None:
    """Return how many seconds ago a worker was last heard of; None where none ever was."""
    at: float | None = board().get(entry("worker"))
    # A clock that was set back makes a time in the future.
    return None if at is None else max(time.time() - at, 0)
