"""Restoring and proving backups."""
