"""Quality of the data: rules, findings, coverage of links. It knows no airport; apps declare their rules."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QualityConfig(AppConfig):
    name = "apps.quality"
    verbose_name = "Data quality"

    def ready(self) -> None:
        from apps.changesets.hooks import LISTENERS
        from apps.changesets.names import KEEPERS

        LISTENERS.later("apps.quality.tasks.count_after")
        KEEPERS.later("apps.quality.kept_names.KEEPER")
        # Any installed app may have a `quality_rules.py` that registers rules.
        autodiscover_modules("quality_rules")
