"""The catalogue: one manifest beside each backup, because a table would not survive its own restore."""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from apps.backups.catalogue.folder import PARTIAL, backup_folder
from apps.backups.catalogue.signing import is_signed, sign
from apps.backups.errors import BackupFailure, ManifestUnreadable, gap
from apps.changesets.identity import identity_of
from apps.changesets.processes.private_storage import sync_file

OTHER_DATABASE = "of another database"
MANIFEST = ".json"
_MOMENTS = ("created_at", "verified_at", "expires_at")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backup:
    """One complete backup: its content, who made it and why, and the hash of its file."""

    id: str
    kind: str
    created_at: datetime
    actor: str
    reason: str
    engine: str
    server_version: str
    migrations: tuple[str, ...]
    newest_changeset: int | None
    row_counts: dict[str, int]
    size_bytes: int
    sha256: str
    # Relative to the folder, so that the folder can be moved.
    path: str
    # The fields from here on were added later; older manifests lack them.
    label: str = ""
    # Of an incremental backup: the full one that it goes on from, and the changeset after which it has all.
    base: str | None = None
    since_changeset: int | None = None
    # The chosen tables; empty means all.
    tables: tuple[str, ...] = ()
    # A hash over the rows of each table as they were copied, where the driver takes one.
    contents: dict[str, str] = field(default_factory=dict)
    # When it was verified, and the proof or the fault in one sentence.
    verified_at: datetime | None = None
    verified: str = ""
    expires_at: datetime | None = None
    # The name of its copy in the storage elsewhere; empty while there is none.
    offsite: str = ""
    # The place in the order of commits up to which it holds the history.
    cursor: str = ""
    # The name of the database that it is of.
    database: str = ""
    # What the manifest carried when it was read; and whether that is no signature of this installation.
    signature: str = field(default="", compare=False)
    foreign: bool = field(default=False, compare=False)

    @property
    def file(self) -> Path:
        """The path of the file."""
        return backup_folder() / self.path

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(self.row_counts.values())

    @property
    def is_bad(self) -> bool:
        """Whether a verification failed: nothing may rely on it."""
        return bool(self.verified) and self.verified_at is None

    def as_text(self) -> str:
        """Return the text of the manifest, signed anew; a foreign one stays as foreign as it was read."""
        document = asdict(self)
        foreign = document.pop("foreign")
        return json.dumps(document if foreign else sign(document), indent=2, default=datetime.isoformat) + "\n"


_HINTS = get_type_hints(Backup)


@dataclass(frozen=True)
class Catalogue:
    """The backups, newest first, and one sentence about each unusable manifest."""

    backups: list[Backup]
    complaints: list[str]


def read_catalogue() -> Catalogue:
    """Return the backups in the folder; a manifest that cannot be read becomes a complaint."""
    backups, complaints = [], []
    for manifest in sorted(backup_folder().glob(f"*{MANIFEST}")):
        try:
            backups.append(_read(manifest))
        except BackupFailure as error:
            complaints.append(str(error))
    backups.sort(key=lambda backup: (backup.created_at, backup.id), reverse=True)
    return Catalogue(backups, complaints)


def list_backups() -> list[Backup]:
    """Return all backups, newest first; unreadable manifests are logged and left out."""
    catalogue = read_catalogue()
    for complaint in catalogue.complaints:
        logger.warning("%s", complaint)
    return catalogue.backups


def is_own(backup: Backup, database: str) -> bool:
    """Whether a backup counts for the database of this name: it is of that one, and signed by this installation."""
    return not backup.foreign and bool(database) and backup.database == database


def why_not_own(backup: Backup, database: str) -> str:
    """Return in a few words why a backup does not count for the database of this name, or nothing."""
    if backup.foreign:
        return "not signed by this installation"
    return "" if is_own(backup, database) else OTHER_DATABASE


def own_backups(using: str = "default") -> list[Backup]:
    """Return the backups of this database, newest first; those of others, and foreign ones, prove nothing for it."""
    backups = list_backups()
    database = identity_of(using) if backups else ""
    return [backup for backup in backups if is_own(backup, database)]


def newest_backup(using: str = "default") -> Backup | None:
    """Return the newest backup of this database of any kind, or None where there is none."""
    return next(iter(own_backups(using)), None)


