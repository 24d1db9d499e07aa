"""Making a backup of the whole database, while others read and write."""

import shutil
from dataclasses import replace

from django.db import connections

from apps.backups.catalogue.facts import Facts
from apps.backups.catalogue.folder import Place, move_into_place, open_folder, remove, reserve, sha256_of
from apps.backups.catalogue.manifests import Backup, write_manifest
from apps.backups.catalogue.offsite import try_to_send
from apps.backups.drivers import Driver, size_of
from apps.backups.errors import disk_full, from_os_error
from apps.backups.kinds import AUTOMATIC, FULL, driver_for
from apps.changesets.models import Actor


def create_backup(
    *,
    actor: Actor,
    reason: str,
    kind: str = FULL,
    label: str = "",
    tables: tuple[str, ...] = (),
    using: str = "default",
    send: bool = True,
) -> Backup:
    """Copy all committed rows into the folder of the backups, and return the backup when it is safe on disk.

    `actor` is a user, or None for a job; `tables` limits the backup to these. Uncommitted writes of the caller are not
    in it. A copy goes to the storage elsewhere, if there is one; without `send` the next backup takes it along. Raises
    a BackupFailure with one sentence, and then leaves nothing in the folder.
    """
    driver = driver_for(kind, connections[using].vendor)
    folder = open_folder()
    needed = size_of(using) * max(driver.copies, 1)
    free = shutil.disk_usage(folder).free
    if driver.copies and free < needed:
        raise disk_full(folder, needed=needed, free=free)
    try:
        with reserve(folder, kind) as place:
            facts = driver.writer.copy_into(using, place.partial, tables=tables)
            backup = _describe(place, facts, driver, actor=actor, reason=reason, kind=kind)
            made = _put(place, replace(backup, label=label, tables=tuple(sorted(tables))))
    except OSError as error:
        raise from_os_error(error, folder, needed=needed) from error
    return try_to_send(made) if send and kind not in AUTOMATIC else made


def _describe(place: Place, facts: Facts, driver: Driver, *, actor: Actor, reason: str, kind: str) -> Backup:
    return Backup(
        **vars(facts),
        id=place.id,
        kind=kind,
        created_at=place.at,
        actor=actor.get_username() if actor is not None and getattr(actor, "pk", None) else "",
        reason=reason,
        size_bytes=place.partial.stat().st_size,
        sha256=sha256_of(place.partial),
        path=f"{place.id}{driver.suffix}",
    )


def _put(place: Place, backup: Backup) -> Backup:
    """Give the complete file its name, and write its manifest last."""
    final = place.partial.with_name(backup.path)
    move_into_place(place.partial, final)
    try:
        write_manifest(backup)
    except BaseException:
        remove(final)
        raise
    return backup
