"""Rows as files: every format gives back exactly what the table has."""

from io import BytesIO
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tablib.exceptions import UnsupportedFormat
from tablib.formats import registry

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.text import harmless, unguard
from apps.imports.export.formats import FORMATS
from apps.imports.export.tables import ExportColumn, Table, resource_of
from apps.imports.reading import rows as reading
from apps.imports.reading.sources import from_path
from tests.imports.exported import READERS

# A machine that is busy with other things is no failure.
BY_NAME = dict(zip(("csv", "tsv", "xlsx", "ods", "json"), FORMATS, strict=True))
AirportResource, CityResource, CountryResource = map(resource_of, (Airport, City, Country))
HEADERS = {
    AirportResource: "source_id ident iata_code name airport_type latitude_deg longitude_deg elevation_ft iso_country"
    " iso_region municipality gps_code icao_code local_code scheduled_service keywords",
    CityResource: "id country name ascii_name latitude longitude timezone population active",
    CountryResource: "iso_code iso3 name latitude longitude active",
}


def read(table: Table, form: str) -> list[list]:
    """Write the table in a format and read it back."""
    out = BytesIO()
    BY_NAME[form]().write(table, out)
    return list(READERS[form](out.getvalue()))


def one_cell(value: object, form: str) -> object:
    """Write one value between two others, and return what is read."""
    columns = tuple(ExportColumn(name, is_text=True) for name in "abc")
    return read(Table("things", columns, iter([["x", harmless(value), "y"]])), form)[1][1]


def test_the_formats_know_themselves_without_the_libraries_of_others(monkeypatch):
    def lacks(_key: str) -> None:
        raise UnsupportedFormat("no library")

    monkeypatch.setattr(registry, "get_format", lacks)

    assert [each().get_title() for each in FORMATS if each().can_import() and each().can_export()] == list(BY_NAME)
    assert [each().get_extension() for each in FORMATS] == list(BY_NAME)


@pytest.mark.parametrize("resource", HEADERS)
def test_the_columns_are_the_ones_that_an_import_reads(resource, db):
    assert resource().table(resource._meta.model.objects.all()).header == HEADERS[resource].split()
    assert resource().get_export_headers() == HEADERS[resource].split()


@pytest.mark.parametrize("form", BY_NAME)
def test_every_kind_of_value_comes_back(form, db):
    usa = Country.objects.create(iso_code="US", name="United States")
    denver = City.objects.create(
        country=usa, name="Denver", population=2_997_000, latitude=39.7392, timezone="America/Denver", active=False
    )

    rows = read(CityResource().table(City.objects.all()), form)

    row = [denver.pk, "US", "Denver", "Denver", 39.7392, None, "America/Denver", 2_997_000, False]
    if form in ("csv", "tsv"):
        row = [str(denver.pk), "US", "Denver", "Denver", "39.7392", "", "America/Denver", "2997000", "false"]
    assert rows == [HEADERS[CityResource].split(), row]


@pytest.mark.parametrize("form", BY_NAME)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_to_the_last_digit(form, number):
    read_back = one_cell(number, form)

    assert float(read_back) == number
    assert isinstance(read_back, str) is (form in ("csv", "tsv"))


@pytest.mark.parametrize("form", BY_NAME)
@given(number=st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_comes_back_to_the_last_digit(form, number):
    assert int(one_cell(number, form)) == number


@pytest.mark.parametrize("form", BY_NAME)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_a_text_comes_back_as_it_was(form, text):
    assert unguard(one_cell(text, form)) == text


@pytest.mark.parametrize("form", ["csv", "tsv", "json"])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_text_formats_keep_control_characters_too(form, text):
    assert unguard(one_cell(text, form)) == text


@pytest.mark.parametrize("form", BY_NAME)
@pytest.mark.parametrize("text", ["_x0041_", "a_x000D_b", "_x005F_x0041_", "__x0041__x", "_xyzw_"])
def test_what_excel_would_take_for_a_character_stays_text(form, text):
    out = BytesIO()
    BY_NAME[form]().write(Table("things", (ExportColumn("a", is_text=True),), iter([[text]])), out)
    with NamedTemporaryFile(suffix=f".{form}") as file:
        file.write(out.getvalue())
        file.flush()
        assert [row for chunk in reading.read(from_path(file.name)).chunks for row in chunk.rows] == [[text]]


@pytest.mark.parametrize("form", ["xlsx", "ods"])
@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_an_empty_cell_of_a_sheet(form, value):
    assert one_cell(value, form) is None


@pytest.mark.parametrize("form", ["xlsx", "ods"])
@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_marked_as_lost(form, character):
    assert one_cell(f"a{character}b", form) == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("form", BY_NAME)
@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_written_as_harmless_text(form, number):
    assert unguard(one_cell(number, form)) == str(number)


@pytest.mark.parametrize("form", BY_NAME)
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "'=1", "#N/A", "1E4", "007", "NA"])
def test_text_stays_text_and_no_formula(form, text):
    assert one_cell(text, form) == harmless(text)
    assert isinstance(one_cell(text, form), str)


@pytest.mark.parametrize("form", BY_NAME)
def test_an_empty_table_is_a_header_alone(form, db):
    assert read(AirportResource().table(Airport.objects.none()), form) == [
        [] if form == "json" else HEADERS[AirportResource].split()
    ]


def test_a_spreadsheet_keeps_what_is_typed_into_a_column_of_text(db):
    columns = {column.header: column.is_text for column in CityResource().table(City.objects.all()).columns}

    assert columns == {
        **dict.fromkeys(("country", "name", "ascii_name", "timezone"), True),
        **dict.fromkeys(("id", "latitude", "longitude", "population", "active"), False),
    }


def test_whoever_exports_through_import_export_gets_the_same_rows(db):
    Airport.objects.create(ident="A1", name="=1+1", airport_type="heliport", latitude_deg=-12.5)

    dataset = AirportResource().export()

    assert dataset.headers == HEADERS[AirportResource].split()
    assert [*dataset] == [(None, "A1", None, "'=1+1", "heliport", -12.5, None, None, "", "", "", *[None] * 5)]
