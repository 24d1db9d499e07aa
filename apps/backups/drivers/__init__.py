"""Drivers: each writes one kind of backup, and restores it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import connections

from apps.backups.catalogue.facts import Facts
from apps.backups.drivers import data, incremental, postgresql, sqlite, sqlite_restoring


class Writer(Protocol):
    """A module that writes one kind of backup."""

    def copy_into(self, using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts:
        """Write a consistent copy of the database `using` into the empty file `target`; no tables means all of them."""

    def facts(self, using: str, *, hashed: bool = False) -> Facts:
        """Return the facts of the database `using`, to compare them with the manifest; `hashed`: of the rows, too."""


class Restorer(Protocol):
    """A module that restores one kind of backup."""

    def check(self, source: Path) -> None:
        """Raise BackupUnreadable when the file is not what the driver writes; changes nothing."""

    def restore_into(self, source: Path, using: str) -> None:
        """Make the database `using` hold what the file `source` has, all of it or nothing.

        A native driver replaces everything. A portable one needs all tables migrated and the recording removed. On
        PostgreSQL the caller opens the transaction. The caller has checked the hash of the file; afterwards it
        migrates, installs the recording and sets the sequences.
        """


@dataclass(frozen=True)
class Driver:
    """How one kind of backup is made and restored, and the suffix of its files."""

    suffix: str
    writer: Writer
    restorer: Restorer
    # How many files as large as the database there are while it is copied; 0: fewer, by an unknown amount.
    copies: int = 0
    # Whether it holds the tables themselves, and goes only into the engine that it came from.
    native: bool = True


# By engine: the database's own format.
NATIVE = {
    "sqlite": Driver(".sqlite3", sqlite, sqlite_restoring, copies=2),
    "postgresql": Driver(".dump", postgresql, postgresql),
}
# By kind: the formats that move between engines.
PORTABLE = {
    "data": Driver(data.SUFFIX, data, data, native=False),
    "incremental": Driver(incremental.SUFFIX, incremental, incremental, native=False),
}


def size_of(using: str) -> int:
    """Return how many bytes the database has; no copy of it takes more."""
    return (sqlite if connections[using].vendor == "sqlite" else postgresql).size(using)
