"""Set-based import of files into tracked tables; knows no model by name, apps declare their columns."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "apps.imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        from apps.changesets.hooks import WRITERS
        from apps.changesets.names import KEEPERS
        from apps.imports import checks  # noqa: F401 - registers the system check

        WRITERS.later("apps.imports.runs.writer.import_in_words")
        KEEPERS.later("apps.imports.kept_names.KEEPER")
