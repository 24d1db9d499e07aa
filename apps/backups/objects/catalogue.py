"""Searching and reading the backups of single objects; a file that changed after it was written is refused."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.db import models

from apps.backups.catalogue.folder import backup_folder
from apps.backups.catalogue.manifests import OTHER_DATABASE
from apps.backups.catalogue.offsite import reachable
from apps.backups.catalogue.signing import is_signed
from apps.backups.errors import (
    BackupAltered,
    BackupFailure,
    BackupUnreadable,
    NotSigned,
    UnknownBackup,
)
from apps.backups.objects.document import HASH, hash_of, plain
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.identity import identity_of
from apps.changesets.processes.private_storage import PrivateStorage
from apps.changesets.tracking import Tracked

# The storage of the settings, and the folder below that of the backups where they name none.
ALIAS = "object_backups"
FOLDER = "objects"
SUFFIX = ".json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_~-]*")


@dataclass(frozen=True)
class ObjectBackup:
    """One backup of one object: of what, by whom, when, why; `hanging` has what hung on it, if that was chosen.

    `name` is the name of the file without its suffix.
    """

    name: str
    model: str
    pk: Any
    object_name: str
    fields: dict[str, Any]
    links: dict[str, dict[str, Any]]
    schema: str
    made_at: datetime
    made_by: str
    reason: str
    sha256: str
    hanging: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    size: int = 0
    # The name of the database that it was made in, and in a few words why that is not ours; empty where it is.
    database: str = ""
    why_not_own: str = ""

    @property
    def file_name(self) -> str:
        """The name of the file in the storage."""
        return f"{self.name}{SUFFIX}"

    @property
    def place(self) -> str:
        """The path of the file, or its name in a storage that has no paths."""
        try:
            return storage().path(self.file_name)
        except NotImplementedError:
            return self.file_name


@dataclass(frozen=True)
class Found:
    """The backups of one object, newest first, and a sentence about each unusable file."""

    backups: list[ObjectBackup]
    complaints: list[str]


def object_folder() -> Path:
    """Return the folder of the backups of single objects where the settings name no storage; it may not exist."""
    return backup_folder() / FOLDER


def storage() -> Storage:
    """Return the storage of the backups of single objects."""
    return storages[ALIAS] if ALIAS in storages.backends else PrivateStorage(location=object_folder())


@contextmanager
def using_storage() -> Iterator[Storage]:
    """Give the storage; raises OffsiteUnavailable for whatever one of the settings fails with within."""
    with reachable(ALIAS) if ALIAS in storages.backends else nullcontext():
        yield storage()


def name_part(tracked: Tracked, obj: Any) -> str:
    """Return the part of a file name that identifies the object: its primary key and its stable key."""
    stable = stable_key_of(tracked, obj)
    end = "" if stable is None else f"~{_safe(stable)}"
    return f"{tracked.name}-{_safe(getattr(obj, tracked.model._meta.pk.attname))}{end}"


def names_of(tracked: Tracked) -> list[str]:
    """Return the names of all files named like backups of this model's objects, in no order."""
    with using_storage() as place:
        try:
            names = place.listdir("")[1]
        except FileNotFoundError:
            return []
    return [name.removesuffix(SUFFIX) for name in names if f"-{tracked.name}-" in name and name.endswith(SUFFIX)]


def is_named_for(tracked: Tracked, name: str, obj: Any) -> bool:
    """Whether a file name can be that of a backup of this object; only its content decides."""
    pk, _, stable = name_part(tracked, obj).partition("~")
    return f"-{pk}" in name or (stable != "" and f"~{stable}" in name)


def backups_of(tracked: Tracked, obj: models.Model) -> Found:
    """Return the backups of this object, under any primary key that it had, those of other databases last.

    A damaged one becomes a complaint.
    """
    listed = Found([], [])
    for name in sorted(names_of(tracked), reverse=True):
        if not is_named_for(tracked, name, obj):
            continue
        try:
            backup = read_object_backup(name)
        except BackupFailure as error:
            listed.complaints.append(str(error))
        else:
            if is_of(tracked, backup, obj):
                listed.backups.append(backup)
    listed.backups.sort(key=lambda backup: (not backup.why_not_own, backup.made_at, backup.name), reverse=True)
    return listed


