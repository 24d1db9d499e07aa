"""A folder for backups, and a database that other connections and programs can reach."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection, connections

from apps.backups.aliases import alias_of, sqlite_file
from apps.base.models import Country
from apps.changesets.context import changeset


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    """The folder of the backups, which is not there yet."""
    settings.BACKUP_DIR = tmp_path / "backups"
    return settings.BACKUP_DIR


@pytest.fixture
def using(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """The name of a database with three countries in one changeset; on SQLite it is a file, in WAL mode."""
    with changeset(kind="import", actor=None, reason="three countries"):
        for code, name in [("CH", "Switzerland"), ("US", "United States"), ("JP", "日本")]:
            Country.objects.create(iso_code=code, name=name)
    if connection.vendor == "postgresql":
        yield "default"
        return
    file = tmp_path / "console.sqlite3"
    with closing(sqlite3.connect(file)) as target:
        connection.connection.backup(target)
    with (
        alias_of({**connections.settings["default"], "NAME": str(file)}) as alias,
        closing(sqlite3.connect(file)) as other,
    ):
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("UPDATE auth_group SET name = name")
        other.commit()
        yield alias


@pytest.fixture
def database(using: str) -> Path:
    """The file of the SQLite database."""
    if connections[using].vendor != "sqlite":
        pytest.skip("this is about files of SQLite")
    return Path(connections[using].settings_dict["NAME"])


@pytest.fixture
def another(using: str, tmp_path: Path, migrated_file: Path) -> Iterator[str]:
    """The name of another database without rows, in a file of SQLite whatever the engine of the tests is."""
    with sqlite_file(Path(shutil.copy(migrated_file, tmp_path / "another.sqlite3"))) as alias:
        yield alias
