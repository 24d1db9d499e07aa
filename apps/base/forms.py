"""Forms of countries and cities."""

from typing import Any

from django.core.exceptions import ValidationError

from apps.base.models import City, Country
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
