"""Round trips: an export that nobody edits changes nothing when it is imported, and three edited cells change three.

The tables hold what real ones hold at their worst: formulas, other scripts, invisible characters, every digit of a
float, corrections, pins, renamed airports, and rows made by hand.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import models, transaction

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.history.diff import changes_of
from apps.imports.models import ImportRun
from apps.imports.plan.pins import pin
from tests.imports import trips
from tests.imports.exported import FORMATS
from tests.imports.files import csv_text

pytestmark = pytest.mark.django_db

NAMES = [
    "=HYPERLINK(1)",
    "+41 Airfield",
    "-12.5",
    "@SUM(A1)",
    "'=1+1",
    "''quoted''",
    "مطار بيروت",
    "\u202eright\u202c to left",
    "zero\u200bwidth\u200djoined",
    "\ufeffmarked\ufeff",
    'the "Old" Field, North; East|West',
    "two  spaces   inside",
    "São Tomé ﬁeld, Zürich",
    "Sa\u0303o decomposed",
    "_x0041_ and &amp; <b>bold</b>",
    "NULL",
    "1E4",
    "007",
    "TRUE",
    "#N/A",
    "2024-01-02",
]
DIGITS = [39.861698150634766, -74.93360137939453, 0.1, -0.0, 1e-07, 89.99999999999999, 12.345678901234567]
TABLES = (Airport, City, Country)
# What the database keeps comes and goes in one format as in each; on PostgreSQL that is CSV.
FORMS = [pytest.param(form, marks=() if form == "csv" else pytest.mark.once) for form in FORMATS]
# For each table: the column that names a row, and three cells that a person changes.
THREE = {
    Airport: ("ident", {("KA001", "name"): "By spreadsheet", ("KA005", "elevation_ft"): 77,
                        ("HAND-1", "latitude_deg"): -7.25}),
    City: ("name", {("Windhoek", "population"): 431_000, ("São João", "timezone"): "Africa/Windhoek",
                    ("TRUE", "latitude"): 1.5}),
    Country: ("iso_code", {("NA", "name"): "Republic of Namibia", ("CI", "active"): False, ("US", "iso3"): "XXX"}),
}  # fmt: skip


@pytest.fixture
def client(operator, browse_as) -> Any:
    return browse_as(operator)


@pytest.fixture(scope="module")
def hostile(django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Three tables at their worst; each test here starts from them and is rolled back to them."""
    with django_db_blocker.unblock(), transaction.atomic():
        _make_tables(tmp_path_factory.mktemp("hostile") / "airports.csv")
        yield
        transaction.set_rollback(True)


def _make_tables(path: Path) -> None:
    """Import the airports twice and correct them in between, and make some rows by hand."""
    steward = User.objects.create(username="stan", is_staff=True)
    rows = [
        {
            "id": str(1000 + at),
            "ident": f"KA{at:03}",
            "name": name,
            "municipality": name,
            "iso_country": ("NA", "US", "CI")[at % 3],
            "latitude_deg": repr(DIGITS[at % len(DIGITS)]),
            "longitude_deg": repr(DIGITS[-at % len(DIGITS)]),
            "elevation_ft": ("", "5431", "-1266")[at % 3],
            "iata_code": ("", "NA", "0", "1E4")[at % 4],
        }
        for at, name in enumerate(NAMES)
    ]
    _import(path, rows)
    with changeset(kind="edit", actor=steward, reason="seen on site"):
        for ident, values in {"KA002": {"name": "=corrected"}, "KA003": {"elevation_ft": None}}.items():
            Airport(pk=ident, **values).save(update_fields=[*values])
    _import(path, [{**row, "ident": "KA-NEW" if row["ident"] == "KA004" else row["ident"]} for row in rows])
    pin(Airport.objects.get(pk="KA005"), "name", note="as on its sign", actor=steward)
    with changeset(kind="edit", actor=steward, reason="by hand"):
        Airport.objects.create(ident="HAND-1", name="'=by hand", airport_type="heliport", iso_country="NA")
        Airport.objects.create(ident="hand_2", name="Closed", airport_type="closed", municipality="Unlinked")
        _make_cities()


