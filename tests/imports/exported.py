"""Reading an export back, with readers that are not ours."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import openpyxl
from django.test import Client
from odf import opendocument, table, teletype

FORMATS = {"csv": "0", "tsv": "1", "xlsx": "2", "ods": "3", "json": "4"}


def export(client: Client, address: str, form: str = "csv", **posted: Any) -> Any:
    """Return the response to an export in the format `form`, its file read to the end."""
    response = client.post(address, {"format": FORMATS[form], "resource": "0", **posted})
    response.file = response.getvalue() if response.streaming else None
    return response


def content(response: Any) -> bytes:
    """Return the bytes of a download."""
    assert response.status_code == 200, response
    assert response.file is not None, "a page came instead of a file"
    return response.file


def lines(response: Any, form: str = "csv") -> list[list[Any]]:
    """Return header and rows; what the format has no kind for is text, and an empty cell is None (CSV, TSV: "")."""
    return list(READERS[form](content(response)))


def _delimited(delimiter: str) -> Any:
    return lambda data: csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=delimiter, strict=True)


def _xlsx(data: bytes) -> Iterator[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True).active
    width = len(next(sheet.iter_rows(max_row=1, values_only=True)))
    for row in sheet.iter_rows(max_col=width, values_only=True):
        yield [*row, *[None] * (width - len(row))]


def _ods(data: bytes) -> Iterator[list[Any]]:
    document = opendocument.load(io.BytesIO(data))
    for row in document.getElementsByType(table.TableRow):
        yield [_ods_cell(cell) for cell in row.childNodes]


def _ods_cell(cell: Any) -> Any:
    kind = cell.getAttribute("valuetype")
    if kind == "boolean":
        return cell.getAttribute("booleanvalue") == "true"
    if kind == "float":
        return float(cell.getAttribute("value"))
    return teletype.extractText(cell) if kind == "string" else None


def _json(data: bytes) -> Iterator[list[Any]]:
    objects = json.loads(data)
    yield [*objects[0]] if objects else []
    yield from ([*each.values()] for each in objects)


READERS = {"csv": _delimited(","), "tsv": _delimited("\t"), "xlsx": _xlsx, "ods": _ods, "json": _json}
