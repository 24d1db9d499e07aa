"""Backups of the whole database, each a file with a manifest beside it; knows no model by name but the changeset."""

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import pre_migrate


class BackupsConfig(AppConfig):
    name = "apps.backups"
    verbose_name = "Backups"

    def ready(self) -> None:
        from apps.changesets.hooks import PREPARATIONS

        PREPARATIONS.later("apps.backups.automatic.before_act")
        # Apps without models are sent no signal. This app is ready before the changesets, so this comes first, while
        # everything is still in place.
        changesets = apps.get_app_config("changesets")
        pre_migrate.connect(_before_migrate, sender=changesets, dispatch_uid="backups.before_migrate")


def _before_migrate(**kwargs: Any) -> None:
    # Imported late: few commands migrate.
    from apps.backups.migrating import before_migrate

    before_migrate(**kwargs)
