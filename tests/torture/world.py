"""The world of the trials: a console with a few hundred airports and a past, of which each trial gets a copy."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.imports.files import csv_text
from tests.torture.processes import run

FIRST, SECOND = "first.csv", "second.csv"
ROWS = 200
CITIES = ["Denver", "Boulder", "Aspen", "Pueblo", "Golden"]


@dataclass(frozen=True)
class Place:
    """A database of its own, and the folder of all files of its console."""

    url: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def database(self) -> str:
        return self.url.removeprefix("sqlite:///") if self.is_sqlite else urlsplit(self.url).path[1:]


class Databases:
    """Makes places, and copies of them; all are gone at the end of the `with` statement."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.is_sqlite = url.startswith("sqlite")
        self._number = 0

    def __enter__(self) -> "Databases":
        self._server = None if self.is_sqlite else psycopg.connect(self._url_of("postgres"), autocommit=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.close()

    def execute(self, statement: str) -> list[tuple]:
        """Run a statement on PostgreSQL's server, beside all consoles."""
        cursor = self._server.execute(statement)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def place(self, of: Place | None = None, *, room: Path | None = None, tablespace: str = "") -> Iterator[Place]:
        """Give a new place, empty or a copy; on SQLite it is within `room`, on PostgreSQL in the tablespace."""
        self._number += 1
        name = f"tml_torture_{os.getpid()}_{self._number}"
        folder = (room or self.folder) / name
        folder.mkdir()
        made = Place(f"sqlite:///{folder / 'console.sqlite3'}" if self.is_sqlite else self._url_of(name), folder)
        if of is not None:
            shutil.copytree(of.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("log"))
        if not self.is_sqlite:
            template = f'TEMPLATE "{of.database}"' if of is not None else ""
            self.execute(f'CREATE DATABASE "{name}" {template} {tablespace}')
        try:
            yield made
        finally:
            if not self.is_sqlite:
                self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            shutil.rmtree(folder, ignore_errors=True)

    def end_sessions(self, place: Place) -> None:
        """End all sessions of a place, as a server does that is started anew."""
        self.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{place.database}'")

    def until_alone(self, place: Place) -> None:
        """Return when no session of a killed process is left."""
        if self.is_sqlite:
            return
        sessions = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{place.database}'"
        for _ in range(600):
            if not self.execute(sessions)[0][0]:
                return
            time.sleep(0.05)
        raise RuntimeError(f"A session of {place.database} outlives its process by half a minute.")

    def _url_of(self, name: str) -> str:
        return self.url.rpartition("/")[0] + f"/{name}"


def enter(place: Place) -> None:
    """Make this process, which has no connection yet, one of the place's console."""
    from django.conf import settings
    from django.db import connections

    database = connections["default"].settings_dict
    database["NAME"] = place.database
    # No trial switches the machine off: what a killed process wrote is with the operating system.
    if place.is_sqlite:
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
    else:
        database["OPTIONS"]["options"] += " -c synchronous_commit=off"
    os.environ["DATABASE_URL"] = place.url
    settings.VAR_DIR, settings.BACKUP_DIR = place.folder / "var", place.folder / "backups"
    settings.STORAGES["imports"]["OPTIONS"]["location"] = place.folder / "imports"
    for name in ("figures", "progress"):
        settings.CACHES[name]["LOCATION"] = str(place.folder / name)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def make_world(place: Place) -> None:
    """Fill an empty place: an import, edits, a bulk action, one that is reverted, a deletion, a stored plan."""
    for name, changed in ((FIRST, False), (SECOND, True)):
        (place.folder / name).write_text(_file(changed=changed), encoding="utf-8")
    run(lambda: _fill(place), log=place.log)


def _file(*, changed: bool) -> str:
    """Return a snapshot; the later one has other names, another ident here and there, new airports and lacks some."""
    rows = []
    for number in range(1, ROWS + (30 if changed else 0) + 1):
        if changed and number % 40 == 0:
            continue
        renamed, moved, city = changed and number % 25 == 0, number % 10 == 0, CITIES[number // 7 % 5]
        rows.append(
            {
                "id": str(number),
                "ident": f"{'Y' if renamed else 'X'}{number:04}",
                "name": f"Airport {number}{' International' if changed and number % 2 else ''}",
                "iata_code": "",
                "elevation_ft": str(number + (1 if changed and number % 3 == 0 else 0)),
                # A new city gets the position of the first airport that wants it, whichever that is.
                "latitude_deg": str(39 + CITIES.index(city)),
                # Each new city is that of a new airport, too, so that it comes whatever becomes of the others.
                "municipality": city + (" City" if changed and (moved or number > ROWS) else ""),
            }
        )
    return csv_text(*rows)


def _fill(place: Place) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from apps.airports.columns import OURAIRPORTS
    from apps.airports.models import Airport
    from apps.backups.objects.making import back_up_object
    from apps.changesets.context import changeset
    from apps.changesets.revert import plan_revert, revert
    from apps.imports.reading.sources import from_path
    from apps.imports.results import ImportOptions
    from apps.imports.runs.engine import plan_run
    from apps.imports.runs.opening import open_run

    enter(place)
    call_command("migrate", verbosity=0)
    call_command("create_groups", verbosity=0)
    tess = User.objects.create_superuser("tess")
    call_command("import_airports", file=str(place.folder / FIRST), verbosity=0)
    back_up_object(Airport.objects.get(pk="X0009"), actor=tess, reason="as it was")
    with changeset(kind="edit", actor=tess):
        Airport.objects.filter(pk="X0009").update(name="Corrected", elevation_ft=7)
    with changeset(kind="bulk_action", actor=tess, reason="closed for the winter"):
        Airport.objects.filter(source_id__range=(60, 120)).update(active=False)
    with changeset(kind="bulk_action", actor=tess, reason="a mistake") as mistake:
        Airport.objects.filter(source_id__range=(10, 50)).update(elevation_ft=0)
    revert(plan_revert([mistake]), actor=tess, reason="it was one")
    with changeset(kind="delete", actor=tess):
        Airport.objects.filter(pk="X0007").delete()
    run = open_run(
        from_path(place.folder / SECOND), spec=OURAIRPORTS, options=ImportOptions(), actor=tess, reason="a plan"
    )
    plan_run(run)
    # What this process has in memory of the tables is not in the copies.
    shutil.rmtree(place.folder / "figures", ignore_errors=True)
