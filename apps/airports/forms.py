"""The form of an airport."""

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.bulk.rules import Beside
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
