"""`python -m benchmarks.floor URL load|update[-unversioned] SOURCE`: the same rows by plain set-based SQL.

csv reader -> staging -> the same three tables with their keys, links and indexes -> their history tables by
INSERT..SELECT (`-unversioned` leaves those out). No triggers, no validation, no plan, no values of upstream kept, no
Django. `update` is the same for a newer file over the loaded one: it matches by id, then ident, parks renamed keys,
writes what differs, adds what is new, and the history of both.
"""

import csv
import gzip
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.measure import PRAGMAS, sqlite_path

STAGED = (
    "source_id bigint",
    "ident text",
    "airport_type text",
    "name text",
    "search_name text",
    "latitude_deg double precision",
    "longitude_deg double precision",
    "elevation_ft integer",
    "iso_country text",
    "iso_region text",
    "municipality text",
    "city_key text",
    "iata_code text",
    "gps_code text",
    "icao_code text",
    "local_code text",
    "scheduled_service boolean",
    "keywords text",
)
COUNTRIES = """
INSERT INTO base_country (iso_code, iso3, name, search_name, slug, active, created_at, updated_at)
SELECT DISTINCT iso_country, '', iso_country, lower(iso_country), lower(iso_country), {true}, {now}, {now}
FROM staged WHERE true
ON CONFLICT DO NOTHING
"""
CITIES = """
INSERT INTO base_city (country_id, name, ascii_name, search_name, slug, latitude, longitude, timezone, active,
    created_at, updated_at)
SELECT country.id, min(municipality), '', city_key, city_key, avg(latitude_deg), avg(longitude_deg), '', {true},
    {now}, {now}
FROM staged JOIN base_country country ON country.iso_code = staged.iso_country
WHERE city_key <> '' GROUP BY country.id, city_key
ON CONFLICT DO NOTHING
"""
AIRPORTS = """
INSERT INTO airports_airport (ident, source_id, iata_code, name, search_name, airport_type, latitude_deg,
    longitude_deg, elevation_ft, iso_country, iso_region, municipality, gps_code, icao_code, local_code,
    scheduled_service, keywords, country_id, city_id, active, created_at, updated_at)
SELECT ident, source_id, iata_code, staged.name, staged.search_name, airport_type, latitude_deg, longitude_deg,
    elevation_ft, iso_country, iso_region, municipality, gps_code, icao_code, local_code, scheduled_service, keywords,
    country.id, city.id, airport_type <> 'closed', {now}, {now}
FROM staged JOIN base_country country ON country.iso_code = staged.iso_country
LEFT JOIN base_city city ON city.country_id = country.id AND city.search_name = staged.city_key
"""
HISTORY = """
INSERT INTO {history} ({columns}, history_date, history_type, changeset_id)
SELECT {columns}, {now}, {how}, 1 FROM {table} {which}
"""
TABLES = {
    "base_country": "base_historicalcountry",
    "base_city": "base_historicalcity",
    "airports_airport": "airports_historicalairport",
}


def drop_triggers(url: str) -> None:
    """Drop every trigger of ours from the three tables."""
    with connect(url) as connection:
        if url.startswith("sqlite"):
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in names:
                connection.execute(f'DROP TRIGGER "{name}"')
            return
        names = connection.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        ).fetchall()
        for name, table in names:
            connection.execute(f'DROP TRIGGER "{name}" ON {table}')


def connect(url: str) -> sqlite3.Connection | psycopg.Connection:
    """Open the database, SQLite with the journal and the page cache that the console uses."""
    if not url.startswith("sqlite"):
        return psycopg.connect(url)
    connection = sqlite3.connect(sqlite_path(url))
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def staged_rows(source: Path) -> Iterator[tuple]:
    """Yield the rows of the file as the staging table takes them."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield (
                int(row["id"]),
                row["ident"],
                row["type"],
                row["name"],
                row["name"].casefold(),
                float(row["latitude_deg"]),
                float(row["longitude_deg"]),
                int(row["elevation_ft"]) if row["elevation_ft"] else None,
                row["iso_country"],
                row["iso_region"],
                row["municipality"],
                " ".join(row["municipality"].casefold().split()),
                row["iata_code"] or None,
                row["gps_code"] or None,
                row.get("icao_code") or None,
                row["local_code"] or None,
                row["scheduled_service"] == "yes" if row["scheduled_service"] else None,
                row["keywords"] or None,
            )


def load(url: str, source: Path, *, history: bool = True) -> dict[str, int]:
    """Fill the three tables, and their histories, from `source` in one transaction."""
    with connect(url) as connection:
        words = stage(connection, url, source)
        for statement in (COUNTRIES, CITIES, AIRPORTS):
            connection.execute(statement.format(**words))
        for table in TABLES if history else ():
            record(connection, table, how="'+'", words=words)
    return {}


def stage(connection: sqlite3.Connection | psycopg.Connection, url: str, source: Path) -> dict[str, str]:
    """Begin the transaction and put the rows of the file where SQL sees them; return the words of this database."""
    connection.execute(f"CREATE TEMPORARY TABLE staged ({', '.join(STAGED)})")
    if url.startswith("sqlite"):
        connection.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" * len(STAGED))
        connection.executemany(f"INSERT INTO staged VALUES ({marks})", staged_rows(source))
        return {"now": "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "true": "1"}
    with connection.cursor().copy("COPY staged FROM STDIN") as copy:
        for row in staged_rows(source):
            copy.write_row(row)
    connection.execute("ANALYZE staged")
    return {"now": "now()", "true": "true"}


def record(
    connection: sqlite3.Connection | psycopg.Connection, table: str, *, how: str, words: dict[str, str], which: str = ""
) -> None:
    """Write a row of history for each row of a table, or for some of them."""
    columns = ", ".join(f'"{column}"' for column in columns_of(connection, table))
    values = {"history": TABLES[table], "columns": columns, "table": table, "how": how, "which": which}
    connection.execute(HISTORY.format(**values, now=words["now"]))


def columns_of(connection: sqlite3.Connection | psycopg.Connection, table: str) -> list[str]:
    """Return the names of the table's columns."""
    return [column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]


if __name__ == "__main__":
    from benchmarks.floor_update import update

    url, how, source = sys.argv[1:]
    does, _, without = how.partition("-")
    print(json.dumps({"load": load, "update": update}[does](url, Path(source), history=not without)))
