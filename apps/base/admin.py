"""Countries and cities in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.base.forms import CityForm, CountryForm
from apps.base.models import City, Country
from apps.base.pages import bulk_actions  # noqa: F401 - registers what the lists offer
from apps.base.pages.console import ConsoleModelAdmin
from apps.base.text import search_form


@admin.register(Country)
class CountryAdmin(ConsoleModelAdmin):
    form = CountryForm
    list_display = ("name", "iso_code", "iso3", "active")
    list_filter = ("active",)
    search_fields = ("name",)
    search_help_text = "Search by name or code"
    readonly_fields = ("slug", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", ("iso_code", "iso3"), ("latitude", "longitude"), "active")}),
        ("Kept by the console", {"fields": (("slug", "created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        if len(term.strip()) in (2, 3) and (coded := _by_code(queryset, term.strip())).exists():
            return coded, False
        return _by_name(queryset, term), False


@admin.register(City)
class CityAdmin(ConsoleModelAdmin):
    form = CityForm
    list_display = ("name", "country", "population", "timezone", "active")
    list_filter = ("active", "country")
    list_select_related = ("country",)
    search_fields = ("name",)
    search_help_text = "Search by name"
    autocomplete_fields = ("country",)
    readonly_fields = ("slug", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "ascii_name"), "country", ("latitude", "longitude"), "active")}),
        ("More", {"fields": (("population", "timezone"),)}),
        ("Kept by the console", {"fields": (("slug", "created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        return _by_name(queryset, term), False

    def label_in_choices(self, city: City) -> str:
        """Return what tells a city from those of the same name."""
        return f"{city.name}, {city.country.name}"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("country")


def _by_code(countries: QuerySet, term: str) -> QuerySet:
    return countries.filter(iso_code=term.upper()) | countries.filter(iso3=term.upper())


def _by_name(places: QuerySet, term: str) -> QuerySet:
    """Keep the places whose comparable name has all the words, in whatever case and width they were typed."""
    for word in search_form(term).split():
        places = places.filter(search_name__contains=word)
    return places
