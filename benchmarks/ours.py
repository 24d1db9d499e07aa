"""The commands of the console as a person runs them: one process each, start-up included."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement, make_empty, run_child

MANAGE = ["manage.py"]
# Without the backup that comes first: that is counted apart.
IMPORT = [*MANAGE, "import_airports", "--json", "--settings=benchmarks.console_settings"]
ROLLBACK = [*MANAGE, "rollback_airports", "--yes", "--json"]


def measure_ours(url: str, *, update: Path | None) -> Iterator[tuple[str, Measurement]]:
    """Yield the name and the measurement of each step, in one chain on one fresh database."""
    make_empty(url)
    run_child([*MANAGE, "migrate", "--verbosity", "0"], url=url)
    yield "first import", run_child([*IMPORT, "--bundled"], url=url)
    yield "re-import unchanged", run_child([*IMPORT, "--bundled"], url=url)
    reverted = run_child(ROLLBACK, url=url)
    yield "revert of the import", reverted
    yield "redo", run_child([*ROLLBACK, "--changeset", str(reverted.printed["revert"])], url=url)
    if update is None:
        return
    yield "update 2022 -> 2026", run_child([*IMPORT, "--file", str(update)], url=url)
    yield "revert of the update", run_child(ROLLBACK, url=url)
