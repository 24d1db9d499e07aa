"""One driver for each engine: `copy_into(using, target)` writes the database into a file and returns its facts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import connections

from apps.backups.drivers import postgresql, sqlite
from apps.backups.facts import Facts


class Copy(Protocol):
    """Writes a consistent copy of the database `using` into the empty file `target`."""

    def __call__(self, using: str, target: Path) -> Facts: ...


class Size(Protocol):
    """Returns how many bytes a copy of the database `using` takes at most."""

    def __call__(self, using: str) -> int: ...


@dataclass(frozen=True)
class Driver:
    """How databases of one engine are backed up, and how the files are called."""

    suffix: str
    # Whether a copy is as large as its database, or only smaller.
    same_size: bool
    size: Size
    copy_into: Copy


DRIVERS = {
    "sqlite": Driver(".sqlite3", same_size=True, size=sqlite.size, copy_into=sqlite.copy_into),
    "postgresql": Driver(".dump", same_size=False, size=postgresql.size, copy_into=postgresql.copy_into),
}


def driver_of(using: str) -> Driver:
    """Return the driver for the database `using`."""
    return DRIVERS[connections[using].vendor]
