"""The floor: what the database itself takes for the same rows with plain set-based SQL.

csv reader -> staging -> the same three tables with their keys, links and indexes -> their history tables by
INSERT..SELECT. No triggers, no validation, no plan, no values of upstream kept, no Django.
"""

import csv
import gzip
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.measure import PRAGMAS, Measurement, make_empty, run_child, sqlite_path

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
SELECT DISTINCT iso_country, '', iso_country, lower(iso_country), lower(iso_country), {true}, {now}, {now} FROM staged
"""
CITIES = """
INSERT INTO base_city (country_id, name, ascii_name, search_name, slug, latitude, longitude, timezone, active,
    created_at, updated_at)
SELECT country.id, min(municipality), '', city_key, city_key, avg(latitude_deg), avg(longitude_deg), '', {true},
    {now}, {now}
FROM staged JOIN base_country country ON country.iso_code = staged.iso_country
WHERE city_key <> '' GROUP BY country.id, city_key
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
SELECT {columns}, {{now}}, '+', 1 FROM {table}
"""
TABLES = {
    "base_country": "base_historicalcountry",
    "base_city": "base_historicalcity",
    "airports_airport": "airports_historicalairport",
}


def measure_floor(url: str, source: Path) -> Measurement:
    """Return the measurement of the floor on a fresh database with the console's tables and without its triggers."""
    make_empty(url)
    run_child(["manage.py", "migrate", "--verbosity", "0"], url=url)
    drop_triggers(url)
    return run_child(["-m", "benchmarks.floor", url, str(source)], url=url)


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


def load(url: str, source: Path) -> None:
    """Fill the three tables and their histories from `source` in one transaction."""
    with connect(url) as connection:
        connection.execute(f"CREATE TEMPORARY TABLE staged ({', '.join(STAGED)})")
        if url.startswith("sqlite"):
            connection.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" * len(STAGED))
            connection.executemany(f"INSERT INTO staged VALUES ({marks})", staged_rows(source))
            words = {"now": "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "true": "1"}
        else:
            with connection.cursor().copy("COPY staged FROM STDIN") as copy:
                for row in staged_rows(source):
                    copy.write_row(row)
            connection.execute("ANALYZE staged")
            words = {"now": "now()", "true": "true"}
        for statement in (COUNTRIES, CITIES, AIRPORTS):
            connection.execute(statement.format(**words))
        for table, history in TABLES.items():
            columns = ", ".join(f'"{column}"' for column in columns_of(connection, table))
            connection.execute(HISTORY.format(history=history, columns=columns, table=table).format(**words))


def columns_of(connection: sqlite3.Connection | psycopg.Connection, table: str) -> list[str]:
    """Return the names of the table's columns."""
    return [column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]


if __name__ == "__main__":
    load(sys.argv[1], Path(sys.argv[2]))
