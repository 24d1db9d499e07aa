"""The floor of an update: the rows that differ, those that are new, and the history of both, by plain SQL.

It matches by id, then by ident, as the console does. Renamed rows are parked under a key of their own first, because
idents are swapped, and their history is a deletion and a creation. An airport that the file does not have gives its
ident up where another one gets it.
"""

from pathlib import Path

from benchmarks.floor import CITIES, COUNTRIES, STAGED, connect, record, stage

VALUES = tuple(column.split()[0] for column in STAGED if not column.startswith(("source_id", "ident", "city_key")))
LINKED = (*VALUES, "country_id", "city_id")
MATCHED = """
CREATE TEMPORARY TABLE matched AS
SELECT airport.ident AS old_ident, staged.*, country.id AS country_id, city.id AS city_id
FROM staged JOIN base_country country ON country.iso_code = staged.iso_country
LEFT JOIN base_city city ON city.country_id = country.id AND city.search_name = staged.city_key
LEFT JOIN airports_airport airport ON airport.source_id = staged.source_id
"""
BY_IDENT = """
UPDATE matched SET old_ident = ident WHERE old_ident IS NULL
AND EXISTS (SELECT 1 FROM airports_airport airport WHERE airport.ident = matched.ident)
AND NOT EXISTS (SELECT 1 FROM matched other WHERE other.old_ident = matched.ident)
"""
CHANGED = f"""
CREATE TEMPORARY TABLE changed AS
SELECT matched.*, CASE WHEN matched.ident = old_ident THEN old_ident ELSE '~' || old_ident END AS at
FROM matched JOIN airports_airport airport ON airport.ident = matched.old_ident
WHERE (matched.ident <> old_ident OR airport.source_id <> matched.source_id
    OR {" OR ".join(f"airport.{name} IS DISTINCT FROM matched.{name}" for name in LINKED)})
"""
RENAMED = "WHERE ident IN (SELECT old_ident FROM changed WHERE ident <> old_ident)"
PARK = f"UPDATE airports_airport SET ident = '~' || ident {RENAMED}"
SUPERSEDED = """
UPDATE airports_airport SET ident = '~' || ident
WHERE ident IN (SELECT ident FROM matched WHERE old_ident IS NULL OR ident <> old_ident)
AND NOT EXISTS (SELECT 1 FROM matched WHERE matched.old_ident = airports_airport.ident)
"""
UPDATE = f"""
UPDATE airports_airport SET ident = changed.ident, source_id = changed.source_id,
    {", ".join(f"{name} = changed.{name}" for name in LINKED)},
    active = changed.airport_type <> 'closed', updated_at = {{now}}
FROM changed WHERE airports_airport.ident = changed.at
"""
NEW = f"""
INSERT INTO airports_airport (ident, source_id, {", ".join(LINKED)}, active, created_at, updated_at)
SELECT ident, source_id, {", ".join(LINKED)}, airport_type <> 'closed', {{now}}, {{now}}
FROM matched WHERE old_ident IS NULL
"""
CHANGED_ROWS = "WHERE ident IN (SELECT ident FROM changed WHERE ident = old_ident)"
COME = """
WHERE ident IN (SELECT ident FROM changed WHERE ident <> old_ident
    UNION ALL SELECT ident FROM matched WHERE old_ident IS NULL)
"""


def update(url: str, source: Path, *, history: bool = True) -> dict[str, int]:
    """Bring a newer file into the loaded tables in one transaction; return how many airports that wrote."""
    with connect(url) as connection:
        words = stage(connection, url, source)
        places = {table: largest(connection, table) for table in ("base_country", "base_city")}
        for statement in (COUNTRIES, CITIES, MATCHED, "CREATE INDEX matched_old ON matched (old_ident)"):
            connection.execute(statement.format(**words))
        if not url.startswith("sqlite"):
            connection.execute("ANALYZE matched")
        for statement in (BY_IDENT, CHANGED, "CREATE INDEX changed_at ON changed (at)"):
            connection.execute(statement)
        if not url.startswith("sqlite"):
            connection.execute("ANALYZE changed")
        if history:
            record(connection, "airports_airport", how="'-'", words=words, which=RENAMED)
        for statement in (SUPERSEDED, PARK, UPDATE, NEW):
            connection.execute(statement.format(**words))
        if history:
            for table, before in places.items():
                record(connection, table, how="'+'", words=words, which=f"WHERE id > {before}")
            record(connection, "airports_airport", how="'~'", words=words, which=CHANGED_ROWS)
            record(connection, "airports_airport", how="'+'", words=words, which=COME)
        return {
            "updated": connection.execute("SELECT count(*) FROM changed").fetchone()[0],
            "renamed": connection.execute("SELECT count(*) FROM changed WHERE ident <> old_ident").fetchone()[0],
            "created": connection.execute("SELECT count(*) FROM matched WHERE old_ident IS NULL").fetchone()[0],
        }


def largest(connection: object, table: str) -> int:
    """Return the largest number of a table."""
    return connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
