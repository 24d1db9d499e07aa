"""Files that are no table, are damaged or beyond a limit: one sentence that says what to do, nothing left behind."""

import gzip
import os

import pytest

from apps.imports import errors
from apps.imports.reading import sources, streams, tables, xml_stream, zips
from apps.imports.reading.rows import read
from apps.imports.reading.tables import CELL_CHARACTERS
from tests.imports.reading.conftest import ods, ods_row, rows_of, table_of, xlsx, zipped

pytestmark = pytest.mark.once

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (b"", errors.FileEmpty, "is empty"),
        (b"\n\r\n\n", errors.FileEmpty, "is empty"),
        (gzip.compress(b""), errors.FileEmpty, "is empty"),
        (b"id,name\n", errors.NoRows, "has a header but no rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", errors.NotATable, "is a PNG picture, not a table"),
        (b"%PDF-1.7\n", errors.NotATable, "is a PDF document, not a table"),
        (gzip.compress(b"%PDF-1.7\n"), errors.NotATable, "is a PDF document"),
        (b"<!DOCTYPE html><html>", errors.NotATable, "is a web page or XML"),
        (OLE + bytes(600), errors.NotATable, "is an old Excel file (.xls)"),
        (OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), errors.FileLocked, "is protected by a password"),
        (gzip.compress(xlsx("")), errors.NotATable, "unpack it first"),
        (zipped(**{"a.csv": "id\n1\n"}), errors.NotATable, "is a zip file, not a table: unpack it"),
        (zipped(**{"[Content_Types].xml": "", "word/document.xml": ""}), errors.NotATable, "is a Word document"),
        (zipped(**{"[Content_Types].xml": "", "xl/workbook.bin": ""}), errors.NotATable, "is a binary Excel file"),
        (zipped(mimetype="application/vnd.oasis.opendocument.text"), errors.NotATable, "is an OpenDocument text"),
        (b'id,name\n1,"open\n2,b\n', errors.FileDamaged, "ends inside a quoted cell: a quote is left open"),
        (b'id,name\n1,"a"b\n', errors.FileDamaged, "line 2 is not CSV"),
        (b"id,name\n1," + b"x" * 10_000_000 + b"\n", errors.CellRefused, "line 2: a cell is longer than 131,072"),
        (b'id,name\n1,"' + b"x,y\n" * 50_000, errors.CellRefused, "is a quote left open?"),
        (b"id,name,ID\n1,a,2\n", errors.ColumnTwice, "has the column ID twice, as columns 1 and 3"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(refusal, content, error, sentence):
    caught = refusal(content)

    assert type(caught) is error
    assert sentence in str(caught)


@pytest.mark.parametrize("whole", [xlsx('<row r="1"><c t="str"><v>id</v></c></row>' * 9), ods(ods_row("id") * 9)])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_sheet_cut_short_is_refused(refusal, whole, part):
    assert "is damaged or cut short" in str(refusal(whole[: int(len(whole) * part)], "cut.xlsx"))


def test_a_gzip_file_cut_short_is_refused(refusal):
    whole = gzip.compress(os.urandom(200_000).hex().encode() + b"\n1\n")

    assert "is damaged or cut short" in str(refusal(whole[: len(whole) // 2]))


def test_a_column_without_a_name_is_let_be(source):
    assert table_of(source("id,,name,\n1,x,a,y\n")) == [["id", "", "name", ""], ["1", "x", "a", "y"]]


def test_a_file_over_200_mb_is_refused_without_being_read(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(sources.SIZE_LIMIT + 1)

    with pytest.raises(errors.FileTooLarge, match=r"large\.csv is larger than 200 MB"):
        read(sources.from_path(path))


def test_a_gzip_file_that_unpacks_to_too_much_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(streams, "INFLATED_LIMIT", 2**20)

    assert "unpacks to more than 1 MB" in str(refusal(gzip.compress(b"id,name\n" + b"1,a\n" * 300_000)))


def test_a_row_of_millions_of_cells_is_refused(refusal):
    error = refusal(b"id,name\n1,a\n" + b"," * 17_000_000)

    assert isinstance(error, errors.FileTooLarge)
    assert "hold more than 16 MB" in str(error)


def test_long_rows_are_read_in_smaller_chunks(source):
    file = source(b"id,name\n" + (b"1," + b"x" * 60_000 + b"\n") * 1000)

    assert len(rows_of(file)) == 1000
    assert max(len(chunk.rows) for chunk in read(file).chunks) <= 200


def bomb() -> bytes:
    """Return an XLSX of 20 kB whose sheet unpacks to 20 MB."""
    return xlsx(b'<row r="1"><c t="str"><v>id</v></c></row>' + b"<row></row>" * 2_000_000)


def test_a_sheet_that_unpacks_to_too_much_is_refused_by_what_its_directory_says(refusal, monkeypatch):
    monkeypatch.setattr(zips, "INFLATED_LIMIT", 2**20)

    assert "unpacks to more than 1 MB" in str(refusal(bomb(), "bomb.xlsx"))


def test_a_sheet_that_lies_about_its_size_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(zips, "INFLATED_LIMIT", 2**20)
    content = bytearray(bomb())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    content[place + 24 : place + 28] = (1000).to_bytes(4, "little")

    assert isinstance(refusal(bytes(content), "bomb.xlsx"), errors.FileDamaged | errors.FileTooLarge)


def test_texts_of_a_sheet_beyond_the_limit_are_refused(refusal, monkeypatch):
    from apps.imports.reading import xlsx as reader

    monkeypatch.setattr(reader, "STRINGS_LIMIT", 2**20)
    content = xlsx("", strings="".join(f"<si><t>{number}</t></si>" for number in range(50_000)))

    assert "MB" in str(refusal(content, "texts.xlsx"))


def test_an_archive_with_a_million_parts_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(zips, "DIRECTORY_LIMIT", 100)

    assert "has too many parts" in str(refusal(bomb(), "parts.xlsx"))


@pytest.mark.parametrize("name", ["long.xlsx", "long.ods", "long.json"])
def test_a_cell_that_is_too_long_is_refused_in_every_format(refusal, name):
    long = "x" * (CELL_CHARACTERS + 1)
    contents = {
        "long.xlsx": xlsx(f'<row r="1"><c t="s"><v>0</v></c></row><row r="2"><c t="str"><v>{long}</v></c></row>',
                          strings="<si><t>id</t></si>"),
        "long.ods": ods(ods_row("id") + ods_row(long)),
        "long.json": f'[{{"id": "{long}"}}]',
    }  # fmt: skip

    assert "a cell is longer than 131,072 characters" in str(refusal(contents[name], name))


def test_a_sheet_with_more_rows_than_a_sheet_has_is_refused(refusal):
    assert "has more than 1048576 rows" in str(refusal(bomb(), "rows.xlsx"))


def test_a_sheet_that_claims_its_last_column_in_every_row_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(tables, "TABLE_CELLS", 1_000_000)

    assert "cells by line 63" in str(refusal(xlsx('<row><c r="XFD1"><v>1</v></c></row>' * 100), "wide.xlsx"))


def test_entities_that_grow_are_refused(refusal):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    content = zipped(**{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": laughs})

    assert "declares a document type" in str(refusal(content, "laughs.ods"))


ROW = '<row r="1"><c t="str"><v>id</v></c></row>'
CELL = ods_row("id")


@pytest.mark.parametrize(
    "junk", ["<x/>", "<row><x/></row>", '<row><c r="A9"/></row>', '<row><c r="A9" s="1"><v></v></c></row>']
)
@pytest.mark.parametrize("before", ["", ROW])
def test_a_sheet_full_of_elements_without_a_value_is_refused(refusal, monkeypatch, junk, before):
    monkeypatch.setattr(xml_stream, "MOST_EMPTY", 1000)

    error = refusal(xlsx(before + junk * 4000), "junk.xlsx")

    assert "more than 1,000 elements beside its values: save the table as CSV." in str(error)


@pytest.mark.parametrize(
    "junk", ["<x/>", "<table:table-row/>", "<table:table-row><table:table-cell/></table:table-row>"]
)
@pytest.mark.parametrize("before", ["", CELL])
def test_an_ods_full_of_elements_without_a_value_is_refused(refusal, monkeypatch, junk, before):
    monkeypatch.setattr(xml_stream, "MOST_EMPTY", 1000)

    assert "more than 1,000 elements beside its values" in str(refusal(ods(before + junk * 4000), "junk.ods"))


def test_other_parts_full_of_elements_without_a_value_are_refused(refusal, monkeypatch):
    monkeypatch.setattr(xml_stream, "MOST_EMPTY", 1000)

    assert "beside its values" in str(refusal(xlsx(ROW, strings="<x/>" * 4000), "texts.xlsx"))


def test_many_rows_with_a_value_each_are_no_junk(source, monkeypatch):
    monkeypatch.setattr(xml_stream, "MOST_EMPTY", 100)
    row = '<row><c t="str"><v>id</v></c><c s="1"/><c s="1"/><c s="1"/></row>'

    assert len(rows_of(source(xlsx(row * 2000), "rows.xlsx"))) == 1999
    assert len(rows_of(source(ods(ods_row("id") * 2000), "rows.ods"))) == 1999


@pytest.mark.parametrize("piece", ['<x a="{}"/>', "<!--{}-->", "<{}/>", "<?x {}?>"])
def test_a_sheet_with_an_endless_piece_is_refused(refusal, piece):
    error = refusal(xlsx(piece.format("x" * 3_000_000)), "piece.xlsx")

    assert "has a piece of more than 1 MB between two tags: save it again." in str(error)
