"""What an update takes through the admin, and how much memory the worker needs for each format."""

from benchmarks.run import ROLLBACK, Run

PLAN, APPLY = "upload to plan page", "confirm to applied"
STEP = ["-m", "benchmarks.steps"]


def measure_plan(run: Run) -> None:
    """Note the time from the upload of the update to the page of its plan, and from there to its changeset."""
    file = write_files(run, "CSV")["CSV"]
    step = _make_console(run)
    run.child(PLAN, [*step, "plan", file])
    run.child(APPLY, [*step, "apply"])


def measure_memory(run: Run) -> None:
    """Note what a worker takes that plans, and one that applies, the update in each format: once, since memory is even.

    Each has a process of its own, which does nothing else.
    """
    step = _make_console(run)
    for name, path in write_files(run, "CSV", "XLSX").items():
        run.plain([*step, "open", path])
        run.child(f"worker plans {name}", [*step, "work"])
        run.plain([*step, "confirm"])
        run.child(f"worker applies {name}", [*step, "work"])
        run.plain(ROLLBACK)


def write_files(run: Run, *formats: str) -> dict[str, str]:
    """Write the update in these formats, the first file where there is none; returns the paths."""
    return run.plain(["-m", "benchmarks.files", str(run.scratch), str(run.update or run.first), *formats]).printed


def _make_console(run: Run) -> list[str]:
    """Take the world of the bundled snapshot, make a user, and return how a step is called."""
    run.take("first")
    step = [*STEP, str(run.scratch)]
    run.plain([*step, "user"])
    return step
