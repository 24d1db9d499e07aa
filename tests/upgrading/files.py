"""Files that are imported before, between and after the upgrades."""

import tempfile
from pathlib import Path

from django.contrib.auth.models import User

from apps.changesets.models import Changeset
from apps.imports.models import ImportRun
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import SourceFile, from_path
from apps.imports.registry import spec_for
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import plan_run
from apps.imports.runs.opening import open_run
from tests.second_domain.conftest import as_csv, row
from tests.second_domain.models import Station

FIRST = (
    row("85-1", "BN", "Bern", platforms="12", opened="1858-06-15"),
    row("85-2", "BS", "Basel", platforms="15"),
    row("80-1", "UL", "Ulm", "DB", platforms="8", opened="1850-06-01"),
)


def import_rows(*rows: dict[str, str]) -> Changeset | None:
    """Import rows of stations."""
    return apply_import(
        plan_import(file_of(rows), spec=spec_for(Station), options=ImportOptions()), actor=None, reason=""
    )


def planned_run(model: type, *rows: dict[str, str], actor: User, reason: str) -> ImportRun:
    """Return a run of these rows whose plan waits."""
    spec = spec_for(model)
    options = ImportOptions(corrections=not spec.upstream)
    run = open_run(file_of(rows), spec=spec, options=options, actor=actor, reason=reason)
    plan_run(run)
    assert run.status == "planned", run.error
    return run


def file_of(rows: tuple[dict[str, str], ...]) -> SourceFile:
    """Return a file with these rows."""
    path = Path(tempfile.mkdtemp()) / "rows.csv"
    path.write_text(as_csv(rows), encoding="utf-8")
    return from_path(path)
