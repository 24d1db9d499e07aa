"""Cities and countries through a stored plan: what the plan says is written, and what moved is left alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun, RunStatus
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.opening import open_run
from tests.base.conftest import table

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., ImportRun]:
    """Return a function that opens and plans a run over a table."""

    def plan(spec: str, header: str, *rows: str, **options: object) -> ImportRun:
        path = tmp_path / "file.csv"
        path.write_text(table(header, *rows), encoding="utf-8")
        chosen = ImportOptions(corrections=True, **options)
        run = open_run(from_path(path), spec=spec_named(spec), options=chosen, actor=None, reason="by hand")
        plan_run(run)
        run.refresh_from_db()
        assert run.status == RunStatus.PLANNED, run.error
        return run

    return plan


def apply(run: ImportRun) -> Changeset | None:
    ImportRun.objects.filter(pk=run.pk).update(status=RunStatus.APPROVED)
    made = apply_run(run)
    run.refresh_from_db()
    assert run.status == RunStatus.APPLIED, run.error
    return made


def left_alone(run: ImportRun) -> list[tuple[int, str]]:
    return list(run.rows.exclude(left_alone="").order_by("line").values_list("line", "left_alone"))


def test_new_and_changed_cities_are_written(planned, zurich):
    Country.objects.create(iso_code="DE", name="Germany")

    apply(planned("cities", "id,country,name,population,active", f"{zurich.pk},DE,,7,no", ",CH,Genève,8,"))

    cities = City.objects.order_by("pk").values_list("country__iso_code", "name", "slug", "population", "active")
    assert list(cities) == [("DE", "Zürich", "zurich", 7, False), ("CH", "Genève", "geneve", 8, True)]


def test_new_and_changed_countries_are_written(planned, switzerland):
    run = planned("countries", "iso_code,name,latitude", "CH,Suisse,47", "DE,Germany,")
    assert not run.rows.filter(renamed=True).exists()

    apply(run)

    rows = Country.objects.order_by("pk").values_list("iso_code", "name", "slug", "latitude")
    assert list(rows) == [("CH", "Suisse", "switzerland", 47.0), ("DE", "Germany", "germany", None)]


def test_blank_cell_clears_where_that_is_asked_for(planned, zurich):
    City.objects.update(population=5, timezone="Europe/Zurich")

    apply(planned("cities", "country,name,population,timezone", "CH,Zürich,,", blank="clear"))

    zurich.refresh_from_db()
    assert (zurich.population, zurich.timezone, zurich.latitude) == (None, "", 47.4)


def test_city_that_somebody_made_meanwhile_is_left_alone(planned, switzerland):
    run = planned("cities", "country,name", "CH,Bern", "CH,Basel")
    bern = City.objects.create(country=switzerland, name="Bern")

    apply(run)

    assert left_alone(run) == [(2, f"Bern (id {bern.pk}) has this country and name already")]
    assert City.objects.count() == 2


def test_row_whose_country_somebody_deleted_meanwhile_is_left_alone(planned, switzerland):
    germany = Country.objects.create(iso_code="DE", name="Germany")
    run = planned("cities", "country,name", "CH,Bern", "DE,Berlin")
    germany.delete()

    apply(run)

    assert [line for line, _why in left_alone(run)] == [3]
    assert list(City.objects.values_list("name", flat=True)) == ["Bern"]


def test_city_that_would_move_to_a_country_deleted_meanwhile_is_left_alone(planned, zurich):
    germany = Country.objects.create(iso_code="DE", name="Germany")
    run = planned("cities", "id,country", f"{zurich.pk},DE")
    germany.delete()

    assert apply(run) is None
    assert [line for line, _why in left_alone(run)] == [2]
