"""Slugs of many new cities at once, unique in their country."""

from typing import Any

from apps.changesets.sql import Sql
from apps.imports.staging.tables import Staging


def number_slugs(staging: Staging, table: str, *, group: str, taken: str) -> None:
    """Fill `slug` in a temporary table of new cities: the first gets its stem, the others -2, -3 and so on.

    `table` has line, stem, slug and the column `group`, which stands for the country. `taken` is a SELECT of `g` and
    `slug` of all the slugs that live cities have or will have.
    """
    sql = staging.with_parts(table=table, group=group, taken=taken)
    # The slugs that are taken, where they are found without reading all of them for each city.
    sql.run("DROP TABLE IF EXISTS {table}_taken")
    sql.run("CREATE TEMP TABLE {table}_taken AS SELECT t.g, t.slug FROM ({taken}) t")
    sql.run("CREATE INDEX {table}_taken_slug ON {table}_taken (g, slug)")
    # The first city with a stem gets it as its slug, if no live city has it.
    sql.run(
        """
        UPDATE {table} SET slug = stem WHERE line IN (
            SELECT line FROM (
                SELECT line, ROW_NUMBER() OVER (PARTITION BY {group}, stem ORDER BY line) AS place FROM {table}
            ) f WHERE f.place = 1
        ) AND NOT EXISTS (SELECT 1 FROM {table}_taken t WHERE t.g = {table}.{group} AND t.slug = {table}.stem)
        """
    )
    sql.run("CREATE UNIQUE INDEX {table}_slug ON {table} ({group}, slug)")
    # The few others get a number.
    unnumbered = sql.rows("SELECT line, {group}, stem FROM {table} WHERE slug IS NULL ORDER BY line")
    last: dict[tuple[Any, str], int] = {}
    for line, owner, stem in unnumbered:
        number = last.get((owner, stem), 1) + 1
        while _is_taken(sql, owner, f"{stem}-{number}"):
            number += 1
        last[owner, stem] = number
        sql.run("UPDATE {table} SET slug = %s WHERE line = %s", [f"{stem}-{number}", line])
    sql.run("DROP TABLE {table}_taken")


def _is_taken(sql: Sql, owner: Any, slug: str) -> bool:
    # Does a new city or another one have this slug?
    rows = sql.rows(
        """
        SELECT 1 FROM {table} WHERE {group} = %s AND slug = %s
        UNION ALL
        SELECT 1 FROM {table}_taken t WHERE t.g = %s AND t.slug = %s LIMIT 1
        """,
        [owner, slug, owner, slug],
    )
    return bool(rows)
