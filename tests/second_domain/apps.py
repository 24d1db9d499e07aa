"""Railways: operators and their stations."""

from django.apps import AppConfig


class SecondDomainConfig(AppConfig):
    name = "tests.second_domain"
    verbose_name = "Railways"
