"""Backing up one object to a file that anyone can read."""

import json
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.db import models, transaction
from django.utils import timezone

from apps.backups.catalogue.folder import open_folder
from apps.backups.catalogue.signing import sign
from apps.backups.errors import BackupFailure, from_os_error
from apps.backups.objects.catalogue import SUFFIX, ObjectBackup, name_part, read_object_backup, using_storage
from apps.backups.objects.document import FORMAT, HASH, hanging_of, hash_of, links_of, plain, schema_of, values_of
from apps.changesets.identity import identity_of
from apps.changesets.models import Actor
from apps.changesets.tracking import Tracked, tracked_for


def back_up_object(obj: models.Model, *, actor: Actor, reason: str = "", hanging: bool = False) -> ObjectBackup:
    """Write the object as it is now to a private file in the storage of such backups; return its backup.

    With `hanging` it also holds what belongs to the object, and the links of what points to it.

    Raises BackupFailure when the object is deleted, and when nothing can be written.
    """
    tracked, using = tracked_for(type(obj)), obj._state.db or "default"
    with transaction.atomic(using=using):
        live = tracked.model._base_manager.using(using).filter(pk=obj.pk).first()
        if live is None:
            raise BackupFailure(f"{obj} is deleted by now, and what is gone cannot be backed up.")
        hanging_part = {"hanging": hanging_of(live, using=using)} if hanging else {}
        document = {**_document(tracked, live, actor=actor, reason=reason, using=using), **hanging_part}
    return read_object_backup(_write(document, name_part(tracked, live)), using=using)


def _document(tracked: Tracked, live: models.Model, *, actor: Actor, reason: str, using: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": tracked.label,
        "key": plain(live.pk),
        "name": str(live),
        "made_at": timezone.now().isoformat(),
        "made_by": actor.get_username() if actor is not None else "",
        "reason": reason,
        "database": identity_of(using),
        "schema": schema_of(tracked.model, using=using),
        "fields": values_of(live),
        "links": links_of(live),
    }


def _write(document: dict[str, Any], name: str) -> str:
    folder = open_folder()
    document = sign({**document, HASH: hash_of(document)})
    data = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    at = f"{datetime.fromisoformat(document['made_at']):%Y%m%d-%H%M%S}"
    try:
        with using_storage() as place:
            return place.save(f"{at}-{name}{SUFFIX}", ContentFile(data)).removesuffix(SUFFIX)
    except BackupFailure:
        raise
    except OSError as error:
        raise from_os_error(error, folder, needed=len(data)) from error
