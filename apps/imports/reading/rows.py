"""Reading: bytes to raw rows with line numbers, in chunks, so that memory stays flat."""

from collections.abc import Collection, Iterator
from itertools import chain

from apps.imports.errors import ColumnTwice, FileEmpty, NoRows
from apps.imports.reading import delimited, json_table, ods, xlsx
from apps.imports.reading.detecting import Detected, detect
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.tables import CHUNK_ROWS, RawChunk, RawFile, Reading

__all__ = ["CHUNK_ROWS", "RawChunk", "RawFile", "Reading", "read"]

_READERS = {"json": json_table, "ods": ods, "xlsx": xlsx}
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
        raise NoRows(f"{name} has a header but no rows: nothing can be imported from it.")
    return RawFile(header=header, chunks=chain((first,), chunks), how=detected.how)


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
    return reader.chunks_of(source, detected.how, detected.start)


def _titles(cells: list[str], name: str) -> list[str]:
    """Return the names of the columns; raises ColumnTwice."""
    titles = [_bare(cell) for cell in cells]
    places: dict[str, int] = {}
    for place, title in enumerate(titles, start=1):
        before = places.setdefault(title.casefold(), place)
        if title and before != place:
            raise ColumnTwice(
                f"{name} has the column {title[:40]} twice, as columns {before} and {place}: rename or remove one."
            )
    return titles


def _bare(title: str) -> str:
    """Strip spaces and invisible characters, in whatever order they come."""
    while (shorter := title.strip().strip(_INVISIBLE)) != title:
        title = shorter
    return title
