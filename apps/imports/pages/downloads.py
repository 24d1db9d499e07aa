"""Files of a run: the refused rows to mend, and the file as it was uploaded."""

import csv
import io
import re
import shutil
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from django.http import FileResponse, Http404

from apps.changesets.text import guard, unguard
from apps.imports.models import ImportRun, RefusedCell
from apps.imports.reading.rows import Reading, rows_at
from apps.imports.runs.files import kept_file

WHY = "why"
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def whole_file(write: Callable[[BinaryIO], object], *, name: str, content_type: str) -> FileResponse:
    """Return what `write` writes as a download; it is written before it is sent, so that it is whole, or an error."""
    out = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - the response closes it
    try:
        write(out)
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=name, content_type=content_type)


def refused_rows(run: ImportRun) -> FileResponse:
    """Return the refused rows as they are in the file, with a last column that says why; raises FileIsGone."""
    why: dict[int, list[str]] = {}
    for cell in RefusedCell.objects.filter(run=run).iterator(chunk_size=2000):
        why.setdefault(cell.line, []).append(f"{cell.column}: {cell.hint}")
    if not why:
        raise Http404

    def write(out: BinaryIO) -> None:
        text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        # A file that was downloaded here, mended and refused again has such a last column already.
        has_reasons = int(run.header[-1:] == [WHY])
        own = len(run.header) - has_reasons
        writer.writerow([*map(guard, run.header[:own]), WHY])
        with kept_file(run) as source:
            for line, row in rows_at(source, Reading(**run.how), why):
                cells = row[: max(own, len(row) - has_reasons)]
                blanks = [""] * (own - len(cells))
                writer.writerow([*map(_as_uploaded, cells), *blanks, guard("; ".join(why[line]))])
        text.detach()

    stem = run.file_name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return whole_file(write, name=f"{stem}-refused.csv", content_type="text/csv; charset=utf-8")


def _as_uploaded(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it and an import reads the same; numbers such as -12.5 stay."""
    return cell if _NUMBER.fullmatch(cell) else guard(unguard(cell))


def source_file(run: ImportRun) -> FileResponse:
    """Return the file as it was uploaded; raises FileIsGone."""

    def write(out: BinaryIO) -> None:
        with kept_file(run) as source, source.open() as plain:
            shutil.copyfileobj(plain, out, 1 << 20)

    return whole_file(write, name=run.file_name.rsplit("/", 1)[-1], content_type="application/octet-stream")
