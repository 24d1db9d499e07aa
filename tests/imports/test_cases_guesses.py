"""Columns under foreign titles, or none: what they are is guessed from titles and values, with a reason for each."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.imports.mapping.changes import ValueChange
from apps.imports.mapping.guesses import Guess, guess_columns
from apps.imports.mapping.headers import needs_mapping, recall, remember
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, changes_from_json

CASES = Path(__file__).parent / "cases"


def case(name: str) -> Path:
    (path,) = CASES.glob(f"{name}-*")
    return path


def table(name: str, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a case, which is small."""
    text = case(name).read_text()
    if case(name).suffix == ".json":
        rows = json.loads(text)
        return list(rows[0]), [[str(cell) for cell in row.values()] for row in rows]
    header, *rows = csv.reader(text.splitlines(), delimiter=delimiter)
    return header, rows


def guesses(name: str, spec: str = "ourairports", delimiter: str = ",") -> dict[str, Guess]:
    header, rows = table(name, delimiter)
    return {guess.field: guess for guess in guess_columns(header, rows, spec_named(spec))}


def asks(name: str, spec: str = "ourairports", delimiter: str = ",") -> bool:
    header, rows = table(name, delimiter)
    return needs_mapping(header, spec_named(spec), ImportOptions(corrections=True), rows)


def imported_as_guessed(name: str, spec: str = "ourairports", delimiter: str = ",") -> ImportPlan:
    found = guesses(name, spec, delimiter)
    options = ImportOptions(
        corrections=True,
        mapping={guess.field: guess.title for guess in found.values()},
        changes={guess.field: (guess.change,) for guess in found.values() if guess.change},
    )
    plan = plan_import(from_path(case(name)), spec=spec_named(spec), options=options)
    apply_import(plan, actor=None, reason="a test")
    return plan


@pytest.fixture
def two(db: None, import_file: Callable[..., dict]) -> None:
    import_file(
        {"ident": "KDEN", "iso_country": "US", "iso_region": "US-CO"},
        {"ident": "LSZH", "name": "Zurich Airport", "iso_country": "CH", "iso_region": "CH-ZH", "longitude_deg": "2"},
    )


def test_02_an_id_beside_foreign_titles_is_not_guessed():
    found = guesses("02")

    assert "source_id" not in found
    assert found["ident"].title == "icao"
    assert asks("02")


def test_03_the_number_of_a_city_is_trusted_unasked_only_in_an_export_of_ours():
    export = [column.field for column in spec_named("cities").columns]

    assert "id" not in guesses("03", "cities")
    assert asks("03", "cities")
    assert not needs_mapping(export, spec_named("cities"), ImportOptions(corrections=True), [])


def test_09_names_of_regions_are_not_guessed_as_codes_of_regions():
    assert set(guesses("09")) == {"ident", "name"}


def test_10_a_decimal_comma_is_guessed_from_the_values(two):
    plan = imported_as_guessed("10", delimiter=";")

    assert not plan.refusals
    airport = Airport.objects.get(pk="LSZH")
    assert (airport.latitude_deg, airport.longitude_deg, airport.elevation_ft) == (47.458056, 8.548056, 1417)


def test_10_the_options_may_say_so_beforehand(two):
    options = ImportOptions(corrections=True, decimal="comma")
    header, rows = table("10", ";")

    assert asks("10", delimiter=";")
    assert not needs_mapping(header, spec_named("ourairports"), options, rows)
    plan_import(from_path(case("10")), spec=spec_named("ourairports"), options=options)


def test_21_values_alone_tell_codes_names_and_positions():
    first, rows = table("21")
    header = [f"column {number}" for number in range(1, 15)]

    found = {guess.field: guess for guess in guess_columns(header, [first, *rows], spec_named("ourairports"))}

    places = {field: guess.place + 1 for field, guess in found.items()}
    assert places == {
        "name": 2,
        "municipality": 3,
        "iso_country": 4,
        "iata_code": 5,
        "ident": 6,
        "latitude_deg": 7,
        "longitude_deg": 8,
        "elevation_ft": 9,
    }
    assert found["iata_code"].why == "its values look like IATA codes (three capital letters): LHR"
    assert found["iso_country"].change == ValueChange("country_code")


def test_26_two_coordinates_in_a_cell_are_split_in_the_order_of_the_values(two):
    found = guesses("26")

    assert (found["latitude_deg"].change, found["longitude_deg"].change) == (
        ValueChange("part", "2"),
        ValueChange("part", "1"),
    )
    assert "goes past 90" in found["latitude_deg"].why
    imported_as_guessed("26")
    assert list(Airport.objects.order_by("pk").values_list("latitude_deg", "longitude_deg")) == [
        (39.861698150635, -104.672996521),
        (47.458056, 8.548056),
    ]


def test_text_and_numbers_under_foreign_titles_are_no_names_and_no_elevations():
    header = ["ident", "remark", "length"]

    found = guess_columns(header, [["KDEN", "Runway closed", "5000"]], spec_named("ourairports"))

    assert [guess.field for guess in found] == ["ident"]


