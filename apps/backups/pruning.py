"""Removing automatic backups that have had their time."""

from datetime import UTC, datetime, timedelta

from apps.backups.catalogue import Backup, list_backups, manifest_of
from apps.backups.errors import from_os_error
from apps.backups.folder import backup_folder, remove
from apps.backups.kinds import BEFORE_IMPORT


def prune_automatic(*, keep: timedelta, at_least: int) -> list[Backup]:
    """Remove the backups made before imports that are older than `keep`, and return them.

    The newest `at_least` of them stay however old they are, and the newest one always does. Backups that a person
    asked for are never touched.
    """
    automatic = [backup for backup in list_backups() if backup.kind == BEFORE_IMPORT]
    oldest_kept = datetime.now(tz=UTC) - keep
    ended = [backup for backup in automatic[max(1, at_least) :] if backup.created_at < oldest_kept]
    try:
        for backup in ended:
            # The manifest goes first: whoever is killed here leaves a file nobody counts on, never the promise of one.
            remove(manifest_of(backup))
            remove(backup.file)
    except OSError as error:
        raise from_os_error(error, backup_folder(), needed=0) from error
    return ended