def backup_of(tracked: Tracked, obj: models.Model, name: str) -> ObjectBackup:
    """Return the named backup if it is of this object; raises a BackupFailure otherwise."""
    backup = read_object_backup(name)
    if backup.model != tracked.label:
        raise BackupFailure(
            f"The backup {name} is one of another kind of object, {backup.model} {backup.object_name}, and cannot be "
            f"restored to {obj}. Nothing was restored; choose a backup of this {tracked.model._meta.verbose_name}."
        )
    if not is_of(tracked, backup, obj):
        raise BackupFailure(
            f"The backup {name} is of {backup.object_name}, not of {obj}. Nothing was restored; choose a backup of "
            f"this {tracked.model._meta.verbose_name}, or open the other one."
        )
    return backup


def is_of(tracked: Tracked, backup: ObjectBackup, obj: models.Model) -> bool:
    """Whether the backup is of this object: by the stable key where both have one, else by the primary key."""
    if backup.model != tracked.label:
        return False
    stable = stable_key_of(tracked, obj)
    kept = backup.fields.get(tracked.stable_field.name) if tracked.stable_field else None
    if stable is not None and kept is not None:
        return kept == stable
    return bool(backup.pk == plain(getattr(obj, tracked.model._meta.pk.attname)))


def read_object_backup(name: str, *, using: str = "default") -> ObjectBackup:
    """Return the backup of this name or file name, as it was written, and whether it is of this database.

    Raises UnknownBackup, NotSigned, BackupUnreadable or BackupAltered.
    """
    name = name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise UnknownBackup(f"“{name[:60]}” is not the name of a backup: choose one from the list.")
    text = _read(name)
    try:
        document = json.loads(text)
        altered, signed = hash_of(document) != document[HASH], is_signed(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(name, error) from error
    if altered:
        raise BackupAltered(
            f"The backup {name} was altered after it was made: its content does not have the SHA-256 that it carries. "
            "Nothing was restored; choose another one."
        )
    if not signed:
        raise NotSigned(
            f"The backup {name} was not signed by this installation: it is from elsewhere, and nothing of it was "
            "restored; choose another one."
        )
    backup = _backup_from(document, name, len(text.encode("utf-8")))
    return replace(backup, why_not_own=_why_not_own(backup, identity_of(using)))


def _why_not_own(backup: ObjectBackup, database: str) -> str:
    if not backup.database:
        return "of a database that it does not name"
    return "" if backup.database == database else OTHER_DATABASE


def _read(name: str) -> str:
    gone = UnknownBackup(f"There is no backup {name} any more: choose one from the list.")
    try:
        with using_storage() as place:
            if not place.exists(f"{name}{SUFFIX}"):
                raise gone
            with place.open(f"{name}{SUFFIX}") as stream:
                return bytes(stream.read()).decode("utf-8")
    except FileNotFoundError as error:
        raise gone from error
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _backup_from(document: dict[str, Any], name: str, size: int) -> ObjectBackup:
    with readable(name):
        return ObjectBackup(
            name=name,
            model=document["model"],
            pk=document["key"],
            object_name=document["name"],
            fields=dict(document["fields"]),
            links=dict(document["links"]),
            schema=document["schema"],
            made_at=datetime.fromisoformat(document["made_at"]),
            made_by=document["made_by"],
            reason=document["reason"],
            sha256=document[HASH],
            hanging=dict(document.get("hanging", {})),
            size=size,
            database=str(document.get("database", "")),
        )


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Within, values that are not what a backup has make it one that cannot be read; raises BackupUnreadable."""
    try:
        yield
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> BackupUnreadable:
    return BackupUnreadable(
        f"The backup {name} cannot be read ({type(error).__name__}: {str(error)[:80]}): the file is damaged or no "
        "backup of an object. Nothing was restored; choose another one."
    )


def _safe(value: Any) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", str(value))[:60]
