"""Runs for tests: opened, planned, and larger than what is done at once."""

from collections.abc import Callable

import pytest

from apps.airports.columns import OURAIRPORTS
from apps.imports.models import ImportRun, RunStatus
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.opening import open_run


@pytest.fixture
def opened(airports_file: Callable) -> Callable[..., ImportRun]:
    """Return a function that opens a run over the rows given."""

    def open_it(*rows: dict[str, str], actor: object = None, **more: object) -> ImportRun:
        source = from_path(airports_file(*(rows or ({},))))
        lock = more.pop("lock", None)
        run = open_run(
            source, actor=actor, **{"spec": OURAIRPORTS, "options": ImportOptions(), "reason": "a test"} | more
        )
        return put(run, RunStatus.UPLOADED, lock=lock)

    return open_it


@pytest.fixture
def planned(opened: Callable[..., ImportRun]) -> Callable[..., ImportRun]:
    """Return a function that opens and plans a run over the rows given."""

    def plan(*rows: dict[str, str], **more: object) -> ImportRun:
        run = opened(*rows, **more)
        plan_run(run)
        run.refresh_from_db()
        return run

    return plan


def put(run: ImportRun, status: RunStatus, **values: object) -> ImportRun:
    """Put a run into a state, however it would have come there."""
    ImportRun.objects.filter(pk=run.pk).update(status=status, **values)
    run.refresh_from_db()
    return run


@pytest.fixture
def confirmed_and_applied() -> Callable[[ImportRun], ImportRun]:
    """Return a function that confirms and applies a planned run and returns it."""

    def apply(run: ImportRun) -> ImportRun:
        apply_run(put(run, RunStatus.APPROVED))
        run.refresh_from_db()
        assert run.status == RunStatus.APPLIED, run.error
        return run

    return apply
