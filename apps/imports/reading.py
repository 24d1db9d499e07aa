"""Reading: bytes to raw rows with line numbers, in chunks, so that memory stays flat."""

import csv
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from apps.imports.errors import FileRefused
from apps.imports.sources import SourceFile

CHUNK_ROWS = 2000


@dataclass(frozen=True)
class RawChunk:
    """Some rows as they are in the file, and the line on which each begins."""

    lines: list[int]
    rows: list[list[str]]


@dataclass(frozen=True)
class RawFile:
    """The header of a file, and its rows in chunks that can be read once."""

    header: list[str]
    chunks: Iterator[RawChunk]


def read(source: SourceFile) -> RawFile:
    """Open `source` and return its header and rows; raises FileRefused, here or while rows are read."""
    rows = _rows(source)
    try:
        header = next(rows).rows[0]
    except StopIteration:
        raise FileRefused(f"{source.identity.name} is empty.") from None
    return RawFile(header=[name.strip() for name in header], chunks=rows)


def _rows(source: SourceFile) -> Iterator[RawChunk]:
    """Yield the header as a chunk of its own, then the rows."""
    name = source.identity.name
    reader = None
    try:
        with source.open() as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True)
            size, line = 1, 0
            while rows := list(islice(reader, size)):
                chunk = _numbered(rows, line, reader.line_num)
                line = reader.line_num
                if chunk.rows:
                    size = CHUNK_ROWS
                    yield chunk
    except UnicodeDecodeError as error:
        where = reader.line_num if reader else 0
        raise FileRefused(f"{name} is not UTF-8 after line {where} or so: save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise FileRefused(_csv_sentence(name, reader.line_num if reader else 0, error)) from error
    except (EOFError, zlib.error, OSError) as error:
        raise FileRefused(f"{name} is damaged or cut short ({error}): fetch it again.") from error


def _numbered(rows: list[list[str]], before: int, after: int) -> RawChunk:
    """Give each row the line on which it begins, and drop blank lines."""
    if after - before == len(rows):
        lines = list(range(before + 1, after + 1))
    else:
        lines = []
        for row in rows:
            lines.append(before + 1)
            before += 1 + sum(len(f"{cell}.".splitlines()) - 1 for cell in row)
    if all(rows):
        return RawChunk(lines, rows)
    filled = [(line, row) for line, row in zip(lines, rows, strict=True) if row]
    return RawChunk([line for line, _row in filled], [row for _line, row in filled])


def _csv_sentence(name: str, line: int, error: csv.Error) -> str:
    text = str(error)
    if "field larger" in text:
        return f"{name}, line {line}: a cell is longer than {csv.field_size_limit()} characters; is a quote left open?"
    if "unexpected end of data" in text:
        return f"{name} ends inside a quoted cell: a quote is left open, or the file is cut short."
    return f"{name}, line {line} is not CSV ({text}): check the quotes there."
