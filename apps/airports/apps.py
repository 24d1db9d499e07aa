"""Airports, their OurAirports mapping, and their links to places."""

from django.apps import AppConfig


class AirportsConfig(AppConfig):
    name = "apps.airports"
    verbose_name = "Airports"

    def ready(self) -> None:
        from apps.airports.ourairports import OURAIRPORTS
        from apps.base.points import describe_move
        from apps.changesets.describing import register_describer
        from apps.imports.registry import register_spec

        register_describer("airports.airport", describe_move("latitude_deg", "longitude_deg"))
        register_spec(OURAIRPORTS)
