"""The table of relinking: for each airport its present links, and those that its codes and names match."""

import json
import re
from collections.abc import Iterable, Iterator
from math import sin

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.base.text import ascii_form, search_form
from apps.changesets.bulk.selection import Selection
from apps.changesets.history.maps import EARTH_KM
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_for
from apps.imports.models import Pin
from apps.imports.plan.distance import haversine

_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*")
_SEPARATORS = re.compile(r"\s*/\s*|\s+-\s+|\s*;\s*")

# The rank of names without diacritics: the last that is tried.
PLAIN = 3


def names_of(municipality: str) -> Iterator[tuple[int, str]]:
    """Yield the comparable names to look for, each with its rank: a lower rank is tried first.

    As it is; without what stands in brackets; each part of "City / Other"; all of these without diacritics.
    """
    seen: set[str] = set()
    bare = _BRACKETS.sub(" ", municipality)
    ranks: tuple[Iterable[str], ...] = (
        [municipality],
        [bare],
        _SEPARATORS.split(bare) if _SEPARATORS.search(bare) else (),
    )
    plain = [plain_form(name) for name in (municipality, bare, *_SEPARATORS.split(bare))]
    for rank, names in enumerate(ranks):
        for name in map(search_form, names):
            if name and name not in seen:
                seen.add(name)
                yield rank, name
    # These are compared with the names of cities without diacritics, so they may be among the others.
    yield from ((PLAIN, name) for name in dict.fromkeys(plain) if name)


def plain_form(text: str) -> str:
    """Return text comparable without diacritics."""
    return search_form(ascii_form(text))


TABLE = "bulk_relink"
# Up to here nine of ten airports lie in the region of their city; beyond, most mean a place of that name elsewhere.
LIMIT_KM = 200
# Within so many degrees both ways a point is nearer than the limit wherever on earth it is.
_NEAR_DEGREES = 1.25
_FAR = f"COALESCE(haversine > {sin(LIMIT_KM / 2 / EARTH_KM) ** 2}, FALSE)"
_KM = f"ROUND({2 * EARTH_KM} * ASIN(SQRT(CASE WHEN haversine > 1 THEN 1 ELSE haversine END)))"
CHANGES = (
    "(r.new_country IS NOT NULL AND r.new_country IS DISTINCT FROM r.old_country "
    "OR r.new_city IS NOT NULL AND r.new_city IS DISTINCT FROM r.old_city)"
)


def with_places(sql: Sql) -> Sql:
    """Return one that knows the tables {airport}, {country} and {city}, the one to work on as {relink}, {far}, {km}."""
    names = {"airport": Airport, "country": Country, "city": City, "pin": Pin}
    known = sql.with_names(**{hole: model._meta.db_table for hole, model in names.items()})
    return known.with_temps(relink=TABLE).with_parts(far=_FAR, km_away=_KM)


def fill_candidates(selection: Selection, condition: str) -> Sql:
    """Fill the table for the airports of the selection, and return the Sql that knows it; it goes with the selection.

    `condition` is about on an airport `a`, the country `c` of its code and the city `n` there of its municipality;
    `{selected}` is the query of the selected keys.

    `outcome` is found, no_country, no_municipality, no_city, several or doubtful; NULL keys are left as they are.
    """
    sql = with_places(selection.sql)
    sql.run(
        """
        CREATE TEMPORARY TABLE {name} (
            pk {key}, source_id bigint, old_country bigint, old_city bigint, new_country bigint, new_city bigint,
            municipality text, outcome text, pinned integer, km integer
        )
        """,
        name=TABLE,
        key=f"{sql.key_type(tracked_for(Airport))} {'' if sql.postgresql else 'PRIMARY KEY'}",
    )
    selection.temps.append(TABLE)
    _fill(sql, sql.fill(condition, selected=sql.fill("SELECT pk FROM {table}", table=selection.table)))
    _try_variants(sql)
    _keep_pinned(sql)
    return sql


def _fill(sql: Sql, condition: str) -> None:
    # Each airport with the country of its code, and the city there whose name is the municipality but for case.
    sql.run(
        """
        INSERT INTO {relink}
        SELECT pk, source_id, old_country, old_city, new_country, CASE WHEN {far} THEN NULL ELSE new_city END,
               municipality, CASE WHEN {far} THEN 'doubtful' ELSE outcome END, 0, CASE WHEN {far} THEN {km_away} END
        FROM (
            SELECT a.ident AS pk, a.source_id, a.country_id AS old_country, a.city_id AS old_city, c.id AS new_country,
                   COALESCE(t.id, n.id) AS new_city, a.municipality,
                   CASE WHEN c.id IS NULL THEN 'no_country' WHEN TRIM(a.municipality) = '' THEN 'no_municipality'
                        WHEN t.id IS NULL AND n.id IS NULL THEN 'no_city' ELSE 'found' END AS outcome, {haversine}
            FROM {airport} a
            LEFT JOIN {country} c ON c.iso_code = a.iso_country
            LEFT JOIN {city} t ON t.id = a.city_id AND t.country_id = c.id AND t.name = a.municipality
            LEFT JOIN {city} n ON n.country_id = c.id AND n.search_name = LOWER(a.municipality)
            WHERE {condition}
        ) f
        """,
        haversine=_haversine("a", "n", f"t.id IS NULL AND n.id IS DISTINCT FROM a.city_id AND {_away('a', 'n')}"),
        condition=condition,
    )


