"""Which database this is: a name made once for each, which cursors, backups and commands speak of.

The name is in a table without a model, so that no fixture, flush or portable backup carries it to another database.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connections

from apps.changesets.sql import Row, Sql

TABLE = "changesets_identity"
# What this process has asked for already, by the place under which it reaches a database.
_shared: dict[tuple[str, ...], str] = {}


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


def shared_name(using: str = "default") -> str:
    """Return the name under which processes share what is about a database, however each of them reaches it.

    Two machines may know one server by two addresses, and a replica has the rows of its primary. A copy has the same
    identity, so the name that the server calls it by belongs to it. A process asks once; where nothing can be asked,
    in a broken transaction above all, the place stands in.
    """
    settings = connections[using].settings_dict
    place = tuple(str(settings[part]) for part in ("HOST", "PORT", "NAME"))
    if place not in _shared:
        try:
            identity, sql = identity_of(using), _sql(using)
            called = sql.value("SELECT current_database()") if sql.postgresql else Path(place[-1]).resolve()
        except (DatabaseError, InterfaceError):
            identity = called = ""
        if not identity:
            return "|".join(place)
        _shared[place] = f"{identity}|{called}"
    return _shared[place]


def place_of(using: str = "default") -> str:
    """Return where a database is, for people: its file, or its server and name."""
    settings = connections[using].settings_dict
    if connections[using].vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['HOST'] or 'localhost'}:{settings['PORT'] or 5432}/{settings['NAME']}"


def _sql(using: str) -> Sql:
    return Sql(using, table=TABLE)
