"""Databases that stories start from, each made once and copied, and the console pointed at such a copy."""

import csv
import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings

ROOT = Path(__file__).resolve().parent.parent.parent
BUNDLED = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
# Besides those of Switzerland: two pairs that share an IATA code, and some more of a large country.
MORE = ("TAO", "CN-0164", "KBPG", "KHCA", "KDEN", "KBOS", "KJFK")
NEW = ("LOWI", "LOWW", "LOWZ")
RENAMED = {"LSZB": "CH-0900"}


class Worlds:
    """The databases of this session, by name; on PostgreSQL they are templates."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine = folder, connection.vendor
        self.settings = {**connection.settings_dict}
        self.settings["OPTIONS"] = {key: value for key, value in self.settings["OPTIONS"].items() if key != "pool"}
        self.made: dict[str, Any] = {}
        self.stories = 0
        write_files(folder)

    def copy(self, world: str, target: Path) -> dict[str, Any]:
        """Return the settings of a new database with what is in a world; on SQLite it is the file `target`."""
        if world not in self.made:
            self._make(world)
        self.stories += 1
        name = f"story{self.stories}"
        if self.engine == "postgresql":
            # What the document calls consoledb_new.
            self._server(f'DROP DATABASE IF EXISTS "{self.settings["NAME"]}_{name}_new" WITH (FORCE)')
        return self._copied(self.made[world]["NAME"], target, name)

    def _make(self, world: str) -> None:
        if not self.made:
            self.made["empty"] = self._from_tests()
            with at(self.made["empty"], self.folder):
                # The numbers begin at 1 again, whatever the tests have done.
                call_command("flush", interactive=False, verbosity=0)
                call_command("create_groups", stdout=_Nowhere())
        before, files = {"empty": (), "linked": ("airports.csv",), "updated": ("airports.csv", "newer.csv")}, ()
        files = before[world]
        if files and world not in self.made:
            self.made[world] = self._copied(self.made["empty"]["NAME"], self.folder / f"{world}.sqlite3", world)
            with at(self.made[world], self.folder):
                for file, reason in zip(files, ("first import", "spring snapshot"), strict=False):
                    call_command("import_airports", "--file", str(self.folder / file), "--reason", reason, "--json",
                                 stdout=_Nowhere())  # fmt: skip

    def _from_tests(self) -> dict[str, Any]:
        """Copy the migrated database of the tests, which takes no time."""
        connection.ensure_connection()
        file = self.folder / "empty.sqlite3"
        if self.engine == "sqlite":
            with closing(sqlite3.connect(file)) as target:
                connection.connection.backup(target)
            return {**self.settings, "NAME": str(file)}
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
        return self._copied(self.settings["NAME"], file, "empty")

    def _copied(self, source: str, target: Path, name: str) -> dict[str, Any]:
        if self.engine == "sqlite":
            if Path(source).resolve() != target.resolve():
                shutil.copyfile(source, target)
            return {**self.settings, "NAME": str(target)}
        name = f"{self.settings['NAME']}_{name}"
        self._server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        return {**self.settings, "NAME": name}

    def drop(self) -> None:
        """Remove the databases from PostgreSQL's server; files go with their folder.

        All at the end, since the server writes everything that it has to the disk before it removes one.
        """
        if self.engine == "postgresql":
            stories = [f"story{number}" for number in range(1, self.stories + 1)]
            new = [f"{name}_new" for name in stories]
            names = [f"{self.settings['NAME']}_{name}" for name in (*stories, *new, *self.made)]
            self._server(*(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)' for name in names))

    def _server(self, *statements: str) -> None:
        with psycopg.connect(url_of({**self.settings, "NAME": "postgres"}), autocommit=True) as server:
            for statement in statements:
                server.execute(statement)


class _Nowhere:
    def write(self, text: str) -> None:
        """Forget it."""


def url_of(database: dict[str, Any]) -> str:
    """Return the DATABASE_URL that means these settings."""
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    login = database["USER"] + (f":{database['PASSWORD']}" if database["PASSWORD"] else "")
    return f"postgres://{login}@{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}/{database['NAME']}"


@contextmanager
def at(database: dict[str, Any], folder: Path) -> Iterator[None]:
    """Point the console of this process at a database, and at a folder for all that it keeps in files."""
    from django.conf import settings

    before, known = connections["default"], connections.settings["default"]
    connections.settings["default"] = database
    connections["default"] = connections.create_connection("default")
    ContentType.objects.clear_cache()
    imports = {**settings.STORAGES["imports"], "OPTIONS": {"location": folder / "imports"}}
    progress = {**settings.CACHES["progress"], "LOCATION": str(folder / "progress")}
    try:
        with override_settings(
            BACKUP_DIR=folder / "backups",
            BACKUPS_AUTOMATIC=True,
            IMPORTS_LEASE_SECONDS=3,
            STORAGES={**settings.STORAGES, "imports": imports},
            CACHES={**settings.CACHES, "progress": progress},
        ):
            yield
    finally:
        connections["default"].close()
        connections["default"] = before
        connections.settings["default"] = known
        ContentType.objects.clear_cache()


def write_files(folder: Path) -> None:
    """Cut `airports.csv` out of the real snapshot, and make of it the `newer.csv` of half a year later."""
    with gzip.open(BUNDLED, "rt", encoding="utf-8", newline="") as stream:
        rows = {row["ident"]: row for row in csv.DictReader(stream) if row["iso_country"] in ("CH", "CN", "US", "AT")}
    first = [row for row in rows.values() if row["iso_country"] == "CH" or row["ident"] in MORE]
    _write(folder / "airports.csv", first)
    newer = [{**row, "ident": RENAMED.get(row["ident"], row["ident"])} for row in first]
    for row in newer:
        if row["ident"] == "KDEN":
            row["name"] = "Denver Intl"
        if row["ident"] == "LSZH":
            row["elevation_ft"] = "1500"
    _write(folder / "newer.csv", newer + [rows[ident] for ident in NEW])


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
