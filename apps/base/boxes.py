"""Where countries are: boxes of latitude and longitude, several for a country whose parts lie far from each other."""

import csv
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apps.changesets.fields import column_of, field_of
from apps.changesets.sql import Sql

BOXES = settings.BASE_DIR / "data" / "country-boxes.csv"


class Box(NamedTuple):
    """A country's code and the four sides; no box goes across longitude 180."""

    country: str
    south: float
    west: float
    north: float
    east: float


@cache
def boxes() -> tuple[Box, ...]:
    """Return the boxes of all countries; codes that name no place have none."""
    with BOXES.open(encoding="utf-8", newline="") as file:
        return tuple(
            Box(row["country"], *(float(row[side]) for side in Box._fields[1:])) for row in csv.DictReader(file)
        )


def lies_in(code: str, latitude: float, longitude: float) -> bool:
    """Whether a point is in one of the boxes of a country."""
    return any(
        box.country == code and box.south <= latitude <= box.north and box.west <= longitude <= box.east
        for box in boxes()
    )


def off_country(rows: QuerySet, *, code: str, latitude: str, longitude: str, swapped: bool) -> QuerySet:
    """Keep the rows whose point is in no box of the country that the field `code` names.

    With `swapped` only those that would be in one if latitude and longitude changed places, else only the others.
    """
    meta = rows.model._meta
    columns = {"code": code, "lat": latitude, "lon": longitude}
    names = {short: column_of(field_of(rows.model, field)) for short, field in columns.items()}
    # Most rows are in the largest box of their country, and done with; only the others are held against all boxes.
    off = Sql(rows.db, table=meta.db_table, pk=column_of(meta.pk), **names).fill(
        """
        WITH main (code, south, west, north, east) AS (VALUES {main_boxes}),
        box (code, south, west, north, east) AS (VALUES {boxes}),
        away AS MATERIALIZED (
            SELECT t.{pk} AS pk, t.{code} AS code, t.{lat} AS lat, t.{lon} AS lon
            FROM {table} t JOIN main ON main.code = t.{code}
            WHERE t.{lat} NOT BETWEEN south AND north OR t.{lon} NOT BETWEEN west AND east
        )
        SELECT a.pk FROM away a WHERE a.lat IS NOT NULL AND a.lon IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM box
            WHERE box.code = a.code AND a.lat BETWEEN south AND north AND a.lon BETWEEN west AND east
        ) AND {swapped} EXISTS (
            SELECT 1 FROM box
            WHERE box.code = a.code AND a.lon BETWEEN south AND north AND a.lat BETWEEN west AND east
        )
        """,
        main_boxes=_literals(_main_boxes()),
        boxes=_literals(boxes()),
        swapped="" if swapped else "NOT",
    )
    return rows.filter(pk__in=RawSQL(off, []))  # noqa: S611 - names of our own fields, numbers of our own file


@cache
def _main_boxes() -> tuple[Box, ...]:
    by_area = sorted(boxes(), key=lambda box: (box.north - box.south) * (box.east - box.west))
    return tuple({box.country: box for box in by_area}.values())


@cache
def _literals(values: tuple[Box, ...]) -> str:
    """Write the boxes out, once: thousands of parameters would take each question longer than to answer it."""
    return ", ".join(f"('{code}', {', '.join(map(repr, sides))})" for code, *sides in values)
