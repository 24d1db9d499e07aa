"""Rows that break a rule are refused with line, column, value and why; the others go in."""

import pytest

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusals_of(airports_file):
    def plan(*rows, **file):
        made = plan_import(from_path(airports_file(*rows, **file)), spec=OURAIRPORTS)
        made.discard()
        return [(each.line, each.column, each.value, each.rule) for each in made.refusals]

    return plan


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("id", "", "required"),
        ("id", "0", "out_of_range"),
        ("id", "-5", "out_of_range"),
        ("id", "x", "not_integer"),
        ("id", "1_000", "not_integer"),
        ("id", "9" * 30, "out_of_range"),
        ("id", "9" * 5000, "not_integer"),
        ("ident", " ", "required"),
        ("ident", "1.00E+04", "damaged"),
        ("ident", "1E+4", "damaged"),
        ("ident", "K" * 17, "too_long"),
        ("type", "", "required"),
        ("type", "spaceport", "unknown"),
        ("name", "", "required"),
        ("name", "x" * 256, "too_long"),
        ("name", "a\x00b", "control_character"),
        ("name", "a\tb", "control_character"),
        ("latitude_deg", "", "required"),
        ("latitude_deg", "nan", "not_number"),
        ("latitude_deg", "inf", "not_number"),
        ("latitude_deg", "1e400", "out_of_range"),
        ("latitude_deg", "90.0001", "out_of_range"),
        ("latitude_deg", "39,86", "decimal_comma"),
        ("latitude_deg", "1_0", "not_number"),
        ("latitude_deg", "٣", "not_number"),
        ("longitude_deg", "-180.5", "out_of_range"),
        ("longitude_deg", "west", "not_number"),
        ("elevation_ft", "11.5", "not_integer"),
        ("elevation_ft", "high", "not_integer"),
        ("elevation_ft", "3000000000", "out_of_range"),
        ("iso_country", "", "required"),
        ("iso_country", "QQ", "unknown"),
        ("iso_country", "us", "unknown"),
        ("iso_region", "x" * 11, "too_long"),
        ("iata_code", "x" * 9, "too_long"),
    ],
)
def test_bad_cell_is_refused_with_its_place(refusals_of, column, value, rule):
    refusals = refusals_of({}, {column: value}, {})

    assert refusals == [(3, column, value[:200].replace("\x00", "\N{REPLACEMENT CHARACTER}"), rule)]


@pytest.mark.parametrize(
    ("column", "value", "field", "stored"),
    [
        ("elevation_ft", "11.0", "elevation_ft", 11),
        ("elevation_ft", "", "elevation_ft", None),
        ("elevation_ft", "-1266", "elevation_ft", -1266),
        ("iata_code", "", "iata_code", None),
        ("iata_code", "0", "iata_code", "0"),
        ("iata_code", "NA", "iata_code", "NA"),
        ("iso_country", "NA", "iso_country", "NA"),
        ("ident", "1E4", "ident", "1E4"),
        ("ident", "00aa", "ident", "00aa"),
        ("name", "  Two  Spaces ", "name", "Two  Spaces"),
        ("name", "São Tomé", "search_name", "são tomé"),
        ("name", "Two  Spaces", "search_name", "two spaces"),
        ("latitude_deg", "-0", "latitude_deg", 0.0),
        ("latitude_deg", " 1e1 ", "latitude_deg", 10.0),
        ("longitude_deg", "-74.93360137939453", "longitude_deg", -74.93360137939453),
        ("municipality", "", "municipality", ""),
    ],
)
def test_good_cell_is_stored_as_it_is_meant(import_file, column, value, field, stored):
    import_file({column: value})

    assert getattr(Airport.objects.get(), field) == stored


@pytest.mark.parametrize("code", ["XK", "XP", "ZZ"])
def test_codes_that_iso_lacks_are_known(import_file, code):
    assert import_file({"iso_country": code})["countries_created"] == 1


def test_every_bad_cell_of_a_row_is_named_and_the_row_counted_once(import_file, refusals_of):
    row = {"latitude_deg": "north", "type": "?"}

    assert len(refusals_of(row)) == 2
    assert import_file(row, {})["refused"] == 1


def test_the_hint_says_what_to_do(airports_file):
    plan = plan_import(from_path(airports_file({"latitude_deg": "39,86"})), spec=OURAIRPORTS)
    plan.discard()

    assert str(plan.refusals[0]) == "line 2, latitude_deg: '39,86': write 39.86 with a point"


def test_lines_are_counted_through_cells_with_line_breaks(refusals_of):
    assert refusals_of({"keywords": "a\nb"}, {"type": "?"}) == [(4, "type", "?", "unknown")]


@pytest.mark.parametrize(("column", "value"), [("ident", "KDEN"), ("id", "77")])
def test_a_key_twice_in_the_file_refuses_both_rows_and_names_both_lines(airports_file, column, value):
    plan = plan_import(from_path(airports_file({column: value}, {}, {column: value})), spec=OURAIRPORTS)
    plan.discard()

    assert [each.line for each in plan.refusals] == [2, 4]
    assert "line 4 has the same" in plan.refusals[0].hint
    assert "line 2 has the same" in plan.refusals[1].hint
    assert (plan.counts.created, plan.counts.refused) == (1, 2)


def test_a_key_shared_with_a_refused_row_is_twice_too(import_file):
    result = import_file({"ident": "KDEN", "type": "?"}, {"ident": "KDEN"})

    assert (result["created"], result["refused"]) == (0, 2)


def test_a_refused_row_is_not_missing(import_file):
    import_file({}, {})

    result = import_file({}, {"latitude_deg": "bad"})

    assert (result["refused"], result["missing"], result["unchanged"]) == (1, 0, 1)


def test_a_refused_nul_character_does_not_stop_the_others(import_file):
    result = import_file({}, {"name": "a\x00b", "ident": "K\x00"})

    assert (result["created"], result["refused"]) == (1, 1)
