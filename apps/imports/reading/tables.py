"""The values of reading: how a file is read, its header, and raw rows with line numbers in chunks."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from apps.imports.errors import FileTooLarge, NotATable

CHUNK_ROWS = 2000
# A chunk of a sheet is cut earlier when its rows are wide or long, so that memory stays flat.
CHUNK_CELLS = 100_000
CHUNK_CHARACTERS = 4_000_000
# A small file can have cells in the last column of every row; real ones stay far below.
TABLE_CELLS = 200_000_000
# The csv module's own limit, held for every format.
CELL_CHARACTERS = 131_072


@dataclass(frozen=True)
class Reading:
    """How to read a file; "" means: detect it. `header` is the line of a text file on which the titles stand."""

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    header: int = 0


class Nested(str):
    """What stands for an object or a list in a cell, and why it is no value: wrong only where its column is taken."""

    why: str

    def __new__(cls, text: str, why: str) -> Self:
        made = super().__new__(cls, text)
        made.why = why
        return made


@dataclass(frozen=True)
class RawChunk:
    """Some rows as they are in the file, and the line on which each begins."""

    lines: list[int]
    rows: list[list[str]]


@dataclass(frozen=True)
class RawFile:
    """The header of a file, its rows in chunks that can be read once, and how it is read."""

    header: list[str]
    chunks: Iterator[RawChunk]
    how: Reading = field(default_factory=Reading)

    def taking(self, columns: Collection[int]) -> Iterator[RawChunk]:
        """Yield the chunks; raises NotATable where one of these columns holds an object or a list."""
        for chunk in self.chunks:
            if self.how.format == "json":
                _require_values(chunk.rows, columns)
            yield chunk


def _require_values(rows: list[list[str]], columns: Collection[int]) -> None:
    for row in rows:
        for column in columns:
            if isinstance(cell := row[column], Nested):
                raise NotATable(cell.why)


def without_blanks(lines: list[int], rows: list[list[str]]) -> RawChunk:
    """Return the rows in which something stands, with their lines."""
    # The first cell tells of most rows, and quickly.
    if all(row and row[0].strip() for row in rows):
        return RawChunk(lines, rows)
    filled = [(line, row) for line, row in zip(lines, rows, strict=True) if _is_filled(row)]
    return RawChunk([line for line, _row in filled], [row for _line, row in filled])


def _is_filled(row: list[str]) -> bool:
    return any(map(str.strip, row))


def in_chunks(rows: Iterable[tuple[int, list[str]]], name: str) -> Iterator[RawChunk]:
    """Yield the first row, which is the header, as a chunk of its own, then the others made as wide as the header."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    header = _cut(first[1], 0)
    width = len(header)
    yield RawChunk([first[0]], [header])
    lines: list[int] = []
    taken: list[list[str]] = []
    cells = characters = total = 0
    for line, row in rows:
        if len(row) > width:
            row = _cut(row, width)
        elif len(row) < width:
            row = [*row, *[""] * (width - len(row))]
        lines.append(line)
        taken.append(row)
        cells += len(row)
        characters += sum(map(len, row))
        total += len(row)
        if total > TABLE_CELLS:
            raise FileTooLarge(f"{name} has more than {TABLE_CELLS:,} cells by line {line}: save the table as CSV.")
        if len(taken) >= CHUNK_ROWS or cells >= CHUNK_CELLS or characters >= CHUNK_CHARACTERS:
            yield RawChunk(lines, taken)
            lines, taken, cells, characters = [], [], 0, 0
    if taken:
        yield RawChunk(lines, taken)


def _cut(row: list[str], width: int) -> list[str]:
    """Drop empty cells at the end of a row that is longer than `width`; filled ones stay, and make it ragged."""
    end = len(row)
    while end > width and not row[end - 1]:
        end -= 1
    return row[:end]
