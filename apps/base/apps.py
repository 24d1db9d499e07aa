"""Countries and cities, and how text is made comparable."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "apps.base"
    verbose_name = "Places"

    def ready(self) -> None:
        from apps.backups.restore.jobs import GUARDS
        from apps.base.geonames import GEONAMES
        from apps.base.import_guard import import_at_work
        from apps.imports.registry import register_spec

        GUARDS.add(import_at_work)
        register_spec(GEONAMES)
