"""Countries and cities, and how text is made comparable."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "apps.base"
    verbose_name = "Places"
