"""Backing up one object to a file that anyone can read."""

import json
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from apps.backups.errors import BackupFailure, ObjectGone, from_os_error, not_writable
from apps.backups.folder import move_into_place, open_folder, reserve
from apps.backups.objects.catalogue import FOLDER, SUFFIX, ObjectBackup, name_part, read_object_backup
from apps.backups.objects.document import FORMAT, HASH, hash_of, links_of, schema_of, values_of
from apps.changesets.tracking import Tracked, tracked_for


def back_up_object(obj: models.Model, *, actor: Any, reason: str = "") -> ObjectBackup:
    """Write the object as it is now to a private file below BACKUP_DIR/objects; return its backup.

    Raises ObjectGone when the object is not there any more, and another BackupFailure when nothing can be written.
    """
    tracked, using = tracked_for(type(obj)), obj._state.db or "default"
    with transaction.atomic(using=using):
        live = tracked.model._base_manager.using(using).filter(pk=obj.pk).first()
        if live is None:
            raise ObjectGone(f"{obj} is deleted by now, and what is gone cannot be backed up.")
        document = _document(tracked, live, actor=actor, reason=reason, using=using)
    return read_object_backup(_write(document, name_part(tracked, live)))


def _document(tracked: Tracked, live: models.Model, *, actor: Any, reason: str, using: str) -> dict[str, Any]:
    document = {
        "format": FORMAT,
        "model": tracked.label,
        "key": live.pk,
        "name": str(live),
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "made_by": actor.get_username() if actor is not None else "",
        "reason": reason,
        "schema": schema_of(tracked.model, using=using),
        "fields": values_of(live),
        "links": links_of(live),
    }
    return {**document, HASH: hash_of(document)}


def _write(document: dict[str, Any], told: str) -> str:
    folder = open_folder() / FOLDER
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    data = text.encode("utf-8")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        with reserve(folder, told) as place:
            place.partial.write_bytes(data)
            move_into_place(place.partial, folder / f"{place.id}{SUFFIX}")
    except BackupFailure:
        raise
    except OSError as error:
        raise from_os_error(error, folder, needed=len(data)) from error
    return place.id
