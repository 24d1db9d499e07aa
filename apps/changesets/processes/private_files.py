"""The files of a new SQLite database are for their owner alone; those of one that is there already stay as they are."""

from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def make_private(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Take a database that was just made, and has no tables yet, away from group and others."""
    name = str(connection.settings_dict["NAME"])
    file = Path(name)
    # A database in memory has no file.
    if connection.vendor != "sqlite" or not file.is_file() or not file.stat().st_mode & (S_IRWXG | S_IRWXO):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master")
        if cursor.fetchone()[0]:
            return
    # SQLite gives its other files the mode of the first one.
    for part in (file, Path(f"{name}-wal"), Path(f"{name}-shm")):
        if part.exists():
            part.chmod(0o600)
