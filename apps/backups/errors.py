"""What can go wrong with a backup, each with one sentence that says what to do."""

import errno
from pathlib import Path

from apps.changesets.errors import ChangesetError
from apps.changesets.locking import is_busy

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT)


class BackupFailure(Exception):
    """Base of all errors of this app: no backup was made, nothing half is left, and the text says what to do."""


class DiskFull(BackupFailure):
    """The disk of the backups has no room for another one."""


class FolderNotWritable(BackupFailure):
    """The folder of the backups is not there and cannot be made, or nothing can be written in it."""


class FolderIsServed(BackupFailure):
    """The folder of the backups lies where the web server gives files to anybody."""


class NotWritten(BackupFailure):
    """The disk failed in some other way."""


class ProgramMissing(BackupFailure):
    """A program of PostgreSQL that the backup needs is not installed."""


class DumpFailed(BackupFailure):
    """pg_dump gave up."""


class DatabaseBusy(BackupFailure):
    """Somebody held the database, or a table of it, for too long."""


class DatabaseUnreadable(BackupFailure):
    """The database is not there, or cannot be read."""


class CopyDamaged(BackupFailure):
    """The copy was written and is not sound, so it was thrown away."""


class UnknownTable(BackupFailure):
    """A table was chosen that is not there."""


class UnknownKind(BackupFailure):
    """No backup is of this kind."""


class ManifestUnreadable(BackupFailure):
    """A manifest that says nothing that can be relied on."""


class ObjectGone(BackupFailure):
    """An object should be backed up that is deleted."""


class UnknownBackup(BackupFailure):
    """No backup has this name."""


class BackupUnreadable(BackupFailure):
    """A file that should be a backup and is none that can be read."""


class BackupAltered(BackupFailure):
    """The backup is not the file any more that was written."""


class RestoreFailed(BackupFailure):
    """The database would not take what the backup has; it is as it was."""


class OffsiteUnavailable(BackupFailure):
    """The storage elsewhere cannot be reached, or takes nothing."""


class NotEncrypted(BackupFailure):
    """gpg did not encrypt what was to leave this machine, so it did not."""


class NotDecrypted(BackupFailure):
    """gpg did not decrypt a copy that came back."""


class RestoreRefused(BackupFailure):
    """The restore was not begun, since it would do harm now."""


class ChangedMeanwhile(BackupFailure):
    """Somebody wrote between the safety backup and the restore."""


class OtherEngine(BackupFailure):
    """The backup is of another kind of database."""


class TablesRefused(BackupFailure, ChangesetError):
    """The chosen tables cannot come back without others; to a changeset that is a refusal, and no failure."""


class NewerSchema(BackupFailure):
    """The backup was made by a newer version of the console."""


class NotTheSame(BackupFailure):
    """What was restored is not what the manifest tells."""


class UnknownTarget(BackupFailure):
    """Nothing can be restored into what was named."""


class NotFresh(BackupFailure):
    """There is something already where a backup should be restored into."""


class WorkRefused(BackupFailure):
    """Somebody else's backup, proof or restore is not finished."""


class OtherModel(BackupFailure):
    """The backup is of another kind of object than the one that should be restored."""


class OtherObject(BackupFailure):
    """The backup is of another object than the one that should be restored."""


class NoBase(BackupFailure):
    """No backup is there that an incremental one could go on from."""


class ChainBroken(BackupFailure):
    """Incremental backups that do not follow each other, or not what they should be restored onto."""


class NotReached(BackupFailure):
    """No backup reaches the changeset or the moment up to which to restore."""


class OtherSchema(BackupFailure):
    """The backup has fields that the table has no more, or lacks some that it has since."""


def gap(increment: str, base: str) -> ChainBroken:
    """Return the error for an incremental backup without the one that it goes on from."""
    return ChainBroken(
        f"The incremental backup {increment} goes on from {base}, which is not there (any more): nothing was restored. "
        "Bring it back from a copy, or restore a full backup."
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
    return NotWritten(f"The backup could not be written in {folder}: {error.strerror or error}. Check the disk.")


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
