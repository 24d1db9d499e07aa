"""Whether a table has titles, where nobody said so: where values stand in their place, it has none."""

import re
from dataclasses import replace

from apps.imports.errors import TitlesRefused
from apps.imports.mapping.guesses import guess_columns
from apps.imports.mapping.layout import titles_of
from apps.imports.reading.rows import NO_TITLES, RawFile, Reading
from apps.imports.reading.sources import SourceFile
from apps.imports.spec import ImportSpec

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")


def open_table(source: SourceFile, spec: ImportSpec, how: Reading | None = None) -> RawFile:
    """Open `source` as the spec reads it; where its first row has values, the columns are called by their places.

    Raises FileRefused.
    """
    how = how or Reading()
    try:
        raw = spec.read(source, how)
        if how.header or raw.how.format == "json" or not are_values(raw.header, spec):
            return raw
    except TitlesRefused as error:
        if how.header or not are_values(error.titles, spec):
            raise
    return spec.read(source, replace(how, header=NO_TITLES))


def are_values(titles: list[str], spec: ImportSpec) -> bool:
    """Whether what stands in the place of titles looks like values: none is a title of ours, and more are numbers than
    are what others call a column of ours."""
    ours = {title.casefold() for column in spec.columns for title in titles_of(column)}
    if ours & {title.casefold() for title in titles}:
        return False
    return sum(map(bool, map(_NUMBER.fullmatch, titles))) > len(guess_columns(titles, [], spec))
