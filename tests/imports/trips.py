"""The whole way of a file: out by an export page, through a spreadsheet that is not ours, and in by an import page."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from odf import opendocument, table, text

from apps.changesets.models import Changeset
from apps.imports.models import ImportRun
from tests.admin.runs import act, seen_on, told
from tests.imports.exported import content, export

# What a person changes: (key of the row, column) to the new value.
Edits = Mapping[tuple[Any, str], Any]


def admin_of(model: type[models.Model]) -> str:
    """Return the address of a model's list."""
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def download(client: Client, model: type[models.Model], form: str) -> bytes:
    """Export all rows of a model from its export page."""
    return content(export(client, f"{admin_of(model)}export/", form))


def upload(client: Client, model: type[models.Model], data: bytes, name: str, **posted: Any) -> Any:
    """Post a file to the import page of a model as its form comes, and return the answer."""
    form = client.get(f"{admin_of(model)}import/").context["form"]
    asked = {field: form[field].value() for field in form.fields if field != "import_file"}
    given = {**asked, "reason": "from a spreadsheet", "import_file": SimpleUploadedFile(name, data), **posted}
    return client.post(
        f"{admin_of(model)}import/", {key: value for key, value in given.items() if value not in (None, "")}
    )


def planned(client: Client, model: type[models.Model], data: bytes, name: str, **posted: Any) -> ImportRun:
    """Upload a file that is not refused, and return its run with the plan stored."""
    answer = upload(client, model, data, name, **posted)
    assert answer.status_code == 302, answer.context["form"].errors
    run = ImportRun.objects.latest("pk")
    assert run.status == "planned", run.error or answer.url
    return run


def confirmed(client: Client, run: ImportRun) -> ImportRun:
    """Confirm a plan as its page does, and return the run as it has become."""
    said = act(client, run, "confirm", seen=seen_on(client, run), reason=run.reason)
    run.refresh_from_db()
    nothing = "There is nothing to change: nothing was imported." in told(said)
    assert (run.status, nothing) in (("applied", False), ("planned", True)), (told(said), run.error)
    return run


def recorded(*tables: type[models.Model]) -> list[int]:
    """Return how much is recorded: history rows of each table, and changesets."""
    return [*(model.history.count() for model in tables), Changeset.objects.count()]


def edited(data: bytes, form: str, key: str, edits: Edits) -> bytes:
    """Return the file with some cells changed, opened and saved by a library that is not ours."""
    return _EDITORS[form](data, key, edits)


def _apply(rows: list[list[Any]], key: str, edits: Edits, put: Callable[[int, int, Any], None]) -> None:
    """Find the cell of each edit in the rows below a header, and let `put` change it."""
    header, *others = rows
    place = header.index(key)
    for (wanted, column), value in edits.items():
        (found,) = [number for number, row in enumerate(others, start=1) if str(row[place]) == str(wanted)]
        put(found, header.index(column), value)


def _delimited(delimiter: str) -> Callable[[bytes, str, Edits], bytes]:
    def edit(data: bytes, key: str, edits: Edits) -> bytes:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True))
        _apply(rows, key, edits, lambda row, column, value: rows[row].__setitem__(column, str(value)))
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(rows)
        return out.getvalue().encode()

    return edit


def _xlsx(data: bytes, key: str, edits: Edits) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.active
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    _apply(rows, key, edits, lambda row, column, value: sheet.cell(row + 1, column + 1, value))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _ods(data: bytes, key: str, edits: Edits) -> bytes:
    book = opendocument.load(io.BytesIO(data))
    lines = [list(line.childNodes) for line in book.getElementsByType(table.TableRow)]
    rows = [[cell.getAttribute("value") or str(cell) for cell in line] for line in lines]

    def put(row: int, column: int, value: Any) -> None:
        kinds = {bool: ("boolean", "booleanvalue"), int: ("float", "value"), float: ("float", "value")}
        kind, attribute = kinds.get(type(value), ("string", "stringvalue"))
        cell = table.TableCell(valuetype=kind, **{attribute: str(value).lower() if kind == "boolean" else value})
        cell.addElement(text.P(text=str(value)))
        old = lines[row][column]
        old.parentNode.insertBefore(cell, old)
        old.parentNode.removeChild(old)

    _apply(rows, key, edits, put)
    out = io.BytesIO()
    book.write(out)
    return out.getvalue()


def _json(data: bytes, key: str, edits: Edits) -> bytes:
    objects = json.loads(data)
    rows = [list(objects[0]), *(list(each.values()) for each in objects)]
    _apply(rows, key, edits, lambda row, column, value: objects[row - 1].__setitem__(rows[0][column], value))
    return json.dumps(objects, indent=1).encode()


_EDITORS = {"csv": _delimited(","), "tsv": _delimited("\t"), "xlsx": _xlsx, "ods": _ods, "json": _json}
