"""How far a row's position is from where it may be, in SQL, and refusing what is too far to be the same thing."""

from math import sin

from apps.changesets.history.maps import EARTH_KM
from apps.imports.results import REFUSALS_LISTED, Refusal, RefusedRows
from apps.imports.staging.tables import Staging

FAR_KM = 150


def haversine(latitude: str, longitude: str, other_latitude: str, other_longitude: str) -> str:
    """Return the SQL for the haversine of the distance between two points, which grows with it."""
    return (
        f"(POWER(SIN(RADIANS({latitude} - {other_latitude}) / 2), 2) + COS(RADIANS({latitude})) "
        f"* COS(RADIANS({other_latitude})) * POWER(SIN(RADIANS({longitude} - {other_longitude}) / 2), 2))"
    )


def refuse_far(staging: Staging, pairs: str, *, point: tuple[str, str], hint: str) -> RefusedRows:
    """Refuse the lines that are over 150 km from all of their points; `pairs` selects line and haversine of each.

    `{km}` in the hint is the distance to the nearest.
    """
    staging.empty("imports_blocked")
    far = staging.with_parts(pairs=pairs, far=repr(sin(FAR_KM / 2 / EARTH_KM) ** 2))
    # The nearest point of each line, where even that is too far.
    far.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT line, CAST(MIN(haversine) AS text) FROM ({pairs}) p GROUP BY line HAVING MIN(haversine) > {far}
        """
    )
    rows = staging.rows(
        """
        SELECT b.line, s.{latitude}, s.{longitude},
               2 * {earth} * ASIN(SQRT(CASE WHEN h.haversine > 1 THEN 1 ELSE h.haversine END))
        FROM (SELECT line, CAST(holder AS double precision) AS haversine FROM {blocked}) h
        JOIN {blocked} b ON b.line = h.line JOIN {staged} s ON s.line = b.line ORDER BY b.line LIMIT {limit}
        """,
        latitude=staging.quote(point[0]),
        longitude=staging.quote(point[1]),
        earth=repr(EARTH_KM),
        limit=str(REFUSALS_LISTED),
    )
    header = next(c.header for c in staging.spec.columns if c.field == point[0])
    refusals = [
        Refusal(line, header, f"{latitude}, {longitude}", "too_far", hint.format(km=f"{km:,.0f} km"))
        for line, latitude, longitude, km in rows
    ]
    return RefusedRows(staging.refuse_blocked(), refusals)
