"""Removing expired backups."""

from collections.abc import Container
from datetime import datetime

from django.utils import timezone

from apps.backups.catalogue.folder import backup_folder, remove
from apps.backups.catalogue.manifests import Backup, list_backups, manifest_of
from apps.backups.catalogue.offsite import forget, only_offsite
from apps.backups.catalogue.retention import judge
from apps.backups.errors import from_os_error
from apps.backups.kinds import AUTOMATIC


def prune(*, dry_run: bool = False, now: datetime | None = None) -> list[Backup]:
    """Remove the backups that the retention rule does not keep, here and elsewhere, and return them.

    With `dry_run` only return them.
    """
    here = list_backups()
    return _remove_ended(here + only_offsite(here), None, dry_run=dry_run, now=now)


def prune_automatic(*, now: datetime | None = None) -> list[Backup]:
    """Remove expired automatic backups, and return them."""
    return _remove_ended(list_backups(), AUTOMATIC, dry_run=False, now=now)


def _remove_ended(
    backups: list[Backup], kinds: Container[str] | None, *, dry_run: bool, now: datetime | None
) -> list[Backup]:
    verdicts = judge(backups, now=now or timezone.now())
    ended = [verdict.backup for verdict in verdicts if not verdict.kept]
    if kinds is not None:
        ended = [backup for backup in ended if backup.kind in kinds]
    if dry_run:
        return ended
    try:
        for backup in ended:
            forget(backup)
            # The manifest goes first: a killed process may leave a file without a manifest, never the reverse.
            remove(manifest_of(backup))
            remove(backup.file)
    except OSError as error:
        raise from_os_error(error, backup_folder(), needed=0) from error
    return ended
