"""Backing up one object to a file that anyone can read."""

import json
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from apps.backups.catalogue.folder import move_into_place, open_folder, reserve
from apps.backups.catalogue.signing import sign
from apps.backups.errors import BackupFailure, ObjectGone, from_os_error, not_writable
from apps.backups.objects.catalogue import FOLDER, SUFFIX, ObjectBackup, name_part, read_object_backup
from apps.backups.objects.document import FORMAT, HASH, hash_of, links_of, plain, schema_of, values_of
from apps.backups.objects.hanging import hanging_of
from apps.changesets.identity import identity_of
from apps.changesets.models import Actor
from apps.changesets.tracking import Tracked, tracked_for


def back_up_object(obj: models.Model, *, actor: Actor, reason: str = "", hanging: bool = False) -> ObjectBackup:
    """Write the object as it is now to a private file below BACKUP_DIR/objects; return its backup.

    With `hanging` it also holds what belongs to the object, and the links of what points to it.

    Raises ObjectGone when the object is deleted, and another BackupFailure when nothing can be written.
    """
    tracked, using = tracked_for(type(obj)), obj._state.db or "default"
    with transaction.atomic(using=using):
        live = tracked.model._base_manager.using(using).filter(pk=obj.pk).first()
        if live is None:
            raise ObjectGone(f"{obj} is deleted by now, and what is gone cannot be backed up.")
        hanging_part = {"hanging": hanging_of(live, using=using)} if hanging else {}
        document = {**_document(tracked, live, actor=actor, reason=reason, using=using), **hanging_part}
    return read_object_backup(_write(document, name_part(tracked, live)))


def _document(tracked: Tracked, live: models.Model, *, actor: Actor, reason: str, using: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": tracked.label,
        "key": plain(live.pk),
        "name": str(live),
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "made_by": actor.get_username() if actor is not None else "",
        "reason": reason,
        "database": identity_of(using),
        "schema": schema_of(tracked.model, using=using),
        "fields": values_of(live),
        "links": links_of(live),
    }


def _write(document: dict[str, Any], name: str) -> str:
    folder = open_folder() / FOLDER
    document = sign({**document, HASH: hash_of(document)})
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    data = text.encode("utf-8")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        with reserve(folder, name) as place:
            place.partial.write_bytes(data)
            move_into_place(place.partial, folder / f"{place.id}{SUFFIX}")
    except BackupFailure:
        raise
    except OSError as error:
        raise from_os_error(error, folder, needed=len(data)) from error
    return place.id
