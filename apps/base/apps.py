"""Countries and cities, and how text is made comparable."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "apps.base"
    verbose_name = "Places"

    def ready(self) -> None:
        from apps.backups.guards import GUARDS
        from apps.imports.registry import FURTHER

        GUARDS.later("apps.base.import_guard.import_at_work")
        FURTHER.later("apps.base.geonames.GEONAMES")
