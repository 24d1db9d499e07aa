"""XLSX: the chosen sheet, or the first one with content, streamed; only the shared strings are held.

openpyxl's own reader keeps every element of a row, and every row it has seen, as a tree; a small archive can make it
take gigabytes. So the elements are read as they come, and openpyxl says what the formats of dates mean.
"""

import posixpath
import sys
from collections.abc import Iterator
from itertools import chain

from apps.imports.errors import FileDamaged, FileTooLarge
from apps.imports.reading.cells import Row, unescape
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.tables import CELL_CHARACTERS, RawChunk, Reading, in_chunks, no_sheet, table_of
from apps.imports.reading.xlsx_sheet import Dates, SheetRows
from apps.imports.reading.xml_stream import Handler, elements, parsed
from apps.imports.reading.zips import PART_LIMIT, Archive, open_archive

STRINGS_LIMIT = 150 * 1024 * 1024
MOST_STYLES = 100_000


def chunks_of(source: SourceFile, how: Reading, start: bytes) -> Iterator[RawChunk]:
    """Yield the header as a chunk of its own, then the rows; raises FileRefused while they are read."""
    return in_chunks(table_of(_rows(source, how.sheet), how), source.identity.name, has_titles=how.has_titles)


def sheets_of(source: SourceFile) -> list[str]:
    """Return the titles of the sheets that are shown."""
    with open_archive(source) as archive:
        return [title for title, _part in _sheets(archive, _main_part(archive))[0]]


def _rows(source: SourceFile, wanted: str) -> Iterator[tuple[int, list[str]]]:
    with open_archive(source) as archive:
        book = _main_part(archive)
        sheets, parts = _sheets(archive, book)
        if wanted:
            sheets = [sheet for sheet in sheets if sheet[0] == wanted]
        if wanted and not sheets:
            raise no_sheet(archive.name, wanted)
        strings = _strings(archive, parts.get("sharedStrings", ""))
        dates = _dates(archive, parts.get("styles", ""), book)
        for title, part in sheets:
            rows = _rows_of(archive, part, SheetRows(f"{archive.name}, {title[:40]}", strings, dates))
            first = next(rows, None)
            if first is not None:
                yield from chain((first,), rows)
                return


def _rows_of(archive: Archive, part: str, handler: SheetRows) -> Iterator[tuple[int, list[str]]]:
    for _block in parsed(archive.blocks(part), handler):
        done: list[Row] = handler.take()
        for row in done:
            yield from row.numbered()


def _main_part(archive: Archive) -> str:
    """Return the name of the part that lists the sheets."""
    if "_rels/.rels" in archive.parts:
        for _around, name, attributes in _elements(archive, "_rels/.rels"):
            if name == "Relationship" and attributes.get("Type", "").endswith("/officeDocument"):
                return attributes.get("Target", "").lstrip("/")
    return "xl/workbook.xml"


def _sheets(archive: Archive, book: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return title and part of the sheets that are shown, and the parts of other kinds by kind."""
    folder, file = posixpath.split(book)
    kinds: dict[str, tuple[str, str]] = {}
    for _around, name, attributes in _elements(archive, f"{folder}/_rels/{file}.rels"):
        if name == "Relationship":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            kinds[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target)
    shown: list[tuple[str, str]] = []
    hidden: list[tuple[str, str]] = []
    for _around, name, attributes in _elements(archive, book):
        kind, part = kinds.get(attributes.get("id", ""), ("", "")) if name == "sheet" else ("", "")
        if kind == "worksheet":
            (hidden if "idden" in attributes.get("state", "") else shown).append((attributes.get("name", ""), part))
    return shown or hidden, dict(kinds.values())


def _elements(archive: Archive, part: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    return elements(archive.blocks(part, limit=PART_LIMIT), f"{archive.name}, {part}")


def _dates(archive: Archive, part: str, book: str) -> Dates:
    """Return which styles show a number as a date or a duration."""
    # Imported when first needed: it is slow, and most files are CSV.
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

    dates = Dates()
    own: dict[str, str] = {}
    styles = 0
    for around, name, attributes in _elements(archive, part) if part else ():
        if name == "numFmt":
            own[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and around == "cellXfs":
            number = attributes.get("numFmtId", "0")
            code = own.get(number) or (BUILTIN_FORMATS.get(int(number)) if number.isdigit() else None)
            if is_timedelta_format(code):
                dates.durations.add(str(styles))
            elif is_date_format(code):
                dates.dates.add(str(styles))
            styles += 1
            if styles > MOST_STYLES:
                raise FileDamaged(f"{archive.name} has more than {MOST_STYLES} styles: save the table as CSV.")
    for _around, name, attributes in _elements(archive, book):
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            dates.since_1904 = True
    return dates


class _Strings(Handler):
    """The texts that cells refer to by number, without their Japanese pronunciation."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.strings: list[str] = []
        self._size = 0
        self._parts: list[str] = []
        self._length = 0
        self._open = False
        self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        local = self.names[name]
        if local == "t":
            self._open = not self._phonetic
        elif local == "rPh":
            self._phonetic = True

    def end(self, name: str) -> None:
        super().end(name)
        local = self.names[name]
        if local == "t":
            self._open = False
        elif local == "rPh":
            self._phonetic = False
        elif local == "si":
            text = unescape("".join(self._parts))
            self.strings.append(text)
            if text:
                self.filled()
            self._parts.clear()
            self._length = 0
            self._size += sys.getsizeof(text) + 8
            if self._size > STRINGS_LIMIT:
                raise FileTooLarge(
                    f"{self.part} has more than {STRINGS_LIMIT // 2**20} MB of texts: save the table as CSV."
                )

    def text(self, data: str) -> None:
        if self._open:
            self._length += len(data)
            # One more than allowed is enough for the cell to be refused with its place.
            if self._length <= CELL_CHARACTERS + len(data):
                self._parts.append(data)


def _strings(archive: Archive, part: str) -> list[str]:
    if not part or part not in archive.parts:
        return []
    handler = _Strings(archive.name)
    for _block in parsed(archive.blocks(part, limit=STRINGS_LIMIT), handler):
        pass
    return handler.strings
