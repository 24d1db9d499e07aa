"""Pages of backups in the admin."""
