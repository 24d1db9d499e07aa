"""Making a backup of the whole database, while others read and write."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from apps.backups.catalogue import FULL, KINDS, Backup, write_manifest
from apps.backups.drivers import Driver, driver_of
from apps.backups.errors import UnknownKind, disk_full, from_os_error
from apps.backups.folder import Place, move_into_place, open_folder, remove, reserve


def create_backup(*, actor: Any, reason: str, kind: str = FULL, using: str = "default") -> Backup:
    """Copy all that is committed now into the folder of the backups, and return the backup when it is safe on disk.

    `actor` is a user, or None for a job. What the caller has written and not committed is not in it. Raises a
    BackupFailure with one sentence, and then leaves nothing in the folder.
    """
    if kind not in KINDS:
        raise UnknownKind(f"There is no backup of kind {kind!r}: use one of {', '.join(KINDS)}.")
    folder, driver = open_folder(), driver_of(using)
    needed = driver.size(using)
    free = shutil.disk_usage(folder).free
    # A dump is smaller than its database, nobody knows how much; a copy is not.
    if driver.same_size and free < needed:
        raise disk_full(folder, needed=needed, free=free)
    try:
        with reserve(folder, kind) as place:
            return _make(place, driver, actor=actor, reason=reason, kind=kind, using=using)
    except OSError as error:
        raise from_os_error(error, folder, needed=needed) from error


def _make(place: Place, driver: Driver, *, actor: Any, reason: str, kind: str, using: str) -> Backup:
    facts = driver.copy_into(using, place.partial)
    final = place.partial.with_name(f"{place.id}{driver.suffix}")
    backup = Backup(
        id=place.id,
        kind=kind,
        created_at=place.at,
        actor=actor.get_username() if actor is not None and getattr(actor, "pk", None) else "",
        reason=reason,
        engine=facts.engine,
        server_version=facts.server_version,
        migrations=facts.migrations,
        newest_changeset=facts.newest_changeset,
        row_counts=facts.row_counts,
        size_bytes=place.partial.stat().st_size,
        sha256=sha256_of(place.partial),
        path=final.name,
    )
    move_into_place(place.partial, final)
    try:
        write_manifest(backup)
    except BaseException:
        remove(final)
        raise
    return backup


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
