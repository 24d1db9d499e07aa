"""Linking airports to their country and city, in sets: which places are missing, creating them, and matching them.

A city is one distinct (country, comparable municipality). Its name is the first spelling in the file; its coordinates
are, as a first approximation, those of the first airport there.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from apps.base.countries import names_of
from apps.base.models import City, Country
from apps.base.slugs import number_slugs
from apps.base.text import ascii_form, search_form, slug_stem
from apps.changesets.sql import Sql
from apps.imports.spec import Link
from apps.imports.staging.tables import Staging

_CHUNK = 5000
_TABLES = ("imports_new_countries", "imports_new_cities", "imports_cities")
_COUNTRY = Link("country", follows=("iso_country",), needs=("iso_country",), counted_as="country_links")
_CITY = Link(
    "city", follows=("iso_country", "municipality"), needs=("iso_country", "municipality"), counted_as="city_links"
)


class PlacesLinker:
    """Links imported airports to Country and City, creating those that are missing."""

    links: Sequence[Link] = (_COUNTRY, _CITY)
    models: Sequence[type[Model]] = (Country, City)
    tables: Sequence[str] = _TABLES

    def plan(self, staging: Staging) -> dict[str, int]:
        """Fill the tables of countries and cities to create, and return the counts of links and creations."""
        self._create_tables(staging)
        _fill_search_forms(staging)
        # Codes of the rows to link that no country has.
        countries = _places(staging).run(
            """
            INSERT INTO imports_new_countries (iso_code) SELECT DISTINCT w.iso_country FROM {writes} w
            WHERE w.link_country AND NOT EXISTS (SELECT 1 FROM {country} c WHERE c.iso_code = w.iso_country)
            """
        )
        cities = _fill_new_cities(staging)
        if cities:
            _name_cities(staging)
            # Slugs of live cities by the code of their country.
            taken = _places(staging).fill(
                "SELECT c.iso_code AS g, t.slug FROM {city} t JOIN {country} c ON c.id = t.country_id"
            )
            number_slugs(staging, "imports_cities", group="iso_country", taken=taken)
        links = {link.counted_as: self._count_links(staging, link) for link in self.links}
        return {
            "country_links": links["country_links"],
            "countries_created": countries,
            "city_links": links["city_links"],
            "cities_created": cities,
        }

    def create(self, staging: Staging, now: Any) -> None:
        """Create the missing countries and cities."""
        codes = staging.firsts("SELECT iso_code FROM imports_new_countries ORDER BY iso_code")
        if codes:
            Country.objects.using(staging.using).bulk_create(
                Country(iso_code=code, name=name, iso3=iso3, slug=slug_stem(name))
                for code, (name, iso3) in names_of(codes).items()
            )
        if staging.has_rows("imports_cities"):
            places = _places(staging)
            # The new cities, in the order in which the file names them.
            number = places.run(
                """
                INSERT INTO {city} (country_id, name, ascii_name, search_name, slug, latitude, longitude,
                                    timezone, population, active, created_at, updated_at)
                SELECT c.id, n.name, n.ascii_name, n.search_name, n.slug, n.latitude, n.longitude,
                       '', NULL, TRUE, %s, %s
                FROM imports_cities n JOIN {country} c ON c.iso_code = n.iso_country ORDER BY n.line
                """,
                [now, now],
            )
            if staging.postgresql and number * 2 > places.value("SELECT COUNT(*) FROM {city}"):
                # The next statements join the new cities; without statistics the planner expects as many as there were.
                places.run("ANALYZE {city}")

    def joins(self, staging: Staging, rows: str) -> str:
        """Return the LEFT JOINs that find country and city of the rows under alias `rows`."""
        return _places(staging).fill(
            """
            LEFT JOIN {country} lc ON lc.iso_code = {rows}.iso_country
            LEFT JOIN {city} lt ON lt.country_id = lc.id AND lt.search_name = {rows}.city_search
            """,
            rows=rows,
        )

    def target(self, staging: Staging, link: Link) -> str:
        """Return the SQL for the key of a link under those joins."""
        return "lc.id" if link is _COUNTRY else "lt.id"

    def _create_tables(self, staging: Staging) -> None:
        for table in _TABLES:
            staging.run("DROP TABLE IF EXISTS {table}", table=table)
        place = """
            line integer PRIMARY KEY, iso_country text, name text, search_name text,
            latitude double precision, longitude double precision
        """
        staging.run("CREATE TEMP TABLE imports_new_countries (iso_code text)")
        # One row for each city to create: the first row of the file that names it.
        staging.run("CREATE TEMP TABLE imports_new_cities ({place})", place=place)
        # The same rows with values that only Python can compute.
        staging.run("CREATE TEMP TABLE imports_cities ({place}, ascii_name text, stem text, slug text)", place=place)

    def _count_links(self, staging: Staging, link: Link) -> int:
        """Count the airports with a new link: created ones with a link, and others whose link changes."""
        want, target = staging.want(link.field), self.target(staging, link)
        # Created airports with a link.
        created = staging.value("SELECT COUNT(*) FROM {created} w WHERE w.{want}", want=want)
        # A place to be created has no primary key yet, and is another one than the airport has now.
        changed = staging.value(
            """
            SELECT COUNT(*) FROM {changed} w JOIN {live} l ON l.{pk} = w.old_pk {joins}
            WHERE w.{want} AND {filled} AND ({target} IS NULL OR {target} IS DISTINCT FROM l.{column})
            """,
            want=want,
            target=target,
            column=staging.column(link.field),
            joins=self.joins(staging, "w"),
            filled=" AND ".join(f"w.{staging.quote(field)} <> ''" for field in link.needs),
        )
        return created + changed


def _places(staging: Staging) -> Sql:
    return staging.with_names(country=Country._meta.db_table, city=City._meta.db_table)


def _fill_search_forms(staging: Staging) -> None:
    """Compute the comparable municipality where it differs from the file: for corrections, and where none is given."""
    pages = staging.pages(
        """
        SELECT line, municipality FROM {changed}
        WHERE link_city AND city_search IS NULL AND municipality <> '' AND {after} ORDER BY line LIMIT {limit}
        """,
        by="line",
        size=_CHUNK,
    )
    for rows in pages:
        staging.run_many(
            "UPDATE {changed} SET city_search = %s WHERE line = %s", [(search_form(name), line) for line, name in rows]
        )


def _fill_new_cities(staging: Staging) -> int:
    # The first row of each (country, comparable municipality) to link that no city has.
    new_cities = _places(staging).run(
        """
        INSERT INTO imports_new_cities (line, iso_country, name, search_name, latitude, longitude)
        SELECT line, iso_country, municipality, city_search, latitude_deg, longitude_deg FROM (
            SELECT w.line, w.iso_country, w.municipality, w.city_search, w.latitude_deg, w.longitude_deg,
                   ROW_NUMBER() OVER (PARTITION BY w.iso_country, w.city_search ORDER BY w.line) AS place
            FROM {writes} w WHERE w.link_city AND w.city_search <> '' AND NOT EXISTS (
                SELECT 1 FROM {city} t JOIN {country} c ON c.id = t.country_id
                WHERE c.iso_code = w.iso_country AND t.search_name = w.city_search
            )
        ) f WHERE f.place = 1
        """
    )
    staging.analyze("imports_new_cities", ["line"])
    return new_cities


def _name_cities(staging: Staging) -> None:
    """Add the values that SQL cannot compute: ASCII names, and slugs before they are made unique."""
    columns = ("line", "iso_country", "name", "search_name", "latitude", "longitude", "ascii_name", "stem")
    pages = staging.pages(
        """
        SELECT line, iso_country, name, search_name, latitude, longitude FROM imports_new_cities
        WHERE {after} ORDER BY line LIMIT {limit}
        """,
        by="line",
        size=_CHUNK,
    )
    with staging.writing():
        for rows in pages:
            staging.load("imports_cities", columns, ((*row, ascii_form(row[2]), slug_stem(row[2])) for row in rows))
    staging.index_temp("imports_cities", ["iso_country", "stem"])
    staging.analyze("imports_cities", ["line"])
