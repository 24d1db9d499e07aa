"""Holding a name while work goes on: others see that it is held, and whoever held it lets go by dying.

PostgreSQL knows it of its sessions, whatever host they come from, and the operating system of the processes that have a
file locked. No clock is asked.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core.files import locks

from apps.changesets.processes.failures import FAILURES
from apps.changesets.sql import Sql


@contextmanager
def holding(name: str, *, using: str = "default") -> Iterator[bool]:
    """Hold a name for the length of the block, or as long as this process and its connection live.

    PostgreSQL waits for whoever holds it; on SQLite the block is given whether the name is held by it.
    """
    sql = Sql(using)
    if not sql.postgresql:
        lock = hold_file(_file(name))
        try:
            yield lock is not None
        finally:
            if lock is not None:
                _file(name).unlink(missing_ok=True)
                release_file(lock)
        return
    sql.run("SELECT pg_advisory_lock(%s)", [_number(name)])
    try:
        yield True
    finally:
        # A connection that is lost has let go.
        with suppress(*FAILURES):
            sql.run("SELECT pg_advisory_unlock(%s)", [_number(name)])


def is_held(name: str, *, using: str = "default") -> bool:
    """Whether somebody who lives holds the name."""
    sql = Sql(using)
    if not sql.postgresql:
        return is_file_held(_file(name))
    number = _number(name)
    # Sessions of this database with an advisory lock of this number, which is kept in two halves.
    return bool(
        sql.value(
            """
            SELECT EXISTS (
                SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
                WHERE l.locktype = 'advisory' AND l.classid::bigint = %s AND l.objid::bigint = %s AND l.granted
            )
            """,
            [number >> 32, number & 0xFFFFFFFF],
        )
    )


def hold_file(file: Path) -> int | None:
    """Lock a file and return its descriptor, which children may inherit; None where somebody else has it locked."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    if locks.lock(descriptor, locks.LOCK_EX | locks.LOCK_NB):
        return descriptor
    os.close(descriptor)
    return None


def release_file(descriptor: int) -> None:
    """Let go of a locked file; one that a child inherited stays locked until that ends, too."""
    os.close(descriptor)


def is_file_held(file: Path) -> bool:
    """Whether a process that lives has the file locked."""
    if not file.exists():
        return False
    descriptor = hold_file(file)
    if descriptor is None:
        return True
    release_file(descriptor)
    return False


@contextmanager
def scratch_folder(parent: Path, *, prefix: str) -> Iterator[Path]:
    """Give a private folder in `parent` until the end of the block; also remove those that killed processes left."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(parent, prefix)
    folder, descriptor = _new_folder(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _new_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """Return a new locked folder; one that somebody swept away before it was locked is made again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            if locks.lock(descriptor, locks.LOCK_EX | locks.LOCK_NB) and folder.exists():
                return folder, descriptor
            os.close(descriptor)


def _sweep(parent: Path, prefix: str) -> None:
    for left in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY)
            try:
                if locks.lock(descriptor, locks.LOCK_EX | locks.LOCK_NB):
                    shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


def _file(name: str) -> Path:
    return Path(settings.VAR_DIR) / "held" / name


def _number(name: str) -> int:
    """Return the number of a name: 63 bits, since PostgreSQL's have a sign."""
    return int.from_bytes(sha256(name.encode()).digest()[:8]) >> 1
