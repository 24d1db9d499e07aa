"""Backups of single objects: a file that anyone can read, and what can be restored from it."""
