"""Countries and cities in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.base.forms import CityForm, CountryForm
from apps.base.models import City, Country
from apps.base.pages import bulk_actions  # noqa: F401 - registers what the lists offer
from apps.base.pages.console import ConsoleModelAdmin


@admin.register(Country)
class CountryAdmin(ConsoleModelAdmin):
    form = CountryForm
    list_display = ("name", "iso_code", "iso3", "active")
    list_filter = ("active",)
    search_fields = ("=iso_code", "=iso3", "name")
    search_help_text = "Search by name or code"
    readonly_fields = ("slug", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", ("iso_code", "iso3"), ("latitude", "longitude"), "active")}),
        ("Kept by the console", {"fields": (("slug", "created_at", "updated_at"),), "classes": ("collapse",)}),
    )


@admin.register(City)
class CityAdmin(ConsoleModelAdmin):
    form = CityForm
    list_display = ("name", "country", "population", "timezone", "active")
    list_filter = ("active", "country")
    list_select_related = ("country",)
    search_fields = ("name", "ascii_name")
    search_help_text = "Search by name"
    autocomplete_fields = ("country",)
    readonly_fields = ("slug", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "ascii_name"), "country", ("latitude", "longitude"), "active")}),
        ("More", {"fields": (("population", "timezone"),)}),
        ("Kept by the console", {"fields": (("slug", "created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def label_in_choices(self, city: City) -> str:
        """Return what tells a city from those of the same name."""
        return f"{city.name}, {city.country.name}"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("country")
