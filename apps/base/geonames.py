"""Files of GeoNames for the generic import: better values for the cities that we have.

GeoNames' own files are separated by tabs, have no titles, and a quote in them is a quote. A table with titles is read
as any other. Cities are never made and never renamed.
"""

import csv
from collections.abc import Iterator
from itertools import islice

from apps.base.columns import LATITUDE, LONGITUDE, TIMEZONE, comparable, name_text
from apps.base.match_places import match_cities
from apps.base.models import City
from apps.imports import parsers
from apps.imports.errors import FileDamaged
from apps.imports.mapping.columns import Column, Derived
from apps.imports.parsers import BadCell, Parser
from apps.imports.reading import rows
from apps.imports.reading.delimited import CHUNK_BYTES
from apps.imports.reading.detecting import Detected, detect
from apps.imports.reading.encodings import codec_of, not_text
from apps.imports.reading.rows import CHUNK_ROWS, RawChunk, RawFile, Reading
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import open_text
from apps.imports.reading.tables import without_blanks
from apps.imports.results import ImportOptions
from apps.imports.spec import ImportSpec

# The columns of cities500.txt and the like, as GeoNames' readme.txt names them.
TITLES = (
    *("geonameid", "name", "asciiname", "alternatenames", "latitude", "longitude", "feature class", "feature code"),
    *("country code", "cc2", "admin1 code", "admin2 code", "admin3 code", "admin4 code", "population", "elevation"),
    *("dem", "timezone", "modification date"),
)
_CLASS_AT = TITLES.index("feature class")
_LARGEST = 2**63 - 1


def read_places(source: SourceFile, how: Reading | None = None) -> RawFile:
    """Return header and rows of a file of GeoNames, with titles or without; raises FileRefused as `read` does."""
    detected = detect(source, how or Reading())
    if not _has_no_titles(detected):
        return rows.read(source, how)
    return RawFile(header=list(TITLES), chunks=_places(source, detected), how=detected.how)


def options_for(source: SourceFile, how: Reading | None = None) -> ImportOptions:
    """Return the options for this file: corrections, and of a file that has feature classes, populated places only."""
    titles = {title.casefold() for title in read_places(source, how).header}
    column = next(column for column in GEONAMES.columns if column.field == "feature_class")
    known = titles & {column.header, column.field, *column.aliases}
    return ImportOptions(corrections=True, only={"feature_class": "P".__eq__} if known else {})


def _has_no_titles(detected: Detected) -> bool:
    """Whether the first line is a place already: as many cells as GeoNames has, a number first, a class of a letter."""
    if not detected.how.encoding:
        return False
    text = detected.start.decode(codec_of(detected.how.encoding, detected.start), errors="replace")
    cells = text.partition("\n")[0].rstrip("\r").split("\t")
    return len(cells) == len(TITLES) and cells[0].isdigit() and len(cells[_CLASS_AT]) <= 1


def _places(source: SourceFile, detected: Detected) -> Iterator[RawChunk]:
    name, line = source.identity.name, 0
    try:
        with open_text(source, codec_of(detected.how.encoding, detected.start)) as (text, metered):
            rows = csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
            while True:
                metered.allow(
                    CHUNK_BYTES,
                    f"{name}, after line {line}: {CHUNK_ROWS} rows hold more than "
                    f"{CHUNK_BYTES // 2**20} MB; is a line break missing?",
                )
                chunk = list(islice(rows, CHUNK_ROWS))
                if not chunk:
                    return
                yield without_blanks(list(range(line + 1, line + 1 + len(chunk))), chunk)
                line += len(chunk)
    except UnicodeDecodeError as error:
        raise not_text(source, detected.how.encoding, detected.start) from error
    except csv.Error as error:
        raise FileDamaged(f"{name}, after line {line}, is no table ({error}): fetch it again.") from error


def _counted() -> Parser:
    """Make a parser of populations, of which GeoNames' 0 means: not known."""
    parse_integer = parsers.integer(minimum=0, maximum=_LARGEST)

    def parse(cells: list[str]) -> tuple[list[int | None], list[BadCell]]:
        values, bad = parse_integer(cells)
        return [value or None for value in values], bad

    return parse


GEONAMES = ImportSpec(
    name="geonames",
    model=City,
    columns=(
        Column("place_name", "name", name_text(max_length=255, required=True), stored=False),
        Column("ascii_name", "asciiname", parsers.text(max_length=255), aliases=("ascii_name",)),
        Column(
            "country_code",
            "country code",
            parsers.text(max_length=2),
            aliases=("country_code", "country", "iso_country"),
            stored=False,
        ),
        LATITUDE,
        LONGITUDE,
        Column("population", "population", _counted()),
        TIMEZONE,
        Column(
            "feature_class",
            "feature class",
            parsers.text(max_length=1),
            aliases=("feature_class", "fclass"),
            stored=False,
        ),
    ),
    derived=(
        Derived("place_search", "place_name", comparable, stored=False),
        Derived("ascii_search", "ascii_name", comparable, stored=False),
    ),
    match_by=("country_code", "place_search"),
    match=match_cities,
    creates=False,
    read=read_places,
)
