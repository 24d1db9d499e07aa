"""Files of cities and countries, and what an import of them would do and does."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions

CORRECTIONS = ImportOptions(corrections=True)


def table(header: str, *rows: str) -> str:
    """Return a CSV file of a header and rows that are written as people write them: `a, b, c`."""
    out = io.StringIO()
    writer = csv.writer(out)
    for line in (header, *rows):
        writer.writerow([cell.strip() for cell in line.split(",")])
    return out.getvalue()


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., ImportPlan]:
    """Return a function that plans the import of a table: `plan_of("cities", header, *rows)`."""

    def make(spec: str, header: str, *rows: str) -> ImportPlan:
        path = tmp_path / f"{spec}.csv"
        path.write_text(table(header, *rows), encoding="utf-8")
        return plan_import(from_path(path), spec=spec_named(spec), options=CORRECTIONS)

    return make


@pytest.fixture
def import_table(plan_of: Callable[..., ImportPlan]) -> Callable[..., tuple[ImportPlan, Changeset | None]]:
    """Return a function that plans and applies a table and returns the plan and the changeset."""

    def run(spec: str, header: str, *rows: str) -> tuple[ImportPlan, Changeset | None]:
        plan = plan_of(spec, header, *rows)
        return plan, apply_import(plan, actor=None, reason="by hand")

    return run


@pytest.fixture
def switzerland(db: None) -> Country:
    """A country."""
    return Country.objects.create(iso_code="CH", name="Switzerland", iso3="CHE")


@pytest.fixture
def zurich(switzerland: Country) -> City:
    """A city of it."""
    return City.objects.create(country=switzerland, name="Zürich", latitude=47.4, longitude=8.5)
