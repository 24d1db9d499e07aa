"""A small world of railways, and the files that are imported into it."""

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_for
from apps.imports.results import ImportOptions
from tests.second_domain.models import Operator, Station

REGISTER = ("register number", "code", "name", "operator", "opened", "platforms", "active")


@pytest.fixture
def world(db: None) -> dict[str, Operator | Station]:
    """Two operators with three stations, made by one changeset."""
    with changeset(kind="edit", actor=None):
        sbb = Operator.objects.create(code="SBB", name="Swiss Federal Railways")
        db_ag = Operator.objects.create(code="DB", name="Deutsche Bahn")
        bern = Station.objects.create(number="85-1", code="BN", name="Bern", operator=sbb, platforms=12)
        basel = Station.objects.create(number="85-2", code="BS", name="Basel", operator=sbb, opened="1854-12-19")
        ulm = Station.objects.create(number="80-1", code="UL", name="Ulm", operator=db_ag, platforms=8)
    return {"SBB": sbb, "DB": db_ag, "BN": bern, "BS": basel, "UL": ulm}


def row(number: str, code: str, name: str, operator: str = "SBB", **more: str) -> dict[str, str]:
    """Return a row of the register's file."""
    given = {"register number": number, "code": code, "name": name, "operator": operator}
    return {"opened": "", "platforms": "", "active": "true", **given, **more}


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., ImportPlan]:
    """Return a function that plans an import of rows, of stations unless another model is given."""

    def make(*rows: dict[str, str], model: type = Station, **options: object) -> ImportPlan:
        path = tmp_path / "rows.csv"
        path.write_text(as_csv(rows), encoding="utf-8")
        return plan_import(from_path(path), spec=spec_for(model), options=ImportOptions(**options))

    return make


@pytest.fixture
def load(plan: Callable[..., ImportPlan]) -> Callable[..., Changeset | None]:
    """Return a function that imports rows."""

    def make(*rows: dict[str, str], **more: object) -> Changeset | None:
        return apply_import(plan(*rows, **more), actor=None, reason="a test")

    return make


def as_csv(rows: tuple[dict[str, str], ...]) -> str:
    """Return rows as the text of a file."""
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
