"""How far work of a worker is (a run, a plan), whether the worker is alive, and whether somebody asked it to stop.

A piece of work is known by a key: the number of a run, the name of anything else.
"""

import socket
import time
from dataclasses import dataclass, replace
from typing import cast

from apps.changesets.processes.progress import board, entry, where_the_board_can_be_used


@dataclass(frozen=True)
class Snapshot:
    """How far work was at `beat`, as the machine `host` had it; times are seconds since 1970 by its clock, `done`
    counts the rows of this phase.
    """

    phase: str
    done: int
    total: int | None
    started: float
    phase_started: float
    beat: float
    host: str = ""

    @property
    def is_from_here(self) -> bool:
        """Whether this machine made it: clocks of others may differ."""
        return self.host == socket.gethostname()

    @property
    def rate(self) -> float | None:
        """Rows a second in this phase."""
        seconds = self.beat - self.phase_started
        return self.done / seconds if self.done and seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """How many seconds this phase will take from now on, where that is known."""
        if self.total is None or self.rate is None:
            return None
        return max(self.total - self.done, 0) / self.rate


def report(key: int | str, phase: str, done: int, total: int | None = None) -> None:
    """Say how far the work is; this is its heartbeat, too. Only its worker calls this."""
    now = time.time()
    before = progress_of(key)
    snapshot = Snapshot(phase, done, total, started=now, phase_started=now, beat=now, host=socket.gethostname())
    if before is not None:
        same = before.phase == phase
        snapshot = replace(
            snapshot, started=before.started, phase_started=before.phase_started if same else snapshot.beat
        )
    board().set(entry(key, "progress"), snapshot)


def progress_of(key: int | str) -> Snapshot | None:
    """Return how far the work is, or None when no worker has reported yet, or nobody can be asked."""
    with where_the_board_can_be_used(f"How far {key} is, is not known."):
        return cast("Snapshot | None", board().get(entry(key, "progress")))
    return None


def ask_to_stop(key: int | str) -> None:
    """Let the worker know that it is to stop; it looks twice a second. Raises BoardUnavailable."""
    board().set(entry(key, "stop"), True)


def is_asked_to_stop(key: int | str) -> bool:
    """Return whether somebody asked the work to stop."""
    asked: bool = board().get(entry(key, "stop"), False)
    return asked


def forget(key: int | str) -> None:
    """Forget progress and wishes of the work: it is over, or starts afresh."""
    with where_the_board_can_be_used(f"What was told of {key} stays for a week."):
        board().delete_many([entry(key, "progress"), entry(key, "stop")])
