"""Removing automatic backups that have had their time."""

from datetime import UTC, datetime, timedelta

from apps.backups.catalogue import Backup, list_backups, manifest_of
from apps.backups.errors import from_os_error
from apps.backups.folder import backup_folder, remove
from apps.backups.kinds import BEFORE_IMPORT

# Until somebody asks for another time: what was made before something, for a week, and the newest few for longer.
KEEP_AUTOMATIC = timedelta(days=7)
KEEP_AT_LEAST = 3


def prune(*, dry_run: bool = False) -> list[Backup]:
    """Remove the backups that have had their time, and return them; with `dry_run` only return them."""
    return prune_automatic(keep=KEEP_AUTOMATIC, at_least=KEEP_AT_LEAST, dry_run=dry_run)


def prune_automatic(*, keep: timedelta, at_least: int, dry_run: bool = False) -> list[Backup]:
    """Remove the backups made before imports that are older than `keep`, and return them.

    The newest `at_least` of them stay however old they are, and the newest one always does. Backups that a person
    asked for are never touched.
    """
    automatic = [backup for backup in list_backups() if backup.kind == BEFORE_IMPORT]
    oldest_kept = datetime.now(tz=UTC) - keep
    ended = [backup for backup in automatic[max(1, at_least) :] if backup.created_at < oldest_kept]
    if dry_run:
        return ended
    try:
        for backup in ended:
            # The manifest goes first: whoever is killed here leaves a file nobody counts on, never the promise of one.
            remove(manifest_of(backup))
            remove(backup.file)
    except OSError as error:
        raise from_os_error(error, backup_folder(), needed=0) from error
    return ended
