"""Airports in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html

from apps.airports.models import Airport
from apps.airports.pages import bulk_actions, places  # noqa: F401 - they register what lists and pages show
from apps.airports.pages.map import airports_findings_map, airports_map
from apps.airports.pages.relinking import RelinkingMixin
from apps.base.models import City, Country
from apps.base.pages.console import ConsoleModelAdmin
from apps.changesets.acts.methods import page_at
from apps.changesets.bulk.rules import Beside
from apps.changesets.folding import folded
from apps.imports.pages.checked_form import CheckedForm


def _why_not_there(city: City, country: Country) -> str:
    return "" if city.country_id == country.pk else f"{city} is in {city.country}, not in {country}."


class AirportForm(CheckedForm):
    beside = (Beside("city", "country", _why_not_there),)

    class Meta:
        model = Airport
        fields = "__all__"
        # Here and not at the model, where each word would be a migration.
        help_texts = {
            "name": "As it is signed or published.",
            "ident": "The unique identifier, such as KDEN; it cannot be changed later.",
            "airport_type": "Closed airports stay in the table, as “Closed”.",
        }


class LinksFilter(admin.SimpleListFilter):
    """Linked to a country and a city, or which link is missing."""

    title = "links"
    parameter_name = "links"
    CHOICES = {
        "both": ("Country and city", Q(country__isnull=False, city__isnull=False)),
        "no-country": ("No country", Q(country__isnull=True)),
        "no-city": ("No city", Q(city__isnull=True)),
    }

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(value, words) for value, (words, _) in self.CHOICES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.CHOICES.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


@admin.register(Airport)
class AirportAdmin(RelinkingMixin, ConsoleModelAdmin):
    form = AirportForm
    list_display = ("ident", "name", "iata_code", "airport_type", "municipality", "country", "city", "active")
    list_display_links = ("ident", "name")
    list_filter = ("airport_type", "active", "scheduled_service", LinksFilter, "country")
    list_select_related = ("country", "city")
    search_fields = (
        "^ident",
        "=iata_code",
        "=gps_code",
        "=icao_code",
        "=local_code",
        "name",
        "municipality",
        "keywords",
    )
    search_help_text = (
        "Search by ident (also a former one), name, municipality, keyword, or IATA, GPS, ICAO or local code"
    )
    autocomplete_fields = ("country", "city")
    readonly_fields = ("ourairports_id", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", ("ident", "iata_code", "ourairports_id"), ("airport_type", "active"))}),
        ("Other codes", {"fields": (("gps_code", "icao_code", "local_code"), ("scheduled_service", "keywords"))}),
        ("Position", {"fields": (("latitude_deg", "longitude_deg", "elevation_ft"),)}),
        ("Place", {"fields": (("municipality", "iso_region", "iso_country"), ("country", "city"))}),
        ("Kept by the console", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        return [
            page_at("map.json", self, airports_map, "map", cacheable=True),
            page_at("findings-map.json", self, airports_findings_map, "findings_map", cacheable=True),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Show the municipality only where the city that it is linked to is called otherwise: one column for both."""
        names = super().get_list_display(request)
        if "city" not in names:
            return names
        return ["town" if name == "city" else name for name in names if name != "municipality"]

    @admin.display(description="City", ordering="city", empty_value="")
    def town(self, airport: Airport) -> str:
        if airport.city is None:
            return format_html('<span class="quiet">{} (no city)</span>', airport.municipality)
        if folded(airport.city.name) == folded(airport.municipality):
            return airport.city.name
        return format_html('{} <span class="quiet">({})</span>', airport.city.name, airport.municipality or "no name")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[Any, ...]:
        """The ident is the primary key: it is chosen once."""
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else ("ident", *readonly)

    @admin.display(description="OurAirports id")
    def ourairports_id(self, airport: Airport) -> str:
        """Imports match the airport by this number; nobody edits it, and it has no thousands separator."""
        return str(airport.source_id or "none")
