"""CSV and its relatives: rows of text with a delimiter, streamed by Python's csv module."""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from apps.imports.errors import CellRefused, ChoiceContradicts, FileDamaged
from apps.imports.reading.encodings import codec_of, not_text
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import Metered, open_text
from apps.imports.reading.tables import CELL_CHARACTERS, CHUNK_ROWS, RawChunk, Reading

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# What the rows of one chunk may take: most files need a tenth of it, and a cell of one character costs eight bytes.
CHUNK_BYTES = 16 * 1024 * 1024
_FIRST_ROWS = 200
_SAMPLE_ROWS = 20


def chunks_of(source: SourceFile, how: Reading, start: bytes) -> Iterator[RawChunk]:
    """Yield the header as a chunk of its own, then the rows; raises FileRefused while they are read."""
    name = source.identity.name
    reader = None
    try:
        with open_text(source, codec_of(how.encoding, start)) as (text, metered):
            csv.field_size_limit(CELL_CHARACTERS)
            reader = csv.reader(text, strict=True, delimiter=how.delimiter)
            size, line = 1, 0
            while rows := _next_rows(reader, size, metered, f"{name}, after line {line}"):
                chunk = _numbered(rows, line, reader.line_num)
                line = reader.line_num
                if chunk.rows:
                    size = _FIRST_ROWS if size == 1 else metered.rows_that_fit(len(rows), CHUNK_BYTES, CHUNK_ROWS)
                    yield chunk
    except UnicodeDecodeError as error:
        where = f"after line {reader.line_num if reader else 0} or so"
        raise not_text(name, how.encoding, where) from error
    except csv.Error as error:
        raise _csv_error(name, reader.line_num if reader else 0, _begins(source, how, start), error) from error


def _begins(source: SourceFile, how: Reading, start: bytes) -> int:
    """Return the line on which the row begins that is not CSV: where a quote is left open, the reader is far below."""
    line = 0
    with open_text(source, codec_of(how.encoding, start)) as (text, _metered):
        reader = csv.reader(text, strict=True, delimiter=how.delimiter)
        with suppress(csv.Error):
            for _row in reader:
                line = reader.line_num
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
    if all(rows):
        return RawChunk(lines, rows)
    filled = [(line, row) for line, row in zip(lines, rows, strict=True) if row]
    return RawChunk([line for line, _row in filled], [row for _line, row in filled])


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


def delimiter_of(sample: str, how: Reading, name: str, *, expected: str = ",") -> str:
    """Return the delimiter that the first rows show; raises ChoiceContradicts when another was chosen."""
    chosen = how.delimiter or ("\t" if how.format == "tsv" else "")
    if chosen and (len(chosen) > 1 or chosen in '"\r\n'):
        raise ChoiceContradicts(f"{chosen!r} is no delimiter: give one character, such as a comma or a semicolon.")
    scores = {delimiter: _score(sample, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: (scores[delimiter], delimiter == expected))
    if not chosen:
        return best if scores[best] > (0, 1) else expected
    if chosen != best and _score(sample, chosen)[1] == 1 and scores[best] > (1, 1):
        chosen_name = DELIMITERS.get(chosen, repr(chosen))
        raise ChoiceContradicts(
            f"{name} is separated by {DELIMITERS[best]}, not {chosen_name}: choose that, or let it be found out."
        )
    return chosen


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    """Say how well a delimiter fits: cells of the header times the share of rows as wide, then those cells alone."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        rows += islice((row for row in reader if row), _SAMPLE_ROWS + 1)
    except csv.Error:
        rows = rows or [[""]]
    if not rows:
        return 0, 1
    width, below = len(rows[0]), rows[1:]
    fitting = sum(len(row) == width for row in below) / len(below) if below else 1
    return (width * fitting if width > 1 else 0), width
