"""The values of reading: how a file is read, its header, and raw rows with line numbers in chunks."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, dropwhile, islice
from typing import Self

from apps.imports.errors import ChoiceContradicts, FileTooLarge, NotATable

CHUNK_ROWS = 2000
# A chunk of a sheet is cut earlier when its rows are wide or long, so that memory stays flat.
CHUNK_CELLS = 100_000
CHUNK_CHARACTERS = 4_000_000
# A small file can have cells in the last column of every row; real ones stay far below.
TABLE_CELLS = 200_000_000
# The csv module's own limit, held for every format.
CELL_CHARACTERS = 131_072
_LETTER = re.compile(r"[^\W\d_]")


# So many rows tell where the table begins.
SAMPLE_ROWS = 21
# As the header line: there are no titles, and rows begin at once.
NO_TITLES = -1


@dataclass(frozen=True)
class Reading:
    """How to read a file; "" and 0 mean: detect it. JSON has neither a header line nor a sheet.

    `header` is the line on which the titles stand, or less than 0: there are none, and rows begin on that line.
    """

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    header: int = 0
    sheet: str = ""

    @property
    def first_line(self) -> int:
        """The line on which the table begins, 0 where that is not known."""
        return abs(self.header)

    @property
    def has_titles(self) -> bool:
        """Whether the table begins with titles."""
        return self.header >= 0


class Nested(str):
    """What stands for an object or a list in a cell, and why it is no value: wrong only where its column is taken."""

    why: str

    def __new__(cls, text: str, why: str) -> Self:
        made = super().__new__(cls, text)
        made.why = why
        return made


@dataclass(frozen=True)
class RawChunk:
    """Some rows as they are in the file, and the line on which each begins.

    `later_titles` are those of columns that came up below the header so far: nothing is taken from them.
    """

    lines: list[int]
    rows: list[list[str]]
    later_titles: tuple[str, ...] = ()


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


def titles_at(rows: Sequence[list[str]]) -> int:
    """Return the place of the titles among the first rows: 0, unless those above are only a heading.

    Then they are the first row that is as wide as most rows are, more than half filled, and has a letter in each cell;
    each row above has at most half as many filled cells.
    """
    widths = Counter(len(row) for row in rows if len(row) > 1)
    width = max(widths, key=lambda width: (widths[width], width), default=0)
    most_above = 0
    for at, row in enumerate(rows[:-1]):
        filled = [cell for cell in map(str.strip, row) if cell]
        if len(row) == width and len(filled) * 2 > width and all(map(_LETTER.search, filled)):
            return at if most_above * 2 <= len(filled) else 0
        most_above = max(most_above, len(filled))
    return 0


def without_blanks(lines: list[int], rows: list[list[str]]) -> RawChunk:
    """Return the rows in which something stands, with their lines."""
    # The first cell tells of most rows, and quickly.
    if all(row and row[0].strip() for row in rows):
        return RawChunk(lines, rows)
    filled = [(line, row) for line, row in zip(lines, rows, strict=True) if _is_filled(row)]
    return RawChunk([line for line, _row in filled], [row for _line, row in filled])


def _is_filled(row: list[str]) -> bool:
    return any(map(str.strip, row))


def no_sheet(name: str, wanted: str) -> ChoiceContradicts:
    """Return the error for a sheet that is not there."""
    return ChoiceContradicts(f"{name} has no sheet {wanted[:40]}: choose another, or let it be found out.")


def table_of(rows: Iterable[tuple[int, list[str]]], how: Reading) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a sheet from where its table begins: as chosen, else from the titles below a heading."""
    rows = dropwhile(lambda row: row[0] < how.first_line, rows)
    first = list(islice(rows, SAMPLE_ROWS))
    begins = 0 if how.header or not first else titles_at([row for _line, row in first])
    if first and not how.has_titles:
        line, row = first[0]
        width = max(len(row) for _line, row in first)
        first[0] = (line, [*row, *[""] * (width - len(row))])
    return chain(first[begins:], rows)


def in_chunks(rows: Iterable[tuple[int, list[str]]], name: str, *, has_titles: bool = True) -> Iterator[RawChunk]:
    """Yield the first row, which is the header, as a chunk of its own, then the others made as wide as the first."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    header = _cut(first[1], 0) if has_titles else first[1]
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
