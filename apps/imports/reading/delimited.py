"""CSV and its relatives: rows of text with a delimiter, streamed by Python's csv module."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from apps.imports.errors import CellRefused, ChoiceContradicts, FileDamaged
from apps.imports.reading.encodings import codec_of, not_text
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import Metered, open_text
from apps.imports.reading.tables import (
    CELL_CHARACTERS,
    CHUNK_ROWS,
    NO_TITLES,
    SAMPLE_ROWS,
    RawChunk,
    Reading,
    titles_at,
    without_blanks,
)

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "^": "carets"}
# What the rows of one chunk may take: most files need a tenth of it, and a cell of one character costs eight bytes.
CHUNK_BYTES = 16 * 1024 * 1024
_FIRST_ROWS = 200
# A few packed bytes can be millions of blank lines.
MOST_BLANK = 100_000
_DECLARED = re.compile(r'"?sep=([^\r\n"])"?[,;\t]*(\r\n|\r|\n)', re.IGNORECASE)
# Lines above the titles cost so much that a delimiter with which there are none is taken: 1,5;2,5 is no row of titles.
_HEADING = 0.01


def chunks_of(source: SourceFile, how: Reading, start: bytes) -> Iterator[RawChunk]:
    """Yield the header as a chunk of its own, then the rows; raises FileRefused while they are read."""
    name = source.identity.name
    above, reader = max(how.first_line - 1, 0), None
    try:
        with open_text(source, codec_of(how.encoding, start)) as (text, metered):
            csv.field_size_limit(CELL_CHARACTERS)
            reader = _below(text, above, how)
            size, line, blank = 1, above, 0
            while rows := _next_rows(reader, size, metered, f"{name}, after line {line}"):
                chunk = _numbered(rows, line, above + reader.line_num)
                line = above + reader.line_num
                blank = 0 if chunk.rows else blank + len(rows)
                if blank > MOST_BLANK:
                    raise FileDamaged(
                        f"{name}, up to line {line}: more than {MOST_BLANK:,} lines are blank, remove them."
                    )
                if chunk.rows:
                    size = _FIRST_ROWS if size == 1 else metered.rows_that_fit(len(rows), CHUNK_BYTES, CHUNK_ROWS)
                    yield chunk
    except UnicodeDecodeError as error:
        raise not_text(source, how.encoding, start) from error
    except csv.Error as error:
        line = above + reader.line_num if reader else 0
        raise _csv_error(name, line, _begins(source, how, start, above), error) from error


def _below(text: TextIO, above: int, how: Reading) -> "Reader":
    """Return a reader of the rows that begin below `above` lines, whatever stands in these."""
    for _line in islice(text, above):
        pass
    return csv.reader(text, strict=True, delimiter=how.delimiter)


def _begins(source: SourceFile, how: Reading, start: bytes, above: int) -> int:
    """Return the line on which the row begins that is not CSV: where a quote is left open, the reader is far below."""
    line = above
    with open_text(source, codec_of(how.encoding, start)) as (text, _metered):
        reader = _below(text, above, how)
        with suppress(csv.Error):
            for _row in reader:
                line = above + reader.line_num
    return line + 1


def _next_rows(reader: Iterator[list[str]], size: int, metered: Metered, where: str) -> list[list[str]]:
    metered.allow(
        CHUNK_BYTES,
        f"{where}: {size} rows hold more than {CHUNK_BYTES // 2**20} MB; "
        "is a quote left open, or a line break missing?",
    )
    return list(islice(reader, size))


def _numbered(rows: list[list[str]], before: int, after: int) -> RawChunk:
    """Give each row the line on which it begins, and drop blank lines."""
    if after - before == len(rows):
        lines = list(range(before + 1, after + 1))
    else:
        lines = []
        for row in rows:
            lines.append(before + 1)
            before += 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)
    return without_blanks(lines, rows)


def _csv_error(name: str, line: int, begins: int, error: csv.Error) -> FileDamaged | CellRefused:
    text = str(error)
    if "field larger" in text:
        return CellRefused(
            f"{name}, line {begins}: a cell is longer than {CELL_CHARACTERS:,} characters; is a quote left open?"
        )
    if "unexpected end of data" in text:
        return FileDamaged(
            f"{name} ends inside a quoted cell: a quote is left open in the row that begins on line "
            f"{begins}, or the file is cut short."
        )
    return FileDamaged(f"{name}, line {line} is not CSV ({text}): check the quotes there.")


def layout_of(sample: str, how: Reading, name: str, *, expected: str = ",") -> tuple[str, int]:
    """Return the delimiter that the first rows show, and the header line of the Reading.

    A first line such as `sep=;`, which Excel obeys, says the delimiter and is no row. Raises ChoiceContradicts when
    another delimiter was chosen than the rows show.
    """
    chosen = how.delimiter or ("\t" if how.format == "tsv" else "")
    if chosen and (len(chosen) > 1 or chosen in '"\r\n'):
        raise ChoiceContradicts(f"{chosen!r} is no delimiter: give one character, such as a comma or a semicolon.")
    declared = _DECLARED.match(sample)
    rest = sample[declared.end() :] if declared else sample
    scores = {delimiter: _score(rest, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: (scores[delimiter], delimiter == expected))
    if not chosen:
        chosen = declared[1] if declared else best if scores[best] > (0, 1) else expected
    elif chosen != best and _score(rest, chosen)[1] == 1 and scores[best] > (1, 1):
        chosen_name = DELIMITERS.get(chosen, repr(chosen))
        raise ChoiceContradicts(
            f"{name} is separated by {DELIMITERS[best]}, not {chosen_name}: choose that, or let it be found out."
        )
    rows = _first_rows(rest, chosen)
    if how.header == NO_TITLES:
        return chosen, -(rows[0][0] + bool(declared))
    return chosen, how.header or rows[titles_at([row for _line, row in rows])][0] + bool(declared)


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    """Say how well a delimiter fits: cells of the header times the share of rows as wide, then those cells alone."""
    rows = _first_rows(sample, delimiter)
    above = titles_at([row for _line, row in rows])
    (_line, titles), *below = rows[above:]
    width = len(titles)
    fitting = sum(len(row) == width for _line, row in below) / len(below) if below else 1
    return (width * fitting * (_HEADING if above else 1) if width > 1 else 0), width


def _first_rows(sample: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first rows that are not blank, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    with suppress(csv.Error):
        for row in reader:
            if any(map(str.strip, row)):
                rows.append((line, row))
            line = reader.line_num + 1
            if len(rows) >= SAMPLE_ROWS:
                break
    return rows or [(1, [""])]
