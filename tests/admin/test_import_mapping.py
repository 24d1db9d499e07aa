"""The step between upload and plan for files with other headers: a good guess, remembered, and never a traceback."""

import csv
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.airports.columns import OURAIRPORTS
from apps.imports.mapping import headers as guessing
from apps.imports.mapping.guesses import guess_columns
from apps.imports.models import HeaderMapping, ImportRun
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.opening import open_run
from tests.admin.runs import HEADER, IMPORTS

OTHERS = ["icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz"]
GUESS = {
    "ident": "icao",
    "iata_code": "iata",
    "name": "name",
    "municipality": "city",
    "iso_region": "subd",
    "iso_country": "country",
    "elevation_ft": "elevation",
    "latitude_deg": "lat",
    "longitude_deg": "lon",
}
SAMPLE = [["KDEN", "DEN", "Denver", "Denver", "Colorado", "US", "5431", "39.86", "-104.67", "America/Denver"]]


Opens = Callable[..., ImportRun]


@pytest.fixture
def opened(operator, tmp_path) -> Opens:
    """Return a function that opens a run of a file with these rows, which waits to be mapped."""

    def open_rows(*rows: list[str], corrections: bool = True) -> ImportRun:
        with (tmp_path / "table.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        options = ImportOptions(corrections=corrections)
        source = from_path(tmp_path / "table.csv")
        return open_run(source, spec=OURAIRPORTS, options=options, actor=operator, reason="a colleague's")

    return open_rows


@pytest.fixture
def run(opened: Opens) -> ImportRun:
    return opened(OTHERS, *SAMPLE)


def say(client, run, **fields):
    posted = {f"column-{field}": title for field, title in fields.items()}
    return client.post(f"{IMPORTS}{run.pk}/mapping/", {"source": "corrections", **posted})


def guessed(header: list[str]) -> dict[str, str]:
    return {guess.field: guess.title for guess in guess_columns(header, [], OURAIRPORTS)}


def test_the_guess_knows_what_others_call_it():
    assert guessed(OTHERS) == GUESS


@pytest.mark.parametrize(
    ("title", "field"),
    [("Airport Name", "name"), ("IATA-Code", "iata_code"), ("LATITUDE_DEG", "latitude_deg"), ("Town", "municipality")],
)
def test_the_guess_sees_through_case_and_punctuation(title, field):
    assert guessed([title]) == {field: title}


@pytest.mark.once
@given(header=st.lists(st.text(max_size=8), max_size=40), corrections=st.booleans())
def test_no_header_breaks_the_guess_and_no_column_is_guessed_twice(header, corrections):
    columns = guessed(header)

    guessing.needs_mapping(header, OURAIRPORTS, ImportOptions(corrections=corrections))
    assert len(set(columns.values())) == len(columns)
    assert set(columns.values()) <= set(header)


@pytest.mark.parametrize(
    ("header", "corrections", "needed"),
    [
        (HEADER, False, False),
        (OTHERS, True, True),
        (["ident", "name"], True, False),
        (["ident", "name"], False, True),
        (["ident", "lat"], True, True),
        (["ident", "nothing we know"], True, False),
        (["what", "is", "this"], True, True),
    ],
)
def test_it_is_asked_only_where_something_is_open(header, corrections, needed):
    assert guessing.needs_mapping(header, OURAIRPORTS, ImportOptions(corrections=corrections)) is needed


@pytest.mark.django_db
def test_the_page_shows_the_guess_beside_the_first_values(run, operator, browse_as):
    response = browse_as(operator).get(f"{IMPORTS}{run.pk}/mapping/")

    # Colorado is no code of a region.
    columns = {field["name"][7:]: field["title"] for field in response.context["fields"] if field["title"]}
    assert columns == {field: title for field, title in GUESS.items() if field != "iso_region"}
    assert "<code>-104.67</code>" in response.content.decode()
    assert response.context["not_taken"] == ["subd", "tz"]


@pytest.mark.django_db
def test_what_is_said_is_planned_and_remembered(run, operator, browse_as, planned):
    answer = say(browse_as(operator), run, ident="icao", latitude_deg="lat", longitude_deg="lon")

    run.refresh_from_db()
    assert answer.url == f"{IMPORTS}{run.pk}/change/"
    assert run.mapping == {"ident": "icao", "latitude_deg": "lat", "longitude_deg": "lon"}
    assert guessing.columns_taken(run.header, OURAIRPORTS, ImportOptions.from_json(run.options)) == run.mapping
    assert HeaderMapping.objects.get().mapping == run.mapping
    assert [each.pk for each in planned] == [run.pk]


@pytest.mark.django_db
def test_a_column_of_ours_that_was_not_chosen_is_not_taken(run, operator, browse_as, planned):
    say(browse_as(operator), run, ident="icao")

    options = ImportOptions.from_json(ImportRun.objects.get().options)
    assert guessing.columns_taken(OTHERS, OURAIRPORTS, options) == {"ident": "icao"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "source", "sentence"),
    [
        ({"name": "name"}, "corrections", "Say which column has the id or ident: without it no object is known."),
        ({"ident": "icao"}, "snapshot", "A snapshot of OurAirports needs the columns id, name, type"),
        ({"ident": "icao", "name": "icao"}, "corrections", "The column icao is chosen twice: for ident and for name."),
        ({"ident": "no such column"}, "corrections", "Say which column has the id or ident"),
    ],
)
def test_what_cannot_be_is_said_on_the_page(run, operator, browse_as, planned, fields, source, sentence):
    client = browse_as(operator)
    posted = {f"column-{field}": title for field, title in fields.items()}

    answer = client.post(f"{IMPORTS}{run.pk}/mapping/", {"source": source, **posted})

    assert sentence in answer.content.decode()
    assert not planned
    assert not HeaderMapping.objects.exists()


