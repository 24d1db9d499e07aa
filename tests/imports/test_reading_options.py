"""How the commands are told to read a file: its titles, its sheet, and which column is which."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.imports.mapping.headers import remember
from apps.imports.models import ImportRun
from apps.imports.reading.rows import Reading, rows_at
from apps.imports.runs.files import kept_file

# What is in a file is found out before any database is asked.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
NO_TITLES = '507,"Heathrow","London",\\N,"EGLL",51.4706\n508,"Field","Nowhere","LFX","LSZH",48.1\n'


@pytest.fixture(autouse=True)
def airports(import_file: Callable) -> None:
    """Import the airports that the files are about."""
    import_file({"ident": "EGLL"}, {"ident": "LSZH"})


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a file of corrections."""

    def write(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write


def command(path: Path, *options: str, as_json: bool = True) -> str:
    out = io.StringIO()
    more = ["--json"] if as_json else []
    call_command("import_airports", "--file", str(path), "--source", "corrections", *options, *more, stdout=out)
    return out.getvalue()


def counts(path: Path, *options: str) -> dict:
    return json.loads(command(path, *options))


def test_columns_are_named_beside_those_that_are_found(file):
    path = file("icao,name,Höhe\nEGLL,Heathrow,83\n")

    assert counts(path, "--map", "ident=icao", "elevation_ft=höhe")["updated"] == 1
    assert Airport.objects.filter(pk="EGLL", name="Heathrow", elevation_ft=83).exists()


@pytest.mark.parametrize("options", [[], ["--header-line", "none"]])
def test_columns_without_titles_are_named_by_their_places(file, options):
    path = file(NO_TITLES)

    assert "The file has no titles" in command(path, "--dry-run", "--map", "ident=column 5", as_json=False)
    done = counts(path, "--map", "ident=column 5", "name=column 2", *options)

    assert (done["total"], done["updated"]) == (2, 2)
    run = ImportRun.objects.get(pk=done["run"])
    assert run.options["mapping"] == {"ident": "column 5", "name": "column 2"}
    with kept_file(run) as source:
        assert [line for line, _row in rows_at(source, Reading(**run.how), [1, 2])] == [1, 2]


def test_titles_below_a_heading_of_several_cells_are_found_where_the_person_says(file):
    path = file("a,b\n1,2\nident,name\nEGLL,Heathrow\n")

    assert counts(path, "--header-line", "3")["updated"] == 1


def test_a_sheet_is_chosen(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["notes"])
    book.active.append(["by Ana"])
    book.create_sheet("data").append(["ident", "name"])
    book["data"].append(["EGLL", "Heathrow"])
    book.save(path := tmp_path / "book.xlsx")

    assert counts(path, "--sheet", "data")["updated"] == 1
    with pytest.raises(CommandError, match=r"book\.xlsx has no sheet Data: choose another"):
        command(path, "--sheet", "Data")


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--map", "ident"), 2, "--map ident: write COLUMN=TITLE, where COLUMN is one of id, ident"),
        (("--map", "runway=icao"), 2, "--map runway=icao: write COLUMN=TITLE"),
        (("--map", "ident=icao", "ident=name"), 2, "--map gives ident twice: icao and name."),
        (("--map", "ident=icao", "name=ICAO"), 2, "The column ICAO is chosen twice: for ident and for name."),
        (("--map", "ident=code"), 1, "table.csv has no column code, which is to fill ident. Found: icao, name."),
        (("--header-line", "0"), 1, "0 is no line: give its number, 1 or more, or none."),
        (("--header-line", "none"), 1, "lacks the columns id or ident. Found: column 1, column 2."),
        (("--sheet", "data"), 1, "table.csv has no sheet data"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(file, options, code, sentence):
    path = file("icao,name\nEGLL,Heathrow\n")

    for more in ([], ["--dry-run"]):
        with pytest.raises(CommandError) as caught:
            command(path, *options, *more)
        assert sentence in str(caught.value)
        assert caught.value.returncode == code


def test_a_mapping_of_the_admin_is_taken_and_told(file, operator):
    path = file("icao,title\nEGLL,Heathrow\n")
    with pytest.raises(CommandError, match="lacks the columns id or ident"):
        command(path)
    remember(["icao", "title"], OURAIRPORTS, {"ident": "icao", "name": "title"}, actor=operator)

    told = command(path, as_json=False)

    assert "Columns as mapped by olga on " in told
    assert "ident from icao, name from title" in told
    assert Airport.objects.get(pk="EGLL").name == "Heathrow"


def test_a_named_column_wins_over_the_mapping_of_the_admin(file, operator):
    path = file("icao,title,other\nEGLL,Heathrow,Other\n")
    remember(["icao", "title", "other"], OURAIRPORTS, {"ident": "icao", "name": "title"}, actor=operator)

    counts(path, "--map", "ident=icao", "name=other")

    assert Airport.objects.get(pk="EGLL").name == "Other"


def test_a_mapping_with_a_field_that_is_gone_is_not_taken(file, operator):
    path = file("icao,title\nEGLL,Heathrow\n")
    remember(["icao", "title"], OURAIRPORTS, {"ident": "icao", "old_field": "title"}, actor=operator)

    with pytest.raises(CommandError, match="lacks the columns id or ident"):
        command(path)


def test_cities_are_mapped_by_the_command_too(tmp_path):
    path = tmp_path / "places.csv"
    path.write_text("town,land,people\nDenver,US,700000\n")

    out = io.StringIO()
    named = ["name=town", "country code=land", "population=people"]
    call_command("import_cities", "--file", str(path), "--dry-run", "--json", "--map", *named, stdout=out)

    assert json.loads(out.getvalue())["updated"] == 1
