"""Small changes of values before they are parsed: what each makes of cells, and what it leaves alone."""

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.base.models import Country
from apps.imports.mapping.changes import CHANGES, ValueChange, changed, why_not_change
from apps.imports.mapping.layout import changes_for
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions

ARGUMENTS = {"blank": "?|unknown", "thousands": "point", "round": "1", "part": "2", "constant": "CH"}
# Those that ask no database.
PURE = sorted(set(CHANGES) - {"country_code"})

once = pytest.mark.once


def after(name: str, *cells: str, argument: str = "") -> list[str]:
    return changed(cells, [ValueChange(name, argument)])


@once
@given(name=st.sampled_from(PURE), cells=st.lists(st.text(max_size=20), max_size=10))
def test_no_cell_breaks_a_change_and_none_is_lost(name, cells):
    assert len(after(name, *cells, argument=ARGUMENTS.get(name, ""))) == len(cells)


@once
@given(st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_a_decimal_comma_is_the_same_number(number):
    assert after("decimal_comma", f"{number:f}".replace(".", ",")) == [f"{number:f}"]


@once
@pytest.mark.parametrize("sign", ["point", "comma", "space", "apostrophe"])
@given(number=st.integers(min_value=-(10**12), max_value=10**12))
def test_signs_between_thousands_are_taken_off(sign, number):
    character = {"point": ".", "comma": ",", "space": " ", "apostrophe": "'"}[sign]

    assert after("thousands", f"{number:,}".replace(",", character), argument=sign) == [str(number)]


@once
@given(st.floats(-90, 90).map(lambda value: f"{value:.6f}"), st.floats(-180, 180).map(lambda value: f"{value:.6f}"))
def test_two_numbers_in_a_cell_are_found_however_they_are_written(first, second):
    cells = (f"{first},{second}", f"({first}; {second})", f"POINT({first} {second})", f"{first} , {second}",
             f"{first.replace('.', ',')} / {second.replace('.', ',')}")  # fmt: skip

    assert after("part", *cells, argument="1") == [first] * 5
    assert after("part", *cells, argument="2") == [second] * 5


@once
@pytest.mark.parametrize(
    ("name", "argument", "cell", "becomes"),
    [
        ("trim", "", "  a   b ", "a b"),
        ("upper", "", "kden", "KDEN"),
        ("blank", "?|Unknown", "unknown", ""),
        ("blank", "?|unknown", "known", "known"),
        ("decimal_comma", "", "1.417,5", "1417.5"),
        ("decimal_comma", "", "5.000", "5.000"),
        ("thousands", "point", "1.417,5", "1417,5"),
        ("thousands", "point", "1.41", "1.41"),
        ("thousands", "space", "341\u202f000", "341000"),
        ("round", "0", "1416.5", "1417"),
        ("round", "0", "high", "high"),
        ("feet", "", "1655 m", "5430"),
        ("feet", "", "-4", "-13"),
        ("feet", "", "9" * 50, "9" * 50),
        ("round", "2", "9" * 50, "9" * 50),
        # A beach or a mountain: refused by the parser.
        ("feet", "", "1.655", "1.655"),
        ("part", "2", "47.45", "47.45"),
        ("constant", "CH", "", "CH"),
        ("airport_type", "", "Large Airport", "large_airport"),
        ("airport_type", "", "disused", "closed"),
        ("airport_type", "", "airport", "airport"),
    ],
)
def test_a_change_makes_of_a_cell(name, argument, cell, becomes):
    assert after(name, cell, argument=argument) == [becomes]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cell", "code"),
    [("United States", "US"), ("Korea, Republic of", "KR"), ("Côte d'Ivoire", "CI"), ("che", "CH"), ("ch", "CH"),
     ("Russia", "RU"), ("Türkiye", "TR"), ("Kosovo", "XK"), ("St. Lucia", "LC"), ("Atlantis", "Atlantis"), ("", ""),
     ("Cote d'Ivoire", "CI"), ("Reunion", "RE"), ("The Gambia", "GM"), ("Fiji Islands", "FJ"), ("Macau S.A.R", "MO")],
)  # fmt: skip
def test_the_name_of_a_country_becomes_its_code(cell, code):
    assert after("country_code", cell) == [code]


@pytest.mark.django_db
def test_names_that_people_here_gave_to_countries_become_codes_however_they_are_written():
    Country.objects.create(iso_code="QX", name="Åland & Beyond")

    assert after("country_code", "Åland & Beyond", "ÅLAND  & beyond ") == ["QX", "QX"]


@pytest.mark.django_db
def test_a_name_that_is_no_country_is_refused_as_such(tmp_path):
    path = tmp_path / "towns.csv"
    path.write_text("country,name\nAtlantis,Poseidonia\n")
    options = ImportOptions(corrections=True, changes={"country": (ValueChange("country_code"),)})

    (refusal,) = plan_import(from_path(path), spec=spec_named("cities"), options=options).refusals

    assert "country: 'Atlantis': no country is known by this name: write its code in two letters" in str(refusal)


@once
def test_a_point_between_thousands_does_not_touch_coordinates_with_a_decimal_point():
    columns = {column.field: column for column in OURAIRPORTS.columns}
    options = ImportOptions(thousands="point")

    assert changes_for(columns["elevation_ft"], OURAIRPORTS, options) == [ValueChange("thousands", "point")]
    assert changes_for(columns["latitude_deg"], OURAIRPORTS, options) == []
    assert changes_for(columns["name"], OURAIRPORTS, options) == []


@once
@pytest.mark.parametrize(
    ("change", "sentence"),
    [(ValueChange("miles"), "There is no change of values called miles"),
     (ValueChange("round", "x"), "The change round needs how many decimals stay, 0 to 9, not x."),
     (ValueChange("feet", "2"), "The change feet takes nothing beside it")],
)  # fmt: skip
def test_a_change_that_there_is_not_says_why(change, sentence):
    assert sentence in (why_not_change(change) or "")


@once
def test_options_with_changes_come_back_from_json():
    options = ImportOptions(changes={"elevation_ft": (ValueChange("feet"), ValueChange("round", "0"))}, decimal="comma")

    assert ImportOptions.from_json(options.as_json()) == options


@pytest.mark.django_db
def test_a_command_changes_values_and_fills_a_field_that_no_column_has(import_file, tmp_path):
    import_file({"ident": "KDEN", "iso_country": "US"})
    file = tmp_path / "file.csv"
    file.write_text("ident,elevation_ft\nKDEN,1655\n")

    call_command(
        "import_airports", f"--file={file}", "--source=corrections",
        "--change=elevation_ft=feet", "--change=municipality=constant:Denver Town",
    )  # fmt: skip

    assert Airport.objects.values_list("elevation_ft", "municipality").get() == (5430, "Denver Town")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [("height=feet", "no field is called height"), ("elevation_ft=miles", "no change of values called miles")],
)
def test_a_command_refuses_a_change_that_there_is_not(change, sentence):
    with pytest.raises(CommandError, match=sentence) as refusal:
        call_command("import_airports", "--bundled", f"--change={change}")

    assert refusal.value.returncode == 2