def newest_verified(using: str = "default") -> Backup | None:
    """Return the newest backup of all tables of this database that was proved to restore, or None."""
    return next((backup for backup in own_backups(using) if backup.verified_at is not None and not backup.tables), None)


def chain_of(backup: Backup, find: Callable[[str], Backup | None]) -> list[Backup]:
    """Return the backups that restoring this one takes, the full one first; `find` returns the backup of a name.

    Raises ChainBroken where one is missing, or goes on from itself because somebody altered it.
    """
    chain = [backup]
    while (base := chain[0].base) is not None:
        below = None if base in [link.id for link in chain] else find(base)
        if below is None:
            raise gap(chain[0].id, base)
        chain.insert(0, below)
    return chain


def manifest_of(backup: Backup) -> Path:
    """Return the path of a backup's manifest."""
    return backup_folder() / f"{backup.id}{MANIFEST}"


def write_manifest(backup: Backup) -> None:
    """Write the manifest beside the backup; only then does the backup exist, also after a power cut."""
    final = manifest_of(backup)
    partial = final.with_name(final.name + PARTIAL)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(backup.as_text())
        sync_file(partial)
        partial.rename(final)
    finally:
        partial.unlink(missing_ok=True)
    sync_file(final.parent)


def amend(backup: Backup, **changes: Any) -> Backup:
    """Write these changes into the manifest, and return the backup as it now is.

    Other fields that somebody wrote in the meantime are kept, and a removed manifest is not written again.
    """
    try:
        known = _read(manifest_of(backup))
    except BackupFailure:
        return replace(backup, **changes)
    amended = replace(known, **changes)
    write_manifest(amended)
    return amended


def _read(manifest: Path) -> Backup:
    """Return the backup if the manifest names the file beside it, and no other."""
    try:
        text = manifest.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _unreadable(manifest.name, error) from error
    backup = read_manifest(text, manifest.name)
    if not backup.file.is_file():
        raise ManifestUnreadable(
            f"The backup {backup.path} is gone and only its manifest is left: bring it back, or remove {manifest.name}."
        )
    return backup


def read_manifest(text: str, name: str) -> Backup:
    """Return the backup of a manifest of this name; raises ManifestUnreadable when it cannot be trusted."""
    try:
        document = json.loads(text)
        # A later version may have written more fields; unknown ones are ignored.
        written = [column for column in fields(Backup) if column.name != "foreign"]
        usual = [column for column in written if column.name in document or not _optional(column)]
        known = {column.name: document[column.name] for column in usual}
        for moment in _MOMENTS:
            if known.get(moment):
                known[moment] = datetime.fromisoformat(known[moment])
        for several in ("migrations", "tables"):
            if isinstance(known.get(several), list):
                known[several] = tuple(known[several])
        if wrong := [key for key, value in known.items() if not _is(value, _HINTS[key])]:
            raise TypeError(f"{wrong[0]} is not what it should be")
        backup = Backup(**known, foreign=not is_signed(document))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _unreadable(name, error) from error
    apart = Path(backup.path).name != backup.path or not backup.path.startswith(f"{backup.id}.")
    if apart or backup.id != name.removesuffix(MANIFEST):
        raise ManifestUnreadable(
            f"The manifest {name} speaks of {backup.path!r}, which is not the backup beside it, so it is "
            "not listed: somebody has altered it; remove it."
        )
    return backup


def _is(value: Any, hint: Any) -> bool:
    """Whether a value has the type of a field of Backup: one odd manifest must not break the whole list."""
    of = get_args(hint)
    if get_origin(hint) is UnionType:
        return any(_is(value, kind) for kind in of)
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(_is(key, of[0]) and _is(item, of[1]) for key, item in value.items())
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_is(item, of[0]) for item in value)
    return type(value) is hint and (hint is not datetime or value.tzinfo is not None)


def _unreadable(name: str, error: Exception) -> ManifestUnreadable:
    return ManifestUnreadable(
        f"The manifest {name} cannot be read ({type(error).__name__}: {error}), so its backup is not "
        "listed: bring the file back from a copy, or remove both."
    )


def _optional(field: Field) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
