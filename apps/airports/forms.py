"""The form of an airport."""

from django import forms

from apps.airports.models import Airport
from apps.imports.pages.checked_form import CheckedForm


class AirportForm(CheckedForm):
    class Meta:
        model = Airport
        fields = "__all__"
        # Here and not at the model, where each word would be a migration.
        help_texts = {
            "name": "As it is signed or published.",
            "ident": "The unique identifier, such as KDEN; it cannot be changed later.",
            "airport_type": "Closed airports stay in the table, as “Closed”.",
        }

    def clean(self) -> dict:
        """Refuse a city of another country than the airport's."""
        cleaned = super().clean()
        country, city = cleaned.get("country"), cleaned.get("city")
        if {"country", "city"} & {*self.changed_data} and city and country and city.country_id != country.pk:
            self.add_error("city", forms.ValidationError(f"{city} is in {city.country}, not in {country}."))
        return cleaned
