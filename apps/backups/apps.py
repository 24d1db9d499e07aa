"""Backups of the whole database, each a file with a manifest beside it; knows no model by name but the changeset."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "apps.backups"
    verbose_name = "Backups"
