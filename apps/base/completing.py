"""Values of a new country or city that its row does not have: a slug, and an ASCII name where the row has none."""

from collections.abc import Iterator, Sequence

from apps.base.models import City
from apps.base.slugs import number_slugs
from apps.base.text import ascii_form, slug_stem
from apps.changesets.sql import Row
from apps.imports.staging.tables import Staging

_CHUNK = 5000


class CountryCompleter:
    """Gives new countries their slug."""

    fields: Sequence[str] = ("slug",)
    tables: Sequence[str] = ()

    def plan(self, staging: Staging) -> None:
        """Fill the table of completed values."""
        with staging.writing():
            for rows in _created(staging, ["name"]):
                staging.load("imports_completed", ["line", "slug"], ((line, slug_stem(name)) for line, name in rows))


class CityCompleter:
    """Gives new cities an ASCII name and a slug that no city of their country has."""

    fields: Sequence[str] = ("ascii_name", "slug")
    tables: Sequence[str] = ("imports_new_slugs",)

    def plan(self, staging: Staging) -> None:
        """Fill the table of completed values."""
        staging.run("DROP TABLE IF EXISTS imports_new_slugs")
        staging.run(
            """
            CREATE TEMP TABLE imports_new_slugs (
                line integer PRIMARY KEY, country bigint, ascii_name text, stem text, slug text
            )
            """
        )
        with staging.writing():
            for rows in _created(staging, ["country", "name"]):
                filled = ((line, country, ascii_form(name), slug_stem(name)) for line, country, name in rows)
                staging.load("imports_new_slugs", ["line", "country", "ascii_name", "stem"], filled)
        if not staging.value("SELECT COUNT(*) FROM imports_new_slugs"):
            return
        staging.index_temp("imports_new_slugs", ["country", "stem"])
        staging.analyze("imports_new_slugs", ["line"])
        # The slugs of live cities, and those of cities that move to another country.
        taken = staging.with_names(city=City._meta.db_table).fill(
            """
            SELECT t.country_id AS g, t.slug FROM {city} t
            UNION ALL
            SELECT x.country, t.slug FROM {changed} x JOIN {city} t ON t.id = x.old_pk
            """
        )
        number_slugs(staging, "imports_new_slugs", group="country", taken=taken)
        # Copy them to the table that the import reads.
        staging.run(
            """
            INSERT INTO {completed} (line, ascii_name, slug) SELECT line, ascii_name, slug FROM imports_new_slugs
            """
        )


def _created(staging: Staging, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Yield the rows that create an object in chunks: line and these columns."""
    return staging.pages(
        "SELECT line, {columns} FROM {created} WHERE {after} ORDER BY line LIMIT {limit}",
        by="line",
        size=_CHUNK,
        columns=staging.names(columns),
    )