def _import(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text(csv_text(*rows), encoding="utf-8")
    call_command("import_airports", "--file", str(path), verbosity=0)


def _make_cities() -> None:
    namibia = Country.objects.get(iso_code="NA")
    Country.objects.filter(iso_code="CI").update(name="Côte d'Ivoire", latitude=7.539988994598389, longitude=-0.0)
    City.objects.create(country=namibia, name="Windhoek", timezone="Africa/Windhoek", population=2**63 - 1)
    City.objects.create(country=namibia, name="São João", ascii_name="=Sao", latitude=DIGITS[0], active=False)
    City.objects.create(country=namibia, name="Sao Joao", longitude=DIGITS[-1], population=0)


def trip(client: Any, model: type[models.Model], form: str, edits: trips.Edits | None = None, **posted) -> ImportRun:
    """Export the table, edit some cells, import the file, and return the run as it was applied."""
    data = trips.download(client, model, form)
    if edits:
        data = trips.edited(data, form, THREE[model][0], edits)
    return trips.confirmed(client, trips.planned(client, model, data, f"table.{form}", **posted))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", TABLES)
def test_an_export_that_nobody_edits_changes_nothing(client, hostile, model, form):
    before = trips.recorded(*TABLES)

    run = trip(client, model, form)

    assert (run.changeset, run.counts["unchanged"]) == (None, model.objects.count())
    assert not run.rows.exclude(kind="unchanged").exists()
    assert trips.recorded(*TABLES) == before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", TABLES)
def test_three_edited_cells_change_three_fields(client, hostile, model, form):
    key, edits = THREE[model]
    before = trips.recorded(*TABLES)

    run = trip(client, model, form, edits)

    changes = list(changes_of(run.changeset))
    found = {
        (str(getattr(change.after, key)), field.name): field.raw[1]
        for change in changes
        for field in change.fields
        if not field.derived
    }
    assert found == edits
    assert (run.changeset.kind, {change.operation for change in changes}) == ("import", {"changed"})
    assert {change.model for change in changes} == {model._meta.label_lower}
    assert sum(trips.recorded(*TABLES)) == sum(before) + 3 + 1


@pytest.mark.parametrize("model", TABLES)
def test_blank_cells_that_clear_change_nothing_where_nothing_is(client, hostile, model):
    before = trips.recorded(*TABLES)

    run = trip(client, model, "csv", blank="clear")

    assert run.changeset is None
    assert trips.recorded(*TABLES) == before


@pytest.mark.parametrize("form", FORMS)
def test_the_command_takes_an_own_export_for_what_it_is(hostile, operator, browse_as, tmp_path, capsys, form):
    path = tmp_path / f"airports.{form}"
    path.write_bytes(trips.download(browse_as(operator), Airport, form))
    before = trips.recorded(*TABLES)
    capsys.readouterr()

    call_command("import_airports", "--file", str(path), "--json")

    said = json.loads(capsys.readouterr().out)
    names = ("changeset", "unchanged", "created", "updated", "missing", "kept", "refused")
    assert [said[name] for name in names] == [None, Airport.objects.count(), 0, 0, 0, 0, 0]
    assert trips.recorded(*TABLES) == before


def test_what_upstream_said_last_is_not_touched_by_a_round_trip(client, hostile):
    before = list(Airport.objects.order_by("pk").values("pk", "upstream", "active", "country_id", "city_id"))

    trip(client, Airport, "xlsx", {("KA-NEW", "name"): "Renamed and corrected"})

    assert list(Airport.objects.order_by("pk").values("pk", "upstream", "active", "country_id", "city_id")) == before


def test_a_pinned_field_stays_where_a_spreadsheet_changes_it(client, hostile):
    run = trip(client, Airport, "ods", {("KA005", "name"): "Another sign", ("KA005", "elevation_ft"): 77})

    airport = Airport.objects.get(pk="KA005")
    assert (airport.name, airport.elevation_ft, run.counts["kept"]) == (NAMES[5], 77, 1)
