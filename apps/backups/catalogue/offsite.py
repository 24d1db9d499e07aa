"""Copies of the backups in the storage `STORAGES["backups"]`, if the settings have one."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.core.files import File
from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage, storages

from apps.backups.catalogue import encryption
from apps.backups.catalogue.folder import backup_folder, move_into_place, private_folder, sha256_of
from apps.backups.catalogue.manifests import (
    MANIFEST,
    Backup,
    Catalogue,
    amend,
    is_own,
    list_backups,
    manifest_of,
    read_manifest,
    write_manifest,
)
from apps.backups.errors import (
    BackupAltered,
    BackupFailure,
    ManifestUnreadable,
    OffsiteUnavailable,
    UnknownBackup,
    not_signed,
)
from apps.backups.kinds import AUTOMATIC
from apps.changesets.identity import identity_of

ALIAS = "backups"

logger = logging.getLogger(__name__)


def storage() -> Storage | None:
    """Return the storage elsewhere, or None where the settings name none; raises OffsiteUnavailable."""
    if ALIAS not in storages.backends:
        return None
    try:
        elsewhere = storages[ALIAS]
    except InvalidStorageError as error:
        raise OffsiteUnavailable(f"STORAGES[{ALIAS!r}] cannot be used: {error}.") from error
    # Sending removes what an attempt before left under the name, which would be the backup itself.
    if isinstance(elsewhere, FileSystemStorage) and Path(elsewhere.location).resolve() == backup_folder():
        raise OffsiteUnavailable(f"STORAGES[{ALIAS!r}] is the folder of the backups itself: name one elsewhere.")
    return elsewhere


def send_missing() -> list[Backup]:
    """Send each backup that has no copy elsewhere, oldest first, and return them as they are now.

    Automatic backups are not sent, since they serve for a day, and neither are those that are not ours. Raises
    OffsiteUnavailable, or what encrypting raises; copies sent before stay.
    """
    elsewhere = storage()
    if elsewhere is None:
        return []
    waiting = [backup for backup in list_backups() if _is_sent(backup)]
    return [_send(backup, elsewhere) for backup in reversed(waiting)]


def _is_sent(backup: Backup) -> bool:
    return not (backup.offsite or backup.foreign or backup.kind in AUTOMATIC)


def try_to_send(made: Backup) -> Backup:
    """Send each backup that has no copy elsewhere, and return `made` as it is then.

    A failure is logged, and tried again with the next backup: the backup itself is good.
    """
    try:
        sent = send_missing()
    except BackupFailure as failure:
        logger.error("The backup %s is here, and perhaps has no copy elsewhere yet. %s", made.id, failure)
        return made
    return next((backup for backup in sent if backup.id == made.id), made)


def only_offsite(here: list[Backup]) -> list[Backup]:
    """Return the backups that are only elsewhere, newest first; none while the storage cannot be reached."""
    try:
        elsewhere = list_offsite().backups
    except BackupFailure as failure:
        logger.error("%s", failure)
        return []
    known = {backup.id for backup in here}
    return [backup for backup in elsewhere if backup.id not in known]


def list_offsite() -> Catalogue:
    """Return the backups that have a copy elsewhere, newest first, whether they are here or not.

    Raises OffsiteUnavailable.
    """
    elsewhere = storage()
    if elsewhere is None:
        return Catalogue([], [])
    backups, complaints = [], []
    with reachable():
        names = _names(elsewhere)
        for name in names:
            if not name.endswith(MANIFEST):
                continue
            try:
                with elsewhere.open(name) as stream:
                    backup = read_manifest(stream.read().decode(), name)
            except (ManifestUnreadable, UnicodeDecodeError) as error:
                complaints.append(f"Elsewhere: {error}")
                continue
            if backup.offsite in names:
                backups.append(backup)
            else:
                complaints.append(f"Elsewhere, the copy of {backup.id} is gone and only its manifest is left.")
    backups.sort(key=lambda backup: (backup.created_at, backup.id), reverse=True)
    return Catalogue(backups, complaints)


def fetch(name: str, *, trust: bool = False) -> Backup:
    """Fetch a backup from elsewhere into the folder, compare its hash, and return it.

    Raises NotSigned unless it is trusted, UnknownBackup, BackupAltered, OffsiteUnavailable, or what decrypting raises;
    then nothing is left here.
    """
    elsewhere = storage()
    backup = next((listed for listed in list_offsite().backups if listed.id == name), None)
    if elsewhere is None or backup is None:
        raise UnknownBackup(f"There is no backup {name}, here or elsewhere: `manage.py backup list` shows them.")
    if backup.foreign and not trust:
        raise not_signed(name)
    with private_folder() as folder:
        sent, plain = folder / "sent", folder / "plain"
        with reachable(), elsewhere.open(backup.offsite) as source, sent.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        if backup.offsite.endswith(encryption.SUFFIX):
            encryption.decrypt(sent, plain, name=backup.offsite)
        else:
            sent.rename(plain)
        if sha256_of(plain) != backup.sha256:
            raise BackupAltered(
                f"The copy of {name} elsewhere is not the file that was sent: it was altered, or cut off. Nothing was "
                "brought back; choose another one."
            )
        plain.chmod(0o600)
        move_into_place(plain, backup.file)
    write_manifest(backup)
    return backup


def forget(backup: Backup) -> None:
    """Remove the copy of a backup elsewhere, manifest first; a later pruning removes what cannot be reached now."""
    try:
        elsewhere = storage()
        if elsewhere is not None and backup.offsite:
            with reachable():
                elsewhere.delete(manifest_of(backup).name)
                elsewhere.delete(backup.offsite)
    except BackupFailure as failure:
        logger.error("%s", failure)


def _send(backup: Backup, elsewhere: Storage) -> Backup:
    """Send the file and then its manifest, which makes it a copy; the manifest here names it last."""
    name = backup.path + (encryption.SUFFIX if encryption.is_wanted() else "")
    sent = replace(backup, offsite=name)
    with private_folder() as folder:
        file = backup.file
        if encryption.is_wanted():
            file = folder / name
            encryption.encrypt(backup.file, file)
        _put(elsewhere, name, file)
    _put_manifest(elsewhere, sent)
    return amend(backup, offsite=name)


def tell_copy(backup: Backup) -> Backup:
    """Let the manifest of the copy elsewhere say what is known of a backup now, its proof above all, and return it.

    A failure is logged: the backup here is what it is.
    """
    try:
        elsewhere = storage()
        if elsewhere is not None and backup.offsite:
            _put_manifest(elsewhere, backup)
    except BackupFailure as failure:
        logger.error("%s", failure)
    return backup


def newest_verified_elsewhere(using: str = "default") -> Backup | None:
    """Return the newest copy of all tables of this database that any machine proved to restore, or None."""
    try:
        backups = list_offsite().backups
    except BackupFailure as failure:
        logger.error("%s", failure)
        return None
    database = identity_of(using) if backups else ""
    return next((copy for copy in backups if copy.verified_at and not copy.tables and is_own(copy, database)), None)


def _put_manifest(elsewhere: Storage, backup: Backup) -> None:
    with private_folder() as folder:
        manifest = folder / manifest_of(backup).name
        manifest.write_text(backup.as_text(), encoding="utf-8")
        _put(elsewhere, manifest.name, manifest)


def _names(elsewhere: Storage) -> list[str]:
    try:
        return sorted(elsewhere.listdir("")[1])
    except FileNotFoundError:
        # The folder does not exist before the first file.
        return []


def _put(elsewhere: Storage, name: str, file: Path) -> None:
    with reachable():
        _make_private(elsewhere)
        # An attempt that was cut off may have left a file.
        elsewhere.delete(name)
        with file.open("rb") as stream:
            stored = elsewhere.save(name, File(stream, name=name))
        if isinstance(elsewhere, FileSystemStorage):
            Path(elsewhere.path(stored)).chmod(0o600)
    if stored != name:
        elsewhere.delete(stored)
        raise OffsiteUnavailable(
            f"The storage elsewhere keeps {name} and does not let go of it: give the console the right to delete there."
        )


def _make_private(elsewhere: Storage) -> None:
    """Make the folder of a storage of files, if it is missing, for its owner alone."""
    if isinstance(elsewhere, FileSystemStorage):
        Path(elsewhere.path("")).mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def reachable(alias: str = ALIAS) -> Iterator[None]:
    """Turn any error of a storage into OffsiteUnavailable: each storage has errors of its own."""
    try:
        yield
    except BackupFailure:
        raise
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise OffsiteUnavailable(
            f"The storage elsewhere cannot be reached ({message[:200]}): check STORAGES[{alias!r}]. Backups in the "
            "folder are as they were."
        ) from error
