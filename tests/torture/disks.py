"""A small disk that gets full: a file system in memory, which only root may mount."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

from tests.torture.world import Databases, Place

LARGE = 200 * 1024 * 1024
# An act that writes all of the world needs about so many bytes more.
NEEDED = {True: 3_000_000, False: 1_500_000}
_PAGE = 4096


def no_small_disk(databases: Databases) -> str:
    """Return why no small disk can be made here, or nothing."""
    if os.geteuid() != 0:
        return "only root may mount a small disk"
    if not databases.is_sqlite and not Path(databases.execute("SHOW data_directory")[0][0]).is_dir():
        return "PostgreSQL runs on another machine"
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(["mount", "-t", "tmpfs", "torture", folder], capture_output=True, text=True)
        if tried.returncode:
            return f"no disk can be mounted here ({tried.stderr.strip()})"
        subprocess.run(["umount", folder], check=True)
    return ""


class SmallDisk:
    """A disk of its own for one trial, whose size can be changed; gone at the end of the `with` statement."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="torture-disk-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={LARGE}", "torture", self._folder], check=True)
        self._name = f"tml_{self._folder.name.replace('-', '_')}".lower()
        if not self.databases.is_sqlite:
            owner = Path(self.databases.execute("SHOW data_directory")[0][0]).stat()
            os.chown(self._folder, owner.st_uid, owner.st_gid)
            self.databases.execute(f"CREATE TABLESPACE {self._name} LOCATION '{self._folder}'")
        return self

    def __exit__(self, *error: object) -> None:
        if not self.databases.is_sqlite:
            self.databases.execute(f"DROP TABLESPACE {self._name}")
        subprocess.run(["umount", "--lazy", self._folder], check=True)
        self._folder.rmdir()

    @contextmanager
    def place(self, of: Place) -> Iterator[Place]:
        """Give a copy of a place on this disk: all files of SQLite's, the tables of PostgreSQL's."""
        if self.databases.is_sqlite:
            with self.databases.place(of, room=self._folder) as made:
                yield made
        else:
            with self.databases.place(of, tablespace=f"TABLESPACE {self._name}") as made:
                # What PostgreSQL has yet to write, and what it writes at the first connection, is there before.
                psycopg.connect(made.url).close()
                self.databases.execute("CHECKPOINT")
                yield made

    def shrink(self, share: float) -> int:
        """Leave a share of what an act may need; return how many bytes that are."""
        filled = os.statvfs(self._folder)
        used = (filled.f_blocks - filled.f_bfree) * filled.f_frsize
        spare = int(share * NEEDED[self.databases.is_sqlite]) // _PAGE * _PAGE
        self._resize(used + spare)
        return spare

    def grow(self) -> None:
        """Make room."""
        self._resize(LARGE)

    def _resize(self, size: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self._folder], check=True)
