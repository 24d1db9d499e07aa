"""Searching a backup by its name, and opening it; a file that changed after it was written is refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apps.backups.catalogue.folder import sha256_of
from apps.backups.catalogue.manifests import Backup, chain_of, read_catalogue
from apps.backups.catalogue.offsite import fetch, storage
from apps.backups.drivers import Driver
from apps.backups.errors import BackupAltered, BackupUnreadable, UnknownBackup, not_signed
from apps.backups.kinds import driver_for

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def find_backup(name: str, *, trust: bool = False) -> Backup:
    """Return the backup of this name, fetched from elsewhere if it is only there, and signed unless it is trusted.

    Raises UnknownBackup, NotSigned, or the error of its manifest or its copy.
    """
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise UnknownBackup(f"{name[:60]!r} is not the name of a backup: `manage.py backup list` shows them.")
    catalogue = read_catalogue()
    for backup in catalogue.backups:
        if backup.id == name:
            if backup.foreign and not trust:
                raise not_signed(name)
            return backup
    for complaint in catalogue.complaints:
        if f"{name}." in complaint:
            raise BackupUnreadable(complaint)
    if storage() is not None:
        return fetch(name, trust=trust)
    raise UnknownBackup(f"There is no backup {name}: `manage.py backup list` shows them.")


def needed_for(backup: Backup, *, trust: bool = False) -> list[Backup]:
    """Return the backups that restoring this one takes, the full one first; raises ChainBroken where one is missing."""

    def find_or_none(name: str) -> Backup | None:
        with suppress(UnknownBackup):
            return find_backup(name, trust=trust)
        return None

    return chain_of(backup, find_or_none)


def driver_of(backup: Backup) -> Driver:
    """Return the driver that restores this backup."""
    return driver_for(backup.kind, backup.engine)


@contextmanager
def opened(backup: Backup, *, trust: bool = False) -> Iterator[Path]:
    """Give the file of a backup, checked to be signed by this installation, unless it is trusted, and unchanged.

    Raises NotSigned before the file is read, BackupAltered or BackupUnreadable.
    """
    if backup.foreign and not trust:
        raise not_signed(backup.id)
    size = backup.file.stat().st_size
    if size != backup.size_bytes:
        raise BackupAltered(
            f"The backup {backup.id} is not whole: it has {size:,} bytes and was written with {backup.size_bytes:,}. "
            "Nothing was restored; choose another one, or bring the file back from a copy."
        )
    if sha256_of(backup.file) != backup.sha256:
        raise BackupAltered(
            f"The backup {backup.id} was altered after it was made: its SHA-256 is not that of its manifest. "
            "Nothing was restored; choose another one, or bring the file back from a copy."
        )
    driver_of(backup).restorer.check(backup.file)
    yield backup.file
