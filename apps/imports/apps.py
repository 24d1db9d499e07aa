"""Set-based import of files into tracked tables; knows no model by name."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "apps.imports"
    verbose_name = "Imports"
