"""The errors of this app; the text of each is one sentence that says what to do."""

import errno
from pathlib import Path

from apps.changesets.errors import ChangesetError
from apps.changesets.processes.locking import is_busy

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT)


class BackupFailure(Exception):
    """Base of all errors of this app: nothing is half done, and the text says what to do."""


class DiskFull(BackupFailure):
    """The disk has no room for another backup."""


class FolderNotWritable(BackupFailure):
    """The folder of the backups cannot be made or written."""


class FolderIsServed(BackupFailure):
    """The web server serves the folder of the backups to anybody."""


class ProgramMissing(BackupFailure):
    """A program of PostgreSQL that the backup needs is not installed."""


class DumpFailed(BackupFailure):
    """pg_dump gave up."""


class DatabaseBusy(BackupFailure):
    """The database, or a table of it, was locked for too long."""


class DatabaseUnreadable(BackupFailure):
    """The database is not there, or cannot be read."""


class CopyDamaged(BackupFailure):
    """The copy is damaged and was deleted."""


class UnknownTable(BackupFailure):
    """A chosen table does not exist."""


class UnknownKind(BackupFailure):
    """There is no such kind of backup."""


class ManifestUnreadable(BackupFailure):
    """A manifest cannot be read or trusted."""


class NoSigningKey(BackupFailure):
    """There is no key to sign backups with."""


class NotSigned(BackupFailure):
    """A backup was not signed by this installation, or was altered afterwards."""


class UnknownBackup(BackupFailure):
    """No backup has this name."""


class BackupUnreadable(BackupFailure):
    """A file of a backup cannot be read."""


class BackupAltered(BackupFailure):
    """The file of a backup changed after it was written."""


class RestoreFailed(BackupFailure):
    """The database refused the rows of the backup; it is as it was."""


class ObjectsRefused(BackupFailure):
    """A backup brings code along that is not the console's: a trigger, a view, a function."""


class OffsiteUnavailable(BackupFailure):
    """The storage elsewhere cannot be reached or written."""


class NotEncrypted(BackupFailure):
    """gpg could not encrypt a copy, so the copy was not sent."""


class NotDecrypted(BackupFailure):
    """gpg could not decrypt a copy."""


class RestoreRefused(BackupFailure):
    """The restore was not begun, because it would do harm now."""


class ChangedMeanwhile(BackupFailure):
    """Somebody wrote between the safety backup and the restore."""


class OtherEngine(BackupFailure):
    """The backup is of another kind of database."""


class TablesRefused(BackupFailure, ChangesetError):
    """The chosen tables cannot be restored without others; a changeset treats that as a refusal, not as a failure."""


class NewerSchema(BackupFailure):
    """The backup was made by a newer version of the console."""


class NotTheSame(BackupFailure):
    """The restored rows are not those of the manifest."""


class UnknownTarget(BackupFailure):
    """The named target is no place to restore into."""


class NotFresh(BackupFailure):
    """The target of a restore holds data already."""


class WorkRefused(BackupFailure):
    """Another backup, verification or restore is running."""


class NoBase(BackupFailure):
    """There is no backup that an incremental one could go on from."""


class ChainBroken(BackupFailure):
    """Incremental backups do not follow each other, or do not follow the state of the database."""


class NotReached(BackupFailure):
    """No backup reaches the changeset or the moment up to which to restore."""


class OtherSchema(BackupFailure):
    """The fields of the backup are not those of the table."""


def gap(increment: str, base: str) -> ChainBroken:
    """Return the error for an incremental backup without the one that it goes on from."""
    return ChainBroken(
        f"The incremental backup {increment} goes on from {base}, which is not there (any more): nothing was restored. "
        "Bring it back from a copy, or restore a full backup."
    )


def not_signed(name: str) -> NotSigned:
    """Return the error for a backup that this installation did not sign."""
    return NotSigned(
        f"The backup {name} was not signed by this installation, or was altered afterwards: nothing of it was read. "
        "Whoever knows where it is from restores it with `manage.py backup restore --trust`."
    )


def objects_refused(name: str, stranger: str) -> ObjectsRefused:
    """Return the error for a backup with code that would run in the database."""
    return ObjectsRefused(
        f"The backup {name} brings something that is not the console's and would run in the database ({stranger}): "
        "nothing was restored. Remove it from the database that is backed up and make a new backup, or restore this "
        "one by hand, once you know what it does."
    )


def disk_full(folder: Path, *, needed: int, free: int | None = None) -> DiskFull:
    """Return the error that says how much room a backup needs in `folder`."""
    left = "" if free is None else f" and {megabytes(free)} are free"
    return DiskFull(
        f"The disk of {folder} is full: a backup needs up to {megabytes(needed)} there{left}. No backup was made; "
        "make room, or set BACKUP_DIR to a folder on another disk."
    )


def from_os_error(error: OSError, folder: Path, *, needed: int) -> BackupFailure:
    """Return what an error of the operating system means for a backup of `needed` bytes in `folder`."""
    if error.errno in FULL:
        return disk_full(folder, needed=needed)
    if error.errno in FORBIDDEN:
        return not_writable(folder, error)
    return BackupFailure(f"The backup could not be written in {folder}: {error.strerror or error}. Check the disk.")


def meaning_for_restore(error: Exception, backup: str, *, patience: int) -> BackupFailure:
    """Return what an error of a database or of the disk means for a restore, which it ended."""
    message = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    if getattr(error, "errno", None) in FULL or any(word in message for word in ("disk is full", "No space left")):
        return DiskFull(f"There is no room to restore {backup}: nothing was restored; make room, and try again.")
    if is_busy(error):
        return DatabaseBusy(
            f"Somebody held the database, or a table of it, for more than {patience} seconds (an import?), so nothing "
            "was restored: try again later."
        )
    return RestoreFailed(f"The database did not take {backup} ({message}): it is as it was.")


def not_writable(folder: Path, error: OSError) -> FolderNotWritable:
    """Return the error that says that nothing can be written in `folder`, and why."""
    return FolderNotWritable(
        f"Backups cannot be written in {folder}: {(error.strerror or str(error)).lower()}. Give the console's user "
        "the right to write there, or set BACKUP_DIR to another folder."
    )


def megabytes(size: int) -> str:
    """Return a number of bytes for a person."""
    return f"{size / 1_000_000:,.1f} MB"
