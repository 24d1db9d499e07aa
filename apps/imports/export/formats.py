"""The formats of import and export: import-export's, each with a method that writes any table and a line of help."""

import csv
import json
from collections.abc import Iterator
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO

from import_export.formats import base_formats

from apps.imports.export.spreadsheets import ROWS_OF_A_SHEET, write_ods, write_xlsx
from apps.imports.export.tables import Cell, Table
from apps.imports.reading import ods


class WritesTables:
    """A format that writes a table straight into a file."""

    help = ""
    most_rows: int | None = None

    def write(self, table: Table, out: BinaryIO) -> None:
        """Write the header and all rows of the table."""
        raise NotImplementedError

    # The package asks tablib, which knows a format only where the library that reads and writes it is installed.

    def get_title(self) -> str:
        """Return the name of the format, which is how its files end, too."""
        return type(self).__name__.lower()

    get_extension = get_title

    def can_import(self) -> bool:
        """Return True: our readers read the format."""
        return True

    def can_export(self) -> bool:
        """Return True: `write` writes the format."""
        return True

    if TYPE_CHECKING:
        # Of the package's format, which each of these is, too.
        def get_content_type(self) -> str: ...


class _Delimited(WritesTables):
    delimiter = ","

    def write(self, table: Table, out: BinaryIO) -> None:
        text = TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
        # With \r\n at their ends, lines quote text that has either in it.
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow(table.header)
        writer.writerows(_plain(table.rows))
        text.flush()
        text.detach()


class Csv(_Delimited, base_formats.CSV):
    """Comma separated, UTF-8."""

    help = "For programs, and for tables of any size. A spreadsheet may turn a code such as 1E4 into a number."


class Tsv(_Delimited, base_formats.TSV):
    """Tab separated, UTF-8."""

    delimiter = "\t"
    help = "As CSV, with tabs between the columns."


class Xlsx(WritesTables, base_formats.XLSX):
    """A workbook of one sheet."""

    help = "For Excel and other spreadsheets: codes stay text, numbers stay numbers."
    most_rows = ROWS_OF_A_SHEET - 1

    def write(self, table: Table, out: BinaryIO) -> None:
        write_xlsx(table, out)


class Ods(WritesTables, base_formats.ODS):
    """An OpenDocument spreadsheet of one sheet."""

    help = f"For LibreOffice, as XLSX; up to {ods.ROW_LIMIT:,} rows can be imported again."
    most_rows = ROWS_OF_A_SHEET - 1

    def write(self, table: Table, out: BinaryIO) -> None:
        write_ods(table, out)


class Json(WritesTables, base_formats.JSON):
    """An array of objects."""

    help = "For programs: a row is an object on a line."

    def write(self, table: Table, out: BinaryIO) -> None:
        header, separator = table.header, "["
        for row in table.rows:
            line = json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False, allow_nan=False)
            out.write(f"{separator}\n{line}".encode())
            separator = ","
        out.write(b"[]\n" if separator == "[" else b"\n]\n")


def _plain(rows: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    """Write truth values in small letters, as JSON does."""
    words = {True: "true", False: "false"}
    return ([words[value] if isinstance(value, bool) else value for value in row] for row in rows)


FORMATS = (Csv, Tsv, Xlsx, Ods, Json)
SUGGESTED = Xlsx
