"""Which database this is: a name made once for each, which cursors, backups and commands speak of.

The name is in a table without a model, so that no fixture, flush or portable backup carries it to another database.
"""

import secrets
from collections.abc import Callable

from django.db import connections

from apps.changesets.sql import Row, Sql

TABLE = "changesets_identity"


def identity_of(using: str = "default", *, fetch: Callable[[str], list[Row]] | None = None) -> str:
    """Return the name of a database, empty where it has none yet; `fetch` runs a query on another connection."""
    sql = _sql(using)
    fetch = fetch or (lambda statement: sql.rows("{statement}", statement=statement))
    there = (
        "to_regclass('{table}') IS NOT NULL" if sql.postgresql else "count(*) FROM sqlite_master WHERE name = {name}"
    )
    if not fetch(sql.fill(f"SELECT {there}", name=f"'{TABLE}'"))[0][0]:
        return ""
    return next((str(name) for (name,) in fetch(sql.fill("SELECT name FROM {table}"))), "")


def make_identity(using: str = "default") -> None:
    """Give a database its name, unless it has one; the table is made when it is missing."""
    sql = _sql(using)
    sql.run("CREATE TABLE IF NOT EXISTS {table} (id integer PRIMARY KEY CHECK (id = 1), name varchar(32) NOT NULL)")
    sql.run("INSERT INTO {table} (id, name) VALUES (1, %s) ON CONFLICT DO NOTHING", [secrets.token_hex(8)])


def set_identity(name: str, using: str = "default") -> None:
    """Make a restored database the one of this name; without a name it becomes one of its own."""
    sql = _sql(using)
    make_identity(using)
    sql.run("UPDATE {table} SET name = %s", [name or secrets.token_hex(8)])


def place_of(using: str = "default") -> str:
    """Return where a database is, for people: its file, or its server and name."""
    settings = connections[using].settings_dict
    if connections[using].vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['HOST'] or 'localhost'}:{settings['PORT'] or 5432}/{settings['NAME']}"


def _sql(using: str) -> Sql:
    return Sql(using, table=TABLE)
