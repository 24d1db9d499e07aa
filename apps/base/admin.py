"""Countries and cities in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.backups.pages.object_tools import ObjectBackups
from apps.base.exporting import CityResource, CountryResource
from apps.base.forms import CityForm, CountryForm
from apps.base.models import City, Country
from apps.base.pages.checking import ValidatingMixin
from apps.base.pages.figures import FiguresMixin
from apps.base.text import search_form
from apps.changesets.pages.recorded import RecordedModelAdmin
from apps.changesets.pages.tools import ObjectTools, bulk_tool
from apps.imports.pages.exporting import ExportingMixin
from apps.imports.pages.importing import ImportingMixin
from apps.imports.pages.pinning import PinningMixin
from apps.quality.pages.list_filter import FindingFilter


@admin.register(Country)
class CountryAdmin(
    ImportingMixin, ExportingMixin, ObjectBackups, PinningMixin, ValidatingMixin, FiguresMixin, ObjectTools,
    RecordedModelAdmin,
):  # fmt: skip
    form = CountryForm
    change_actions = ("relink", "clear_country", "backup", "restore", "undo_last_change")
    resource_classes = (CountryResource,)
    list_display = ("name", "iso_code", "iso3", "active")
    list_filter = (FindingFilter, "active")
    search_fields = ("name",)
    search_help_text = "Search by name or code"
    readonly_fields = ("slug", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", ("iso_code", "iso3"), ("latitude", "longitude"), "active")}),
        ("Kept by the console", {"fields": (("slug", "created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    relink = bulk_tool("relink", label="Relink its airports…", words="Link them to the places that their codes name")
    clear_country = bulk_tool("clear_country", label="Clear from its airports…", words="Take their links to it away")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        if len(term.strip()) in (2, 3) and (coded := _by_code(queryset, term.strip())).exists():
            return coded, False
        return _by_name(queryset, term), False


@admin.register(City)
class CityAdmin(
    ImportingMixin, ExportingMixin, ObjectBackups, PinningMixin, ValidatingMixin, FiguresMixin, ObjectTools,
    RecordedModelAdmin,
):  # fmt: skip
    form = CityForm
    change_actions = ("relink", "clear_city", "backup", "restore", "undo_last_change")
    resource_classes = (CityResource,)
    list_display = ("name", "country", "population", "timezone", "active")
    list_filter = (FindingFilter, "active", "country")
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

    relink = bulk_tool("relink", label="Relink its airports…", words="Link them to the places that their codes name")
    clear_city = bulk_tool("clear_city", label="Clear from its airports…", words="Take their links to it away")

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
