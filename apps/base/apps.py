"""Countries and cities, and how text is made comparable."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "apps.base"
    verbose_name = "Places"

    def ready(self) -> None:
        from apps.backups.restore.guards import register_guard
        from apps.base.import_guard import import_at_work
        from apps.base.importing import CITIES, COUNTRIES
        from apps.base.points import describe_move
        from apps.changesets.history.details import register_describer
        from apps.imports.registry import register_spec

        register_guard(import_at_work)
        for label in ("base.country", "base.city"):
            register_describer(label, describe_move("latitude", "longitude"))
        register_spec(CITIES)
        register_spec(COUNTRIES)
