"""Removing expired backups."""

from collections.abc import Container
from datetime import datetime

from django.utils import timezone

from apps.backups.catalogue.folder import backup_folder, remove
from apps.backups.catalogue.manifests import Backup, is_own, list_backups, manifest_of, own_backups
from apps.backups.catalogue.offsite import forget, only_offsite
from apps.backups.catalogue.retention import judge
from apps.backups.errors import from_os_error
from apps.backups.kinds import AUTOMATIC
from apps.changesets.identity import identity_of


def prune(*, dry_run: bool = False, now: datetime | None = None, using: str = "default") -> list[Backup]:
    """Remove the backups of this database that the retention rule does not keep, here and elsewhere, and return them.

    With `dry_run` only return them.
    """
    here, database = list_backups(), identity_of(using)
    own = [backup for backup in here + only_offsite(here) if is_own(backup, database)]
    return _remove_ended(own, None, dry_run=dry_run, now=now)


def prune_automatic(*, now: datetime | None = None, using: str = "default") -> list[Backup]:
    """Remove expired automatic backups of this database, and return them."""
    return _remove_ended(own_backups(using), AUTOMATIC, dry_run=False, now=now)


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
