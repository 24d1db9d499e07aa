"""How far a run is, whether its worker is alive, and whether somebody asked it to stop."""

import socket
import time
from dataclasses import dataclass, replace

from apps.changesets.processes.progress import board, entry, where_the_board_can_be_used


@dataclass(frozen=True)
class Snapshot:
    """How far a run was at `beat`, as the machine `host` had it; times are seconds since 1970 by its clock, `done`
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


def report(run_id: int, phase: str, done: int, total: int | None = None) -> None:
    """Say how far a run is; this is its heartbeat, too. Only its worker calls this."""
    now = time.time()
    before = progress_of(run_id)
    snapshot = Snapshot(phase, done, total, started=now, phase_started=now, beat=now, host=socket.gethostname())
    if before is not None:
        same = before.phase == phase
        snapshot = replace(
            snapshot, started=before.started, phase_started=before.phase_started if same else snapshot.beat
        )
    board().set(entry(run_id, "progress"), snapshot)


def progress_of(run_id: int) -> Snapshot | None:
    """Return how far a run is, or None when no worker has reported yet, or nobody can be asked."""
    with where_the_board_can_be_used(f"How far import {run_id} is, is not known."):
        return board().get(entry(run_id, "progress"))
    return None


def ask_to_stop(run_id: int) -> None:
    """Let the worker of a run know that it is to stop; it looks twice a second. Raises BoardUnavailable."""
    board().set(entry(run_id, "stop"), True)


def is_asked_to_stop(run_id: int) -> bool:
    """Return whether somebody asked the run to stop."""
    return board().get(entry(run_id, "stop"), False)


def forget(run_id: int) -> None:
    """Forget progress and wishes of a run: it is over, or starts afresh."""
    with where_the_board_can_be_used(f"What was told of import {run_id} stays for a week."):
        board().delete_many([entry(run_id, "progress"), entry(run_id, "stop")])
