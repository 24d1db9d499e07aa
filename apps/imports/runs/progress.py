"""Progress of runs, outside the database (a stand-in until the worker's module is merged)."""

from dataclasses import dataclass

from django.core.cache import caches


@dataclass(frozen=True)
class Snapshot:
    """How far a run is."""

    phase: str
    done: int = 0
    total: int = 0
    started: float = 0
    phase_started: float = 0
    beat: float = 0
    rate: float = 0
    seconds_left: float | None = None


def progress_of(run_id: int) -> Snapshot | None:
    """Return how far a run is, or None when nobody has said so."""
    return caches["progress"].get(f"import-{run_id}")
