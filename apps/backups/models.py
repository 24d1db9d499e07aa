"""The model of backups for the admin: backups are files, so it has no table, only pages and permissions."""

from apps.changesets.models import Changeset


class Backup(Changeset):
    """A backup of the whole database; the catalogue is `apps.backups.catalogue.manifests`."""

    class Meta:
        # A proxy has no table, and unlike an unmanaged model it is never asked for rows (by dumpdata, say).
        proxy = True
        default_permissions = ()
        permissions = [
            ("view_backups", "Can see the backups of the database"),
            ("create_backup", "Can back up the database"),
            ("verify_backup", "Can prove that a backup restores"),
            ("download_backup", "Can download backups of the database"),
            ("restore_backup", "Can restore the database from a backup"),
        ]
        verbose_name = "backup"
        verbose_name_plural = "backups"
