"""Airports, their OurAirports mapping, and their links to places."""

from django.apps import AppConfig

PLAN_TEMPLATE = "admin/airports/plan_findings.html"


class AirportsConfig(AppConfig):
    name = "apps.airports"
    verbose_name = "Airports"

    def ready(self) -> None:
        from apps.airports.gate import limits
        from apps.airports.ourairports import OURAIRPORTS
        from apps.airports.plan_findings import look_for_findings
        from apps.base.points import describe_move
        from apps.changesets.history.details import register_describer
        from apps.imports.plan_checks import PlanCheck, register_limits, register_plan_check
        from apps.imports.registry import register_spec

        register_describer("airports.airport", describe_move("latitude_deg", "longitude_deg"))
        register_spec(OURAIRPORTS)
        register_limits(OURAIRPORTS.name, limits)
        register_plan_check(OURAIRPORTS.name, PlanCheck("findings", look_for_findings, PLAN_TEMPLATE))
