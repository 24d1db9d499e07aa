"""Opening a backup elsewhere, and saying what is in a database: the rows of each table, counted and hashed."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from apps.backups.catalogue.manifests import Backup
from apps.changesets.recording.sqlite import DIRECT, OPEN

Contents = dict[str, tuple[int, str]]
SCRATCH = "scratch_of_backups"


def live_contents(using: str, backup: Backup) -> Contents:
    """Return what is in the live database now, in the tables that the backup tells of."""
    with connect_to(using) as live:
        return _contents(live.cursor(), backup)


def contents_elsewhere(backup: Backup, scratch: Path) -> Contents:
    """Return what a backup holds that is opened apart from everything it was made beside."""
    opened = _opened_sqlite(backup, scratch) if backup.engine == "sqlite" else _restored_postgresql(backup)
    with opened as cursor:
        return _contents(cursor, backup)


def _contents(cursor: Any, backup: Backup) -> Contents:
    """Return how many rows each table has, and a hash over all of them in any order."""
    found = {}
    for table in backup.row_counts:
        columns = "*" if backup.engine == "sqlite" else "whole::text"
        cursor.execute(f'SELECT {columns} FROM "{table}" AS whole')
        rows = sorted(repr(row) for row in cursor.fetchall())
        # The recording's note of the last direct write is nobody's row, and is made anew with the recording.
        told = [] if table in (DIRECT, OPEN) else rows
        found[table] = (len(rows), hashlib.sha256("\n".join(told).encode()).hexdigest())
    return found


@contextmanager
def connect_to(using: str) -> Iterator[Any]:
    """Give a connection to the live database, as another program has it, that commits each statement."""
    settings = connections[using].settings_dict
    if connections[using].vendor == "sqlite":
        with closing(sqlite3.connect(settings["NAME"], isolation_level=None, check_same_thread=False)) as opened:
            yield opened
    else:
        with psycopg.connect(**_address(), dbname=settings["NAME"], autocommit=True) as opened:
            yield opened


def _address() -> dict[str, str]:
    settings = connections["default"].settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {"options": "-c timezone=UTC", **{key: str(settings[name]) for key, name in names.items()}}


@contextmanager
def _opened_sqlite(backup: Backup, scratch: Path) -> Iterator[sqlite3.Cursor]:
    scratch.mkdir()
    alone = Path(shutil.copy(backup.file, scratch))
    with closing(sqlite3.connect(f"file:{alone}?mode=ro", uri=True)) as opened:
        yield opened.cursor()


@contextmanager
def _restored_postgresql(backup: Backup) -> Iterator[psycopg.Cursor]:
    address = _address()
    scratch = f"{connections['default'].settings_dict['NAME']}_{SCRATCH}"
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{scratch}"')
        server.execute(f'CREATE DATABASE "{scratch}" TEMPLATE template0')
        try:
            environment = {**os.environ, **{f"PG{key.upper()}": value for key, value in address.items()}}
            command = ["pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={scratch}", str(backup.file)]
            subprocess.run(command, check=True, env=environment)
            with psycopg.connect(**address, dbname=scratch) as opened:
                yield opened.cursor()
        finally:
            server.execute(f'DROP DATABASE "{scratch}" WITH (FORCE)')
