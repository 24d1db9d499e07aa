"""What an update takes through the admin, and how much memory the worker needs for each format."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement, make_empty, run_child

PLAN, APPLY = "upload to plan page", "confirm to applied"
_MANAGE = ["manage.py"]


def write_update_files(url: str, *, update: Path, scratch: Path, rows: int = 0) -> dict[str, str]:
    """Write the update in all formats, and one of so many rows; returns the paths."""
    sizes = [str(rows)] if rows else []
    return run_child(["-m", "benchmarks.files", str(scratch), str(update), *sizes], url=url).printed


def measure_pages(url: str, *, files: dict[str, str], scratch: Path) -> Iterator[tuple[str, Measurement]]:
    """Yield the time from the upload of the update to the page of its plan, and from there to its changeset."""
    step = _make_console(url, scratch)
    yield PLAN, run_child([*step, "plan", files["CSV"]], url=url)
    yield APPLY, run_child([*step, "apply"], url=url)


def measure_memory(url: str, *, files: dict[str, str], scratch: Path) -> Iterator[tuple[str, Measurement]]:
    """Yield what a worker takes that plans, and one that applies, the update in each format; the large file it plans.

    Each has a process of its own, which does nothing else.
    """
    step = _make_console(url, scratch)
    for name, path in files.items():
        run_child([*step, "open", path], url=url)
        yield f"worker plans {name}", run_child([*step, "work"], url=url)
        if name == "large CSV":
            continue
        run_child([*step, "confirm"], url=url)
        yield f"worker applies {name}", run_child([*step, "work"], url=url)
        run_child([*_MANAGE, "rollback_airports", "--yes", "--json"], url=url)


def _make_console(url: str, scratch: Path) -> list[str]:
    """Fill a fresh database with the bundled snapshot, make a user, and return how a step is called."""
    make_empty(url)
    run_child([*_MANAGE, "migrate", "--verbosity", "0"], url=url)
    run_child([*_MANAGE, "import_airports", "--bundled", "--json"], url=url)
    step = ["-m", "benchmarks.pages", str(scratch)]
    run_child([*step, "user"], url=url)
    return step
