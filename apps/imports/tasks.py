"""Planning and applying, at once or by a worker (a stand-in until the worker's module is merged)."""

from importlib import import_module

from apps.imports.models import ImportRun


def start_planning(run: ImportRun) -> None:
    """Plan a run."""
    import_module("apps.imports.runs.planning").plan_run(run)


def start_applying(run: ImportRun) -> None:
    """Apply a run."""
    import_module("apps.imports.runs.applying").apply_run(run)
