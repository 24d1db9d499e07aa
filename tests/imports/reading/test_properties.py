"""Whatever stands in a table, written in any format and read again it is the same."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
import tablib
from hypothesis import given
from hypothesis import strategies as st

from apps.imports.reading.sources import from_path
from tests.imports.reading.conftest import table_of

pytestmark = pytest.mark.once

# What each format cannot carry, or what its writer changes: control characters and "\r" in XML; a cell that begins
# with "=" is a formula to openpyxl, and "_x0041_" a letter to Excel; one of "#N/A" is an error.
ANYTHING = st.characters(exclude_characters="\x00", exclude_categories=("Cs",))
XML = st.characters(exclude_characters="\ufffe\uffff_=#", exclude_categories=("Cs", "Cc"))
TITLES = ["id", "naïve title", "x"]


def tables(characters: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    row = st.lists(st.text(characters, max_size=12), min_size=3, max_size=3).filter(lambda row: "".join(row).strip())
    return st.lists(row, min_size=1, max_size=8).map(lambda rows: [TITLES, *rows])


def read_again(content: bytes, **how: str) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        return table_of(from_path(path), **how)


def delimited(table: list[list[str]], **options: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, **options).writerows(table)
    return out.getvalue()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@given(table=tables(ANYTHING))
def test_delimited_text_is_the_same_again(table, delimiter, codec):
    assert read_again(delimited(table, delimiter=delimiter).encode(codec)) == table


@given(table=tables(st.characters(codec="cp1252", exclude_characters="\x00")))
def test_windows_letters_are_the_same_again(table):
    assert read_again(delimited(table).encode("cp1252"), encoding="cp1252") == table


@given(table=tables(ANYTHING))
def test_json_is_the_same_again(table):
    rows = [dict(zip(TITLES, row, strict=True)) for row in table[1:]]

    assert read_again(json.dumps(rows).encode()) == table
    assert read_again(json.dumps(rows, ensure_ascii=False).encode("utf-16")) == table


@pytest.mark.parametrize("form", ["xlsx", "ods"])
@given(table=tables(XML))
def test_sheets_are_the_same_again(table, form):
    data = tablib.Dataset(*table[1:], headers=TITLES)
    filled = [row for row in table[1:] if any(row)] or [["-", "", ""]]
    if not any(map(any, table[1:])):
        data = tablib.Dataset(*filled, headers=TITLES)

    assert read_again(data.export(form)) == [TITLES, *filled]


@given(number=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_numbers_of_an_ods_keep_every_digit(number):
    again = read_again(tablib.Dataset([number], headers=["id"]).export("ods"))[1][0]

    assert float(again) == number
    # Beyond that, a float stands for more than one whole number, and stays a float.
    assert not again.endswith(".0") or abs(number) > 2**53
