"""Set-based import of files into tracked tables; knows no model by name, apps declare their columns."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ImportsConfig(AppConfig):
    name = "apps.imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        from apps.changesets.hooks import WRITERS
        from apps.changesets.names import KEEPERS
        from apps.imports import checks  # noqa: F401 - registers the system check
        from apps.imports.kept_names import ImportNames
        from apps.imports.runs.writer import import_in_words

        WRITERS.add(import_in_words)
        KEEPERS.add(ImportNames())

        # Any installed app may have a `columns.py` that registers what is imported and exported.
        autodiscover_modules("columns")
