"""Probable duplicates: airports of one name near each other, or at exactly the same point."""

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apps.changesets.history.maps import DEGREE_KM
from apps.changesets.sql import Sql

NEAR_KM = 5
# Bands of latitude, each a little higher than NEAR_KM: near airports are in the same or the next band.
_BANDS_PER_DEGREE = 20


def near_namesakes(rows: QuerySet) -> QuerySet:
    """Keep the airports with another one of the same comparable name within 5 km.

    Points are compared, not airports, and only within their bands of latitude: however many airports share a name and a
    place, nothing is compared with all of them.
    """
    keys = """
        WITH points AS MATERIALIZED (
            SELECT {name} AS name, {lat} AS lat, {lon} AS lon, COUNT(*) AS number,
                   CAST(ROUND({lat} * %s) AS integer) AS band
            FROM {table} WHERE {lat} IS NOT NULL AND {lon} IS NOT NULL
            AND {name} IN (SELECT {name} FROM {table} GROUP BY {name} HAVING COUNT(*) > 1)
            GROUP BY {name}, {lat}, {lon}
        ),
        around AS MATERIALIZED (
            SELECT name, lat, lon, band + step AS band FROM points
            CROSS JOIN (SELECT -1 AS step UNION ALL SELECT 0 UNION ALL SELECT 1) steps
        ),
        near AS (
            SELECT name, lat, lon FROM points WHERE number > 1
            UNION
            SELECT a.name, a.lat, a.lon FROM points a JOIN around b ON b.name = a.name AND b.band = a.band
            AND (b.lat <> a.lat OR b.lon <> a.lon)
            AND POWER((a.lat - b.lat) * %s, 2) + POWER((a.lon - b.lon) * %s * COS(RADIANS(a.lat)), 2) < %s
        )
        SELECT t.{pk} FROM {table} t JOIN near n ON n.name = t.{name} AND n.lat = t.{lat} AND n.lon = t.{lon}
    """
    return _among(rows, keys, [_BANDS_PER_DEGREE, DEGREE_KM, DEGREE_KM, NEAR_KM**2])


def at_one_point(rows: QuerySet) -> QuerySet:
    """Keep the airports that lie at exactly the same point as one of another name."""
    keys = """
        SELECT {pk} FROM {table} WHERE ({lat}, {lon}) IN (
            SELECT {lat}, {lon} FROM {table} GROUP BY {lat}, {lon} HAVING MIN({name}) <> MAX({name})
        )
    """
    return _among(rows, keys, [])


def _among(rows: QuerySet, keys: str, params: list[float]) -> QuerySet:
    """Keep the rows whose key is among those that the statement `keys` finds in their table."""
    meta = rows.model._meta
    columns = {"name": "search_name", "lat": "latitude_deg", "lon": "longitude_deg"}
    names = {short: meta.get_field(field).column for short, field in columns.items()}
    nearest_keys = Sql(rows.db, table=meta.db_table, pk=meta.pk.column, **names).fill(keys)
    return rows.filter(pk__in=RawSQL(nearest_keys, params))  # noqa: S611 - names of our own fields, values are bound
