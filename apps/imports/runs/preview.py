"""The first rows of a file as they are read, for a person who chooses how."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from apps.imports.errors import FileRefused
from apps.imports.mapping.titles import open_table
from apps.imports.models import ImportRun
from apps.imports.reading.encodings import words_beyond_ascii
from apps.imports.reading.rows import NO_TITLES, RawChunk, Reading, read, sheets_of
from apps.imports.reading.sources import SourceFile
from apps.imports.registry import spec_named
from apps.imports.runs.files import beginning_of
from apps.imports.spec import ImportSpec

SHOWN_ROWS = 10
# How many rows help to tell which column is which: the first ones, then those that fill a column so far mostly blank.
FIRST_ROWS = 3
SAMPLE_ROWS = 20
# So many rows are looked at, for words and for what is no text.
LOOKED_AT = 2000
_CHARACTERS = 60
# Bytes that are no text; and NUL, which PostgreSQL stores nowhere.
_LOST = re.compile("[\ud800-\udfff\x00]")
Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class Preview:
    """How a file is read, its titles and its first rows with their lines, each cell cut short.

    `sample` are rows by which columns are guessed, `beginnings` those that may have the titles, `words` some that are
    not of ASCII alone. From line `unreadable` on the file is no text in its encoding, 0 where that was not seen.
    `refusal` says why nothing can be read.
    """

    how: Reading
    header: list[str] = field(default_factory=list)
    rows: Rows = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    beginnings: Rows = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    unreadable: int = 0
    refusal: str = ""


def preview(run: ImportRun, how: Reading) -> Preview:
    """Return the beginning of a run's file, read like this; raises FileIsGone."""
    source = beginning_of(run)
    try:
        return _preview(source, spec_named(run.spec), how)
    except FileRefused as refusal:
        return Preview(how, sheets=_sheets(source, how), refusal=str(refusal))


def _preview(source: SourceFile, spec: ImportSpec, how: Reading) -> Preview:
    raw = open_table(source, spec, how)
    rows = first_rows(raw.chunks)
    texts = (word for _line, row in rows for cell in row for word in cell.split())
    return Preview(
        how=raw.how,
        header=[clean(title) for title in raw.header],
        rows=[(line, cut(row)) for line, row in rows[:SHOWN_ROWS]],
        sample=sample_of(rows),
        beginnings=_beginnings(source, raw.how),
        sheets=_sheets(source, raw.how),
        words=words_beyond_ascii(map(clean, texts)),
        unreadable=unreadable_from(rows),
    )


def first_rows(chunks: Iterable[RawChunk]) -> Rows:
    """Return the first rows with their lines; what is wrong below the first chunk is said when the file is planned."""
    rows: Rows = []
    with suppress(FileRefused):
        for row in _numbered(chunks):
            rows.append(row)
            if len(rows) >= LOOKED_AT:
                break
    return rows


def sample_of(rows: Rows) -> list[list[str]]:
    """Return rows in which each column is filled several times, if these have such, each cell cut short."""
    sample = [row for _line, row in rows[:FIRST_ROWS]]
    filled = Counter(place for row in sample for place, cell in enumerate(row) if cell.strip())
    for _line, row in rows[FIRST_ROWS:]:
        here = [place for place, cell in enumerate(row) if cell.strip()]
        if len(sample) < SAMPLE_ROWS and any(filled[place] < SAMPLE_ROWS // 2 for place in here):
            sample.append(row)
            filled.update(here)
    return list(map(cut, sample))


def unreadable_from(rows: Iterable[tuple[int, list[str]]]) -> int:
    """Return the line of the first row with bytes that are no text, 0 where there is none."""
    for line, row in rows:
        text = "".join(row)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            return line
    return 0


def clean(text: str) -> str:
    """Return a text as pages show it and databases keep it, also where it is none."""
    return _LOST.sub("\N{REPLACEMENT CHARACTER}", text)


def cut(row: list[str]) -> list[str]:
    """Return the beginning of each cell."""
    return [clean(cell[:_CHARACTERS]) for cell in row]


def _numbered(chunks: Iterable[RawChunk]) -> Iterator[tuple[int, list[str]]]:
    for chunk in chunks:
        yield from zip(chunk.lines, chunk.rows, strict=True)


def _beginnings(source: SourceFile, how: Reading) -> Rows:
    """Return the first rows whether they are titles or not; of JSON none, since its objects have their keys."""
    if how.format == "json":
        return []
    rows = _numbered(read(source, replace(how, header=NO_TITLES)).chunks)
    return [(line, cut(row)) for line, row in islice(rows, SHOWN_ROWS)]


def _sheets(source: SourceFile, how: Reading) -> list[str]:
    try:
        return sheets_of(source, how)
    except FileRefused:
        return []
