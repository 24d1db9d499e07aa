"""The folder of the backups: private, never served, without half-written backups."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings

from apps.backups.errors import BackupFailure, FolderIsServed, FolderNotWritable, not_writable
from apps.changesets.processes.holding import scratch_folder
from apps.changesets.processes.private_storage import sync_file

PARTIAL = ".partial"
SCRATCH_FOLDER = ".scratch-"
# Files of killed backups are not removed sooner, so that a starting backup is never taken for a killed one.
ABANDONED_SECONDS = 60
MOST_IN_ONE_SECOND = 99


@dataclass(frozen=True)
class Place:
    """The place of a backup in the making: its final name, and the file to write until it is complete."""

    id: str
    at: datetime
    partial: Path


def backup_folder() -> Path:
    """Return the folder of the backups, which may not exist."""
    return Path(settings.BACKUP_DIR).resolve()


def open_folder() -> Path:
    """Return the folder of the backups, and make it if it is missing; raises FolderIsServed or FolderNotWritable."""
    folder = backup_folder()
    for served in _served():
        if folder.is_relative_to(served):
            raise FolderIsServed(
                f"Backups are not written in {folder}: the web server gives anybody the files in {served}. "
                "Set BACKUP_DIR to a folder outside of it."
            )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    return folder


def private_folder() -> AbstractContextManager[Path]:
    """Give a private folder beside the backups until the end of the block."""
    return scratch_folder(open_folder(), prefix=SCRATCH_FOLDER)


def _served() -> list[Path]:
    """Return the folders whose files a web server may give to anybody."""
    chosen: list[str | Path | None] = [settings.STATIC_ROOT, settings.MEDIA_ROOT]
    chosen += [entry[1] if isinstance(entry, (list, tuple)) else entry for entry in settings.STATICFILES_DIRS]
    chosen += [Path(app.path) / "static" for app in apps.get_app_configs()]
    return [Path(path).resolve() for path in chosen if path]


@contextmanager
def reserve(folder: Path, kind: str) -> Iterator[Place]:
    """Give a name that no other backup has and a private empty file to write; the file is removed at the end."""
    _sweep(folder)
    place, descriptor = _take(folder, kind)
    try:
        # The lock shows that the file is being written; it ends with the process, however that ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield place
    finally:
        for left in folder.glob(f"{place.id}{PARTIAL}*"):
            left.unlink(missing_ok=True)
        os.close(descriptor)


def _take(folder: Path, kind: str) -> tuple[Place, int]:
    at = datetime.now(tz=UTC)
    for number in range(1, MOST_IN_ONE_SECOND + 1):
        name = f"{at:%Y%m%d-%H%M%S}-{kind}" + (f"-{number:02}" if number > 1 else "")
        partial = folder / f"{name}{PARTIAL}"
        try:
            descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise not_writable(folder, error) from error
        # Checked after the name is taken: a backup that had the name before has renamed its file by then.
        if any(path != partial for path in folder.glob(f"{name}.*")):
            partial.unlink()
            os.close(descriptor)
            continue
        return Place(name, at, partial), descriptor
    raise FolderNotWritable(
        f"{MOST_IN_ONE_SECOND} backups were begun in {folder} within this second: check what starts them."
    )


def _sweep(folder: Path) -> None:
    """Remove the files of killed backups."""
    for partial in folder.glob(f"*{PARTIAL}*"):
        try:
            if time.time() - partial.stat().st_mtime < ABANDONED_SECONDS:
                continue
            with partial.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                partial.unlink()
        except OSError:
            continue  # It is being written, or somebody else removed it.


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def move_into_place(partial: Path, final: Path) -> None:
    """Give a complete file its name, also on the disk; raises BackupFailure instead of replacing another file."""
    if final.exists():
        raise BackupFailure(f"{final} is there already, and no backup replaces another: remove it, or try again.")
    sync_file(partial)
    partial.rename(final)
    sync_file(final.parent)


def remove(path: Path) -> None:
    """Remove a file if it exists, also from the disk."""
    path.unlink(missing_ok=True)
    sync_file(path.parent)
