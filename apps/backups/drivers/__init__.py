"""Drivers: each writes one kind of backup, and restores it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import connections

from apps.backups.catalogue.facts import Facts
from apps.backups.drivers import data, incremental, postgresql, sqlite, sqlite_restoring


class Copy(Protocol):
    """Writes a consistent copy of the database `using` into the empty file `target`; no tables means all of them."""

    def __call__(self, using: str, target: Path, *, tables: tuple[str, ...] = ()) -> Facts: ...


class Restore(Protocol):
    """Makes the database `using` hold what the file `source` has, all of it or nothing.

    A native driver replaces everything. A portable one needs all tables migrated and the recording removed. On
    PostgreSQL the caller opens the transaction. The caller has checked the hash of the file; afterwards it migrates,
    installs the recording and sets the sequences.
    """

    def __call__(self, source: Path, using: str) -> None: ...


class ReadFacts(Protocol):
    """Returns the facts of the database `using`, to compare them with the manifest.

    With `hashed` the rows of each table are hashed.
    """

    def __call__(self, using: str, *, hashed: bool = False) -> Facts: ...


class Check(Protocol):
    """Raises BackupUnreadable when the file is not what this driver writes; changes nothing."""

    def __call__(self, source: Path) -> None: ...


class Size(Protocol):
    """Returns how many bytes a copy of the database `using` takes at most."""

    def __call__(self, using: str) -> int: ...


@dataclass(frozen=True)
class Driver:
    """How one kind of backup is made and restored, and the suffix of its files."""

    suffix: str
    # How many files as large as the database there are while it is copied; 0: fewer, by an unknown amount.
    copies: int
    size: Size
    copy_into: Copy
    restore_into: Restore
    check: Check
    facts: ReadFacts
    # Whether it holds the tables themselves, and goes only into the engine that it came from.
    native: bool = True


def _size(using: str) -> int:
    return NATIVE[connections[using].vendor].size(using)


# By engine: the database's own format.
NATIVE = {
    "sqlite": Driver(
        ".sqlite3",
        copies=2,
        size=sqlite.size,
        copy_into=sqlite.copy_into,
        restore_into=sqlite_restoring.restore_into,
        check=sqlite_restoring.check,
        facts=sqlite.facts,
    ),
    "postgresql": Driver(
        ".dump",
        copies=0,
        size=postgresql.size,
        copy_into=postgresql.copy_into,
        restore_into=postgresql.restore_into,
        check=postgresql.check,
        facts=postgresql.facts,
    ),
}
# By kind: the formats that move between engines.
PORTABLE: dict[str, Driver] = {
    "data": Driver(
        data.SUFFIX,
        copies=0,
        size=_size,
        copy_into=data.copy_into,
        restore_into=data.restore_into,
        check=data.check,
        facts=data.facts,
        native=False,
    ),
    "incremental": Driver(
        incremental.SUFFIX,
        copies=0,
        size=_size,
        copy_into=incremental.copy_into,
        restore_into=incremental.restore_into,
        check=incremental.check,
        facts=incremental.facts,
        native=False,
    ),
}
