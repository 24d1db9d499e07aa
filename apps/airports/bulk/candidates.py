"""The table that relinking works on: for each airport its links now, and those that its codes and names call for."""

import json
from collections.abc import Iterable

from django.db.models import QuerySet

from apps.airports.bulk.matching import PLAIN, names_of
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.base.points import distance_km
from apps.changesets.bulk.selection import Selection
from apps.changesets.sql import Sql
from apps.imports.models import Pin

TABLE = "bulk_relink"
LIMIT_KM = 150
# Within so many degrees both ways a point is nearer than the limit wherever on earth it is.
_NEAR_DEGREES = 0.9
CHANGES = (
    "(r.new_country IS NOT NULL AND r.new_country IS DISTINCT FROM r.old_country "
    "OR r.new_city IS NOT NULL AND r.new_city IS DISTINCT FROM r.old_city)"
)


def find_candidates(selection: Selection, airports: QuerySet) -> str:
    """Fill the table for the airports and return its name; it goes when the selection does.

    `outcome` is found, no_country, no_municipality, no_city, several or doubtful; NULL keys are left as they are.
    """
    sql = selection.sql
    sql.fresh_temp(
        TABLE,
        f"pk {Airport._meta.pk.db_type(sql.connection)} PRIMARY KEY, source_id bigint, old_country bigint, "
        "old_city bigint, new_country bigint, new_city bigint, municipality text, outcome text, pinned integer, "
        "km integer",
    )
    selection.temps.append(TABLE)
    _fill(sql, airports)
    sql.analyse(TABLE)
    _try_variants(sql)
    _doubt_far_ones(sql)
    _keep_pinned(sql)
    return sql.temp(TABLE)


def _fill(sql: Sql, airports: QuerySet) -> None:
    keys, params = airports.order_by().values_list("pk").query.sql_with_params()
    airport, country, city = (sql.quote(model._meta.db_table) for model in (Airport, Country, City))
    # Each airport with the country of its code, and the city there whose name is the municipality but for case.
    sql.run(
        f"""
        INSERT INTO {sql.temp(TABLE)}
        SELECT a.ident, a.source_id, a.country_id, a.city_id, c.id, COALESCE(t.id, n.id), a.municipality,
               CASE WHEN c.id IS NULL THEN 'no_country' WHEN TRIM(a.municipality) = '' THEN 'no_municipality'
                    WHEN t.id IS NULL AND n.id IS NULL THEN 'no_city' ELSE 'found' END, 0, NULL
        FROM {airport} a
        LEFT JOIN {country} c ON c.iso_code = a.iso_country
        LEFT JOIN {city} t ON t.id = a.city_id AND t.country_id = c.id AND t.name = a.municipality
        LEFT JOIN {city} n ON n.country_id = c.id AND n.search_name = LOWER(a.municipality)
        WHERE a.ident IN ({keys})
        """,
        params,
    )


def _try_variants(sql: Sql) -> None:
    """Look for the municipalities that no city is called, under what else they may be called."""
    table, city = sql.temp(TABLE), sql.quote(City._meta.db_table)
    missing = sql.rows(f"SELECT DISTINCT new_country, municipality FROM {table} WHERE outcome = 'no_city'")
    names = [[country, name, *variant] for country, name in missing for variant in names_of(name)]
    if not names:
        return
    wanted = _table_of(sql, names, ("bigint", "text", "integer", "text"))
    # Per municipality the cities of the lowest rank that has any; several at one rank are several candidates.
    sql.run(
        f"""
        WITH wanted AS MATERIALIZED ({wanted}),
        plain AS MATERIALIZED (SELECT id, country_id, LOWER(ascii_name) AS name FROM {city}),
        hits AS (
            SELECT w.c0 AS country, w.c1 AS municipality, w.c2 AS rank, t.id AS city
            FROM wanted w JOIN {city} t ON t.country_id = w.c0 AND t.search_name = w.c3 WHERE w.c2 < {PLAIN}
            UNION ALL
            SELECT w.c0, w.c1, w.c2, t.id
            FROM wanted w JOIN plain t ON t.country_id = w.c0 AND t.name = w.c3 WHERE w.c2 = {PLAIN}
        ),
        best AS (
            SELECT country, municipality, MIN(city) AS city, COUNT(DISTINCT city) AS number FROM (
                SELECT h.*, MIN(rank) OVER (PARTITION BY country, municipality) AS lowest FROM hits h
            ) f WHERE rank = lowest GROUP BY country, municipality
        )
        UPDATE {table} SET new_city = CASE WHEN best.number = 1 THEN best.city END,
               outcome = CASE WHEN best.number = 1 THEN 'found' ELSE 'several' END
        FROM best WHERE outcome = 'no_city' AND new_country = best.country
             AND {TABLE}.municipality = best.municipality
        """,
        [json.dumps(names)],
    )


def _doubt_far_ones(sql: Sql) -> None:
    """Take back the new links to cities that are farther from the airport than the limit."""
    table = sql.temp(TABLE)
    airport, city = (sql.quote(model._meta.db_table) for model in (Airport, City))
    # New links to a city that is not certainly near.
    rows = sql.rows(
        f"""
        SELECT r.pk, a.latitude_deg, a.longitude_deg, t.latitude, t.longitude
        FROM {table} r JOIN {airport} a ON a.ident = r.pk JOIN {city} t ON t.id = r.new_city
        WHERE r.outcome = 'found' AND r.new_city IS DISTINCT FROM r.old_city
          AND (ABS(a.latitude_deg - t.latitude) > {_NEAR_DEGREES}
               OR ABS(a.longitude_deg - t.longitude) > {_NEAR_DEGREES})
        """
    )
    far = [[pk, round(km)] for pk, *point in rows if (km := distance_km(point[:2], point[2:])) > LIMIT_KM]
    if not far:
        return
    # What is too far is not linked, but listed.
    sql.run(
        f"WITH far AS MATERIALIZED ({_table_of(sql, far, ('text', 'integer'))}) "
        f"UPDATE {table} SET new_city = NULL, outcome = 'doubtful', km = far.c1 FROM far WHERE pk = far.c0",
        [json.dumps(far)],
    )


def _keep_pinned(sql: Sql) -> None:
    """Leave links alone that somebody pinned."""
    pins = Pin.objects.filter(model=Airport._meta.label_lower, field__in=["country", "city"])
    for field in sorted(set(pins.order_by().values_list("field", flat=True))):
        # The key of a pin says by which key it knows the airport.
        sql.run(
            f"UPDATE {sql.temp(TABLE)} SET new_{field} = NULL, pinned = 1 WHERE EXISTS ("
            f"SELECT 1 FROM {sql.quote(Pin._meta.db_table)} p WHERE p.model = %s AND p.field = %s "
            "AND p.object_key IN ('id:' || CAST(source_id AS text), 'pk:' || pk))",
            [Airport._meta.label_lower, field],
        )


def _table_of(sql: Sql, rows: Iterable[list], types: tuple[str, ...]) -> str:
    """Return the SELECT that reads rows back from one JSON parameter, as columns c0, c1 ..."""
    if sql.connection.vendor == "sqlite":
        columns = ", ".join(f"json_extract(value, '$[{i}]') AS c{i}" for i in range(len(types)))
        return f"SELECT {columns} FROM json_each(%s)"
    columns = ", ".join(f"CAST(e ->> {i} AS {kind}) AS c{i}" for i, kind in enumerate(types))
    return f"SELECT {columns} FROM json_array_elements(CAST(%s AS json)) e"
