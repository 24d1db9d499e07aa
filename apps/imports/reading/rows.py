"""Reading: bytes to raw rows with line numbers, in chunks, so that memory stays flat."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain

from apps.imports.errors import CellRefused, ColumnTwice, FileEmpty, FileRefused, NoRows
from apps.imports.reading import delimited, json_table, ods, xlsx
from apps.imports.reading.detecting import Detected, detect
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import BLOCK, open_bytes
from apps.imports.reading.tables import CHUNK_ROWS, NO_TITLES, RawChunk, RawFile, Reading
from apps.imports.reading.zips import open_archive

__all__ = ["CHUNK_ROWS", "NO_TITLES", "RawChunk", "RawFile", "Reading", "read"]

_SHEETS = {"ods": ods, "xlsx": xlsx}
_READERS = {"json": json_table, **_SHEETS}
LONGEST_TITLE = 1000
# Invisible characters that copying from a page, or a byte order mark, leaves at the ends of a title.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"


def read(source: SourceFile, how: Reading | None = None) -> RawFile:
    """Open `source` and return its header and rows; raises FileRefused, here or while rows are read."""
    detected = detect(source, how or Reading())
    name = source.identity.name
    chunks = _chunks(source, detected)
    head = next(chunks, None)
    if head is None:
        raise FileEmpty(f"{name} is empty.")
    header = _titles(head.rows[0], name)
    first = next(chunks, None)
    if first is None:
        raise NoRows(f"{name} has a header but no rows: nothing can be imported from it.", header)
    # Where the table of a sheet begins is known only now.
    line = head.lines[0] if detected.how.has_titles else -first.lines[0]
    begins = detected.how.header or (0 if detected.how.format == "json" else line)
    return RawFile(header=header, chunks=chain((first,), chunks), how=replace(detected.how, header=begins))


def is_at_most(source: SourceFile, how: Reading, size: int) -> bool:
    """Whether a file has no more than `size` bytes unpacked, and its rows, those that are repeated too, no more text.

    What cannot be read counts for nothing: planning ends there.
    """
    try:
        if unpacked_size(source, how, size) > size:
            return False
        length = 0
        for chunk in read(source, how).chunks:
            length += sum(len(cell) + 1 for row in chunk.rows for cell in row)
            if length > size:
                return False
    except FileRefused:
        pass
    return True


def unpacked_size(source: SourceFile, how: Reading, most: int) -> int:
    """Return how many bytes a file has unpacked; beyond `most` they are not counted on. Raises FileRefused."""
    if how.format in _SHEETS:
        with open_archive(source) as archive:
            # No more of a part is read than the directory says.
            return sum(info.file_size for info in archive.parts.values())
    with open_bytes(source) as file:
        while file.total <= most and file.read1(BLOCK):
            pass
        return file.total


def sheets_of(source: SourceFile, how: Reading) -> list[str]:
    """Return the names of the sheets of a file, of which one is read; a file of text has none."""
    reader = _SHEETS.get(how.format)
    return reader.sheets_of(source) if reader else []


def rows_at(source: SourceFile, how: Reading, lines: Collection[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that begin on `lines`, in the order of the file, each with its line, to be mended."""
    wanted = set(lines)
    if not wanted:
        return
    last = max(wanted)
    for chunk in read(source, how).chunks:
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if line in wanted:
                yield line, row
        if chunk.lines[-1] >= last:
            return


def _chunks(source: SourceFile, detected: Detected) -> Iterator[RawChunk]:
    """Yield the header as a chunk of its own, then the rows."""
    reader = _READERS.get(detected.how.format, delimited)
    chunks = reader.chunks_of(source, detected.how, detected.start)
    return chunks if detected.how.has_titles else _under_numbers(chunks)


def _under_numbers(chunks: Iterator[RawChunk]) -> Iterator[RawChunk]:
    """Yield the places of the columns as their titles, then all rows."""
    first = next(chunks, None)
    if first is not None:
        yield RawChunk([0], [[place_title(number) for number in range(1, len(first.rows[0]) + 1)]])
        yield first
    yield from chunks


def place_title(number: int) -> str:
    """Return what a column without title is called, counted from 1."""
    return f"column {number}"


def _titles(cells: list[str], name: str) -> list[str]:
    """Return the names of the columns; raises ColumnTwice, and CellRefused for a title that is no name."""
    titles = [_bare(cell) for cell in cells]
    if (longest := max(map(len, titles), default=0)) > LONGEST_TITLE:
        raise CellRefused(f"{name} has a title of {longest:,} characters: shorten it to {LONGEST_TITLE:,} at most.")
    places: dict[str, int] = {}
    for place, title in enumerate(titles, start=1):
        before = places.setdefault(title.casefold(), place)
        if title and before != place:
            raise ColumnTwice(
                f"{name} has the column {title[:40]} twice, as columns {before} and {place}: rename or remove one.",
                titles,
            )
    return titles


def _bare(title: str) -> str:
    """Strip spaces and invisible characters, in whatever order they come."""
    while (shorter := title.strip().strip(_INVISIBLE)) != title:
        title = shorter
    return title
