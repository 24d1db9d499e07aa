"""ODS: the chosen table, or the first one with content, streamed from content.xml.

Repeated rows and cells are expanded one by one.
"""

from collections.abc import Iterator

from apps.imports.errors import CellRefused, FileDamaged, FileLocked, TooManyRows
from apps.imports.reading.cells import MOST_COLUMNS, Row, column_name, error_value, no_value, number_text, too_long
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.tables import CELL_CHARACTERS, RawChunk, Reading, in_chunks, no_sheet, table_of
from apps.imports.reading.xml_stream import Handler, elements, parsed
from apps.imports.reading.zips import Archive, open_archive

ROW_LIMIT = 20_000
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_SHEET = ("spreadsheet", "table")
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_VALUES = {
    **dict.fromkeys(("float", "percentage", "currency"), f"{_OFFICE}value"),
    "boolean": f"{_OFFICE}boolean-value",
    "date": f"{_OFFICE}date-value",
    "time": f"{_OFFICE}time-value",
    "string": f"{_OFFICE}string-value",
}


def chunks_of(source: SourceFile, how: Reading, start: bytes) -> Iterator[RawChunk]:
    """Yield the header as a chunk of its own, then the rows; raises FileRefused while they are read."""
    return in_chunks(table_of(_rows(source, how.sheet), how), source.identity.name, has_titles=how.has_titles)


def sheets_of(source: SourceFile) -> list[str]:
    """Return the names of the tables."""
    with open_archive(source) as archive:
        _refuse_locked(archive)
        tables = elements(archive.blocks("content.xml"), archive.name)
        return [attributes.get("name", "") for around, name, attributes in tables if (around, name) == _SHEET]


def _rows(source: SourceFile, wanted: str) -> Iterator[tuple[int, list[str]]]:
    with open_archive(source) as archive:
        _refuse_locked(archive)
        handler = _Table(archive.name, wanted)
        seen = 0
        for _block in parsed(archive.blocks("content.xml"), handler):
            for row in handler.take():
                for numbered in row.numbered():
                    seen += 1
                    # The header is none of them.
                    if seen > ROW_LIMIT + 1:
                        raise TooManyRows(
                            f"{archive.name} has more than {ROW_LIMIT:,} rows: ODS is read up to that, "
                            "save the table as CSV or XLSX."
                        )
                    yield numbered
            if handler.complete:
                return
        if not handler.found:
            raise no_sheet(archive.name, wanted)


def _refuse_locked(archive: Archive) -> None:
    manifest = "META-INF/manifest.xml"
    locked = manifest in archive.parts and b"encryption-data" in archive.small(manifest)
    if locked or "encrypted-package" in archive.parts:
        raise FileLocked(f"{archive.name} is protected by a password: save it without one.")


class _Table(Handler):
    """Makes rows of the elements of the wanted table, or of the first one that has any."""

    def __init__(self, part: str, wanted: str) -> None:
        super().__init__(part)
        self.complete = False
        self.found = not wanted
        self._wanted = wanted
        self._reads = not wanted
        self._done: list[Row] = []
        self._filled = False
        self._line = 1
        self._row = Row(1)
        self._column = 0
        self._cell: dict[str, str] | None = None
        self._apart = 0
        self._paragraphs = 0
        self._open = 0
        self._parts: list[str] = []
        self._length = 0

    def take(self) -> list[Row]:
        """Return the rows that are complete, once."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == f"{_TABLE}table" and self._wanted:
            self._reads = attributes.get(f"{_TABLE}name") == self._wanted
            self.found |= self._reads
        if self.complete or not self._reads:
            return
        if name in _CELLS:
            self._cell = attributes
            self._parts.clear()
            self._paragraphs = self._length = 0
        elif name == f"{_TABLE}table-row":
            self._row = Row(self._line, times=self._times(attributes, "number-rows-repeated"))
            self._column = 0
        elif name == f"{_TABLE}table":
            self._line = 1
        elif self._cell is not None:
            self._start_inside(name, attributes)

    def end(self, name: str) -> None:
        super().end(name)
        if self.complete or not self._reads:
            return
        if name in _CELLS:
            self._end_cell(self._cell or {})
            self._cell = None
        elif name == f"{_TABLE}table-row":
            self._line += self._row.times
            if self._row.cells:
                self._filled = True
                self._done.append(self._row)
        elif name == f"{_TABLE}table":
            self.complete = self._filled
        elif name == f"{_TEXT}p" and self._cell is not None:
            self._open -= 1
        elif name == f"{_OFFICE}annotation":
            self._apart -= 1

    def text(self, data: str) -> None:
        if self._open and not self._apart and not self.complete:
            self._add(data)

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        """Take the text of a cell: its paragraphs are lines, its notes are left out."""
        if name == f"{_OFFICE}annotation":
            self._apart += 1
        elif name == f"{_TEXT}p":
            if self._paragraphs and not self._apart:
                self._add("\n")
            self._paragraphs += not self._apart
            self._open += 1
        elif self._open and not self._apart and name.startswith(_TEXT):
            kind = name[len(_TEXT) :]
            if kind == "s":
                self._add(" " * min(CELL_CHARACTERS + 1, self._number(attributes.get(f"{_TEXT}c", "1"))))
            elif kind in ("tab", "line-break"):
                self._add("\t" if kind == "tab" else "\n")

    def _add(self, data: str) -> None:
        self._parts.append(data)
        self._length += len(data)
        if self._length > CELL_CHARACTERS:
            raise too_long(self._place())

    def _end_cell(self, cell: dict[str, str]) -> None:
        times = self._times(cell, "number-columns-repeated")
        text = self._text_of(cell)
        if text:
            if self._column + times > MOST_COLUMNS:
                raise CellRefused(f"{self._place()} is beyond column {MOST_COLUMNS}: save the table as CSV.")
            self._row.cells.append((self._column, times, text))
            self.filled()
        self._column += times

    def _text_of(self, cell: dict[str, str]) -> str:
        kind = cell.get(f"{_OFFICE}value-type", "")
        shown = "".join(self._parts)
        if cell.get(f"{_CALC}value-type") == "error":
            raise error_value(self._place(), shown)
        if not kind and not shown and f"{_TABLE}formula" in cell:
            raise no_value(self._place())
        value = cell.get(_VALUES.get(kind, ""), shown)
        if len(value) > CELL_CHARACTERS:
            raise too_long(self._place())
        if not value or kind in ("", "string", "boolean"):
            return value
        return self._typed(kind, value)

    def _typed(self, kind: str, value: str) -> str:
        if kind == "date":
            return value.removesuffix("T00:00:00")
        if kind == "time":
            return value.removeprefix("PT").replace("H", ":").replace("M", ":").rstrip("S")
        try:
            return number_text(value)
        except ValueError:
            raise FileDamaged(f"{self._place()}: {value[:20]!r} is no number: save it again.") from None

    def _times(self, attributes: dict[str, str], name: str) -> int:
        return self._number(attributes.get(f"{_TABLE}{name}", "1"))

    def _number(self, text: str) -> int:
        # Longer ones are no counts, and converting them is slow.
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise FileDamaged(f"{self._place()}: {text[:20]!r} is no count: save it again.")
        return max(1, int(text))

    def _place(self) -> str:
        return f"{self.part}, cell {column_name(self._column)}{self._line}"