@pytest.mark.django_db
def test_a_snapshot_without_ids_is_proposed_as_corrections(operator, browse_as, opened):
    run = opened(OTHERS, *SAMPLE, corrections=False)

    response = browse_as(operator).get(f"{IMPORTS}{run.pk}/mapping/")

    assert response.context["corrections"] is True
    assert "it is proposed as corrections by hand" in response.content.decode()


@pytest.mark.django_db
def test_a_file_without_titles_is_told_that_its_first_line_would_be_lost(operator, browse_as, opened):
    run = opened(["00A", "heliport", "Foo"], ["00AA", "", ""])

    assert "No column title is known." in browse_as(operator).get(f"{IMPORTS}{run.pk}/mapping/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    [["a"], ["a", "", ""], [f"column {number}" for number in range(500)], ["<script>", "ident "], ["\x1f", "x"]],
)
def test_no_header_breaks_the_page(operator, browse_as, opened, header):
    run = opened(header, ["1"] * len(header), ["2"])
    client = browse_as(operator)

    assert client.get(f"{IMPORTS}{run.pk}/mapping/").status_code == 200
    assert client.get(f"{IMPORTS}{run.pk}/change/").status_code == 200
    assert "<script>" not in client.get(f"{IMPORTS}{run.pk}/mapping/").content.decode().replace('<script src="', "")


@pytest.mark.django_db
def test_a_run_that_waits_for_it_leads_there(run, operator, browse_as):
    text = browse_as(operator).get(f"{IMPORTS}{run.pk}/change/").content.decode()

    assert f'<a class="button" href="{IMPORTS}{run.pk}/mapping/">Say which column is which</a>' in text
    assert "db_worker" not in text


@pytest.mark.django_db
def test_once_it_is_applied_nothing_is_asked_any_more(run, operator, browse_as):
    ImportRun.objects.update(status="applied")

    answer = browse_as(operator).get(f"{IMPORTS}{run.pk}/mapping/")

    assert answer.url == f"{IMPORTS}{run.pk}/change/"
