"""Countries and cities in the admin."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.base.models import City, Country
from apps.base.pages import bulk_actions  # noqa: F401 - registers what the lists offer
from apps.base.pages.console import ConsoleModelAdmin
from apps.base.text import search_form
from apps.imports.pages.checked_form import CheckedForm


class CountryForm(CheckedForm):
    class Meta:
        model = Country
        fields = "__all__"
        help_texts = {"name": "The usual English name.", "iso_code": "The two letters of ISO 3166-1, such as DE."}

    def clean_iso_code(self) -> str:
        return self.cleaned_data["iso_code"].upper()

    def clean_iso3(self) -> str:
        return self.cleaned_data["iso3"].upper()


class CityForm(CheckedForm):
    taken = {
        ("country", "search_name"): "{country} has a city called {name} already.",
        ("country", "slug"): "{country} has a city with the address “{slug}” already.",
    }

    class Meta:
        model = City
        fields = "__all__"
        help_texts = {
            "name": "In the local spelling, with accents.",
            "country": "Type a few letters of its name or code.",
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a second city of the same name in a country: its comparable name is no field of the form."""
        cleaned = super().clean()
        country, name = cleaned.get("country"), cleaned.get("name")
        if not (country and name):
            return cleaned
        neighbours = City.objects.filter(country=country).exclude(pk=self.instance.pk)
        if neighbours.filter(search_name=search_form(name)).exists():
            raise ValidationError(self.taken["country", "search_name"].format(country=country, name=name))
        slug = self.instance.slug
        if slug and neighbours.filter(slug=slug).exists():
            raise ValidationError(self.taken["country", "slug"].format(country=country, slug=slug))
        return cleaned


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
