"""Airports, their OurAirports mapping, and their links to places."""

from django.apps import AppConfig


class AirportsConfig(AppConfig):
    name = "apps.airports"
    verbose_name = "Airports"
