"""Imports of a model whose primary key is text that people choose, and that has no other key that stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from apps.airports.models import Airport
from apps.imports.checks import check_specs
from apps.imports.errors import OptionsContradict
from apps.imports.mapping.columns import Column
from apps.imports.plan.apply import apply_import
from apps.imports.plan.checks import check_options
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_for
from apps.imports.results import ImportOptions
from apps.imports.spec import ImportSpec

COLUMNS = (Column("ident", required=True), Column("name", required=True), Column("airport_type", required=True))


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch) -> ImportSpec:
    monkeypatch.setattr(Airport, "tracking", replace(Airport.tracking, stable_key=None))
    return ImportSpec(name="plain", model=Airport, columns=COLUMNS)


@pytest.mark.django_db
def test_corrections_change_what_is_there_and_make_what_is_not(spec: ImportSpec, tmp_path: Path) -> None:
    Airport.objects.create(ident="KDEN", name="Denver", airport_type="large_airport")
    rows = tmp_path / "rows.csv"
    rows.write_text("ident,name,airport_type\nKDEN,Denver International,large_airport\nLSZH,Zurich,large_airport\n")

    plan = plan_import(from_path(rows), spec=spec, options=ImportOptions(corrections=True))
    made = apply_import(plan, actor=None)

    assert made is not None
    assert {name: made.summary["counts"][name] for name in ("created", "updated", "refused")} == {
        "created": 1,
        "updated": 1,
        "refused": 0,
    }
    assert Airport.objects.get(pk="KDEN").name == "Denver International"


def test_what_cannot_be_inactive_is_not_deactivated(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(spec_for(Airport))
    monkeypatch.setitem(vars(spec), "active", None)

    with pytest.raises(OptionsContradict, match="Airports cannot be inactive"):
        check_options(spec, ImportOptions(missing="deactivate"))


def test_an_upstream_without_a_key_that_stays_is_refused_by_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Airport, "tracking", replace(Airport.tracking, stable_key=None))

    assert [message.id for message in check_specs()] == ["imports.E001"]
