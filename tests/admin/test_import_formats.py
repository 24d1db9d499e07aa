"""Every format and encoding through the upload page, with format and encoding left to be found out."""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from odf import opendocument, table, text

from apps.airports.models import Airport
from tests.imports import trips
from tests.imports.files import COLUMNS, ROW, csv_text

# What is in a file is found out before any database is asked.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
# Letters of Windows-1252 and of every encoding of Unicode, two beyond those of Latin-1.
NAME = "Zürich\N{EN DASH}Kloten, São João\N{RIGHT SINGLE QUOTATION MARK}s"
BEYOND = "مطار بيروت 成田 😀"
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8 with mark": lambda content: codecs.BOM_UTF8 + content.encode(),
    "utf-16-le with mark": lambda content: codecs.BOM_UTF16_LE + content.encode("utf-16-le"),
    "utf-16-be with mark": lambda content: codecs.BOM_UTF16_BE + content.encode("utf-16-be"),
}


def as_csv(row: dict[str, str], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([COLUMNS, [row.get(column, "") for column in COLUMNS]])
    return out.getvalue()


def as_xlsx(row: dict[str, str]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(COLUMNS)
    book.active.append([_typed(row.get(column, "")) for column in COLUMNS])
    book.save(out)
    return out.getvalue()


def as_ods(row: dict[str, str]) -> bytes:
    book, out = opendocument.OpenDocumentSpreadsheet(), io.BytesIO()
    sheet = table.Table(name="airports")
    for cells in (COLUMNS, [row.get(column, "") for column in COLUMNS]):
        line = table.TableRow()
        for value in map(_typed, cells):
            kind = {"valuetype": "float", "value": value} if isinstance(value, float) else {"valuetype": "string"}
            cell = table.TableCell(**kind)
            cell.addElement(text.P(text=str(value)))
            line.addElement(cell)
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
    book.write(out)
    return out.getvalue()


def _typed(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


TEXTS: dict[str, Callable[[dict[str, str]], str]] = {
    "csv": as_csv,
    "tsv": lambda row: as_csv(row, "\t"),
    "json": lambda row: json.dumps([row], ensure_ascii=False),
}
SHEETS: dict[str, Callable[[dict[str, str]], bytes]] = {"xlsx": as_xlsx, "ods": as_ods}


@pytest.fixture
def client(operator, browse_as) -> Any:
    return browse_as(operator)


def imported(client: Any, data: bytes, name: str) -> tuple[str, Airport]:
    """Upload and confirm a file, and return what format it was found to be and the airport that it made."""
    run = trips.confirmed(client, trips.planned(client, Airport, data, name))
    return run.how["format"], Airport.objects.get()


def row(name: str) -> dict[str, str]:
    return {**ROW, "name": name, "municipality": name}


def values(airport: Airport) -> list[Any]:
    return [airport.name, airport.city.name, airport.latitude_deg, airport.elevation_ft, airport.iata_code]


def expected(name: str) -> list[Any]:
    return [name, name, 39.861698150635, 5431, "DEN"]


@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_of_a_text_file_is_found_out(client, form, encoding):
    name = f"{NAME} {BEYOND}"

    found, airport = imported(client, ENCODINGS[encoding](TEXTS[form](row(name))), f"airports.{form}")

    assert found == form
    assert values(airport) == expected(name)


@pytest.mark.parametrize("form", SHEETS)
def test_a_sheet_is_found_out_and_read(client, form):
    name = f"{NAME} {BEYOND}"

    found, airport = imported(client, SHEETS[form](row(name)), f"airports.{form}")

    assert found == form
    assert values(airport) == expected(name)


@pytest.mark.parametrize("form", [*TEXTS, *SHEETS])
def test_the_format_is_found_out_whatever_the_file_is_called(client, form):
    data = SHEETS[form](row(NAME)) if form in SHEETS else TEXTS[form](row(NAME)).encode()

    found, airport = imported(client, data, "download")

    assert found == form
    assert values(airport) == expected(NAME)


def test_a_file_packed_with_gzip_is_unpacked(client):
    found, airport = imported(client, gzip.compress(as_csv(row(NAME)).encode()), "airports.csv.gz")

    assert (found, airport.name) == ("csv", NAME)


def test_an_encoding_that_was_chosen_wins_over_what_would_be_found(client):
    content = csv_text({"name": "K\N{LATIN SMALL LETTER O WITH DIAERESIS}ln"}).encode("cp1252")

    run = trips.planned(client, Airport, content, "airports.csv", encoding="cp1252")

    assert (run.how["encoding"], run.rows.get().label) == ("cp1252", "Köln")


def test_an_encoding_that_the_file_contradicts_is_refused_in_a_sentence(client):
    answer = trips.upload(
        client, Airport, "\ufeffid,ident\n1,A\n".encode("utf-16-le"), "airports.csv", encoding="utf-8"
    )

    assert answer.context["form"].errors["import_file"] == [
        "airports.csv is encoded as utf-16, not utf-8: choose utf-16, or let it be found."
    ]