def _try_variants(sql: Sql) -> None:
    """Match the municipalities that no city is called by their other possible names."""
    missing = sql.rows("SELECT DISTINCT new_country, municipality FROM {relink} WHERE outcome = 'no_city'")
    names = [[country, name, *variant] for country, name in missing for variant in names_of(name)]
    if not names:
        return
    away = f"best.number = 1 AND b.id IS DISTINCT FROM a.city_id AND {_away('a', 'b')}"
    # Per municipality the cities of the lowest rank that has any; several at one rank are several candidates.
    sql.run(
        """
        WITH wanted AS MATERIALIZED ({wanted}),
        plain AS MATERIALIZED (SELECT id, country_id, LOWER(ascii_name) AS name FROM {city}),
        hits AS (
            SELECT w.c0 AS country, w.c1 AS municipality, w.c2 AS rank, t.id AS city
            FROM wanted w JOIN {city} t ON t.country_id = w.c0 AND t.search_name = w.c3 WHERE w.c2 < {plain}
            UNION ALL
            SELECT w.c0, w.c1, w.c2, t.id
            FROM wanted w JOIN plain t ON t.country_id = w.c0 AND t.name = w.c3 WHERE w.c2 = {plain}
        ),
        best AS (
            SELECT country, municipality, MIN(city) AS city, COUNT(DISTINCT city) AS number FROM (
                SELECT h.*, MIN(rank) OVER (PARTITION BY country, municipality) AS lowest FROM hits h
            ) f WHERE rank = lowest GROUP BY country, municipality
        ),
        lost AS MATERIALIZED (SELECT pk, new_country, municipality FROM {relink} WHERE outcome = 'no_city'),
        judged AS (
            SELECT r.pk AS airport, best.city, best.number, {haversine}
            FROM lost r JOIN best ON r.new_country = best.country AND r.municipality = best.municipality
            JOIN {airport} a ON a.ident = r.pk JOIN {city} b ON b.id = best.city
        )
        UPDATE {relink} SET new_city = CASE WHEN number = 1 AND NOT {far} THEN city END,
               outcome = CASE WHEN number > 1 THEN 'several' WHEN {far} THEN 'doubtful' ELSE 'found' END,
               km = CASE WHEN {far} THEN {km_away} END
        FROM judged WHERE pk = judged.airport
        """,
        [json.dumps(names)],
        wanted=_table_of(sql, ("bigint", "text", "integer", "text")),
        plain=str(PLAIN),
        haversine=_haversine("a", "b", away),
    )


def _away(airport: str, city: str) -> str:
    """Return the condition that a city is not certainly near an airport; only then the distance is worked out."""
    return (
        f"(ABS({airport}.latitude_deg - {city}.latitude) > {_NEAR_DEGREES} "
        f"OR ABS({airport}.longitude_deg - {city}.longitude) > {_NEAR_DEGREES})"
    )


def _haversine(airport: str, city: str, condition: str) -> str:
    """Return the column `haversine` of the distance between the two, where the condition holds.

    Django gives SQLite the functions that PostgreSQL has.
    """
    points = (f"{airport}.latitude_deg", f"{airport}.longitude_deg", f"{city}.latitude", f"{city}.longitude")
    return f"CASE WHEN {condition} THEN {haversine(*points)} END AS haversine"


def _keep_pinned(sql: Sql) -> None:
    """Leave pinned links alone."""
    pinned = {}
    for field in ("country", "city"):
        # The key of a pin says by which key it knows the airport.
        pinned[field] = sql.fill(
            """
            (pk IN (SELECT SUBSTR(object_key, 4) FROM {pin}
                    WHERE model = '{label}' AND field = '{field}' AND object_key LIKE 'pk:%%')
             OR CAST(source_id AS text) IN (SELECT SUBSTR(object_key, 4) FROM {pin}
                    WHERE model = '{label}' AND field = '{field}' AND object_key LIKE 'id:%%'))
            """,
            label=Airport._meta.label_lower,
            field=field,
        )
    sql.run(
        """
        UPDATE {relink} SET new_country = CASE WHEN {country_pinned} THEN NULL ELSE new_country END,
            new_city = CASE WHEN {city_pinned} THEN NULL ELSE new_city END, pinned = %s
        WHERE {country_pinned} OR {city_pinned}
        """,
        [1],
        country_pinned=pinned["country"],
        city_pinned=pinned["city"],
    )


def _table_of(sql: Sql, types: tuple[str, ...]) -> str:
    """Return the SELECT that reads rows back from one JSON parameter, as columns c0, c1 ..."""
    if sql.postgresql:
        columns = ", ".join(f"CAST(e ->> {i} AS {kind}) AS c{i}" for i, kind in enumerate(types))
        rows = "json_array_elements(CAST(%s AS json)) e"
    else:
        columns = ", ".join(f"json_extract(value, '$[{i}]') AS c{i}" for i in range(len(types)))
        rows = "json_each(%s)"
    return sql.fill("SELECT {columns} FROM {rows}", columns=columns, rows=rows)