@pytest.mark.parametrize(
    ("title", "values", "spec", "guess"),
    [
        ("Höhe", ["1655", "433"], "ourairports", None),
        ("elevation (m)", ["1655", "433"], "ourairports", ("elevation_ft", "feet")),
        ("kind", ["Large Airport", "disused"], "ourairports", ("airport_type", "airport_type")),
        ("class", ["Large Airport", "disused"], "ourairports", ("airport_type", "airport_type")),
        ("land", ["Deutschland", "España", "Ελβετία"], "ourairports", ("iso_country", "country_code")),
        ("land", ["Bayern", "Wallis"], "ourairports", None),
        ("where", ["Switzerland", "France"], "ourairports", ("iso_country", "country_code")),
        ("code", ["ZRH", "DEN"], "ourairports", ("iata_code", None)),
        ("code", ["LSZH", "00AK"], "ourairports", ("ident", None)),
        ("three", ["CHE", "FRA"], "countries", ("iso3", None)),
        ("continent", ["NA", "AF"], "ourairports", None),
        ("division", ["US-CO", "CH-ZH"], "ourairports", ("iso_region", None)),
        ("clock", ["Europe/Zurich", "America/Denver"], "cities", ("timezone", None)),
        ("inhabitants", ["341 730", "715 522"], "cities", ("population", "thousands:space")),
        ("population", ["341,730", "715,522"], "cities", ("population", None)),
        ("name", ["{...}", "{...}"], "countries", None),
    ],
)
def test_a_column_is_guessed_by_its_title_and_values_together(title, values, spec, guess):
    found = guess_columns([title], [[value] for value in values], spec_named(spec))

    assert [(each.field, str(each.change) if each.change else None) for each in found] == ([guess] if guess else [])


def test_a_title_of_ours_whose_values_are_something_else_leads_to_the_page():
    header, rows = ["ident", "region"], [["KDEN", "Colorado"]]

    assert needs_mapping(header, spec_named("ourairports"), ImportOptions(corrections=True), rows)
    assert not needs_mapping(header, spec_named("ourairports"), ImportOptions(corrections=True), [["KDEN", "US-CO"]])


def test_what_values_need_is_remembered_with_the_mapping(db):
    header, changes = ["a", "b"], {"elevation_ft": (ValueChange("feet"),)}

    remember(header, spec_named("ourairports"), {"elevation_ft": "b"}, changes=changes, actor=None)

    known = recall(header, spec_named("ourairports"))
    assert changes_from_json(known.changes) == changes


def test_28_names_of_countries_become_codes(two):
    Airport.objects.update(iso_country="FR")

    plan = imported_as_guessed("28")

    assert not plan.refusals
    assert list(Airport.objects.order_by("pk").values_list("iso_country", flat=True)) == ["US", "CH"]


@pytest.mark.parametrize("header", [["country", "iso2"], ["iso2", "country"]])
def test_codes_of_countries_come_before_their_names_under_a_title_of_ours(header):
    row = dict(zip(["country", "iso2"], ["Switzerland", "CH"], strict=True))

    found = guess_columns(["name", *header], [["Bern", *(row[title] for title in header)]], spec_named("cities"))

    assert {guess.field: (guess.title, guess.change) for guess in found}["country"] == ("iso2", None)


def test_29_short_titles_of_a_city_are_guessed_and_not_dropped_unasked(db):
    Country.objects.create(iso_code="CH", name="Switzerland")

    assert asks("29", "cities")
    imported_as_guessed("29", "cities")
    assert (City.objects.get().latitude, City.objects.get().longitude) == (47.1, 8.2)


def test_30_others_call_the_codes_of_a_country_alpha_2_and_alpha_3(db):
    assert asks("30", "countries")
    imported_as_guessed("30", "countries")

    assert list(Country.objects.values_list("iso_code", "iso3", "name")) == [("CH", "CHE", "Switzerland")]


@pytest.mark.parametrize(("name", "kind"), [("05", "airports"), ("06", "cities")])
def test_05_06_a_point_stands_between_thousands_where_a_person_says_so(two, name, kind):
    City.objects.filter(name="Denver", country__iso_code="CH").update(name="Zurich", search_name="zurich")
    spec = "ourairports" if kind == "airports" else "cities"
    options = ImportOptions(corrections=True, thousands="point")

    plan = plan_import(from_path(case(name)), spec=spec_named(spec), options=options)
    apply_import(plan, actor=None, reason="a test")

    assert not plan.refusals
    if kind == "airports":
        assert list(Airport.objects.order_by("pk").values_list("elevation_ft", flat=True)) == [5000, 1417]
    else:
        assert City.objects.get(name="Zurich").population == 341_000


def test_a_command_takes_the_decimal_sign_and_that_of_thousands(two, tmp_path):
    file = tmp_path / "germany.csv"
    file.write_text("ident;latitude_deg;elevation_ft\nLSZH;47,458;1.417\n")

    call_command("import_airports", f"--file={file}", "--source=corrections", "--decimal=comma", "--thousands=point")

    airport = Airport.objects.get(pk="LSZH")
    assert (airport.latitude_deg, airport.elevation_ft) == (47.458, 1417)


def test_the_country_says_which_of_two_coordinates_comes_first():
    header = ["code", "name", "country", "coordinates"]
    rows = [
        ["LSZH", "Zurich", "Switzerland", "8.548, 47.458"],
        ["LSGG", "Geneva", "Switzerland", "6.109, 46.238"],
        ["EDDF", "Frankfurt", "Germany", "8.570, 50.033"],
    ]

    found = {guess.field: guess for guess in guess_columns(header, rows, spec_named("ourairports"))}
    turned = [[*row[:3], ", ".join(reversed(row[3].split(", ")))] for row in rows]
    straight = {guess.field: guess for guess in guess_columns(header, turned, spec_named("ourairports"))}

    assert found["latitude_deg"].change == straight["longitude_deg"].change == ValueChange("part", "2")
    assert found["longitude_deg"].change == straight["latitude_deg"].change == ValueChange("part", "1")
    assert found["latitude_deg"].why == "two numbers, the longitude first: 3 of 3 points lie in their country so"
