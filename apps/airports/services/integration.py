"""Linking one airport to its country and city, for the shell and for code that has one airport."""

from dataclasses import dataclass

from django.db import transaction

from apps.base.countries import country_for
from apps.base.models import City, Country
from apps.base.text import search_form


@dataclass(frozen=True)
class Location:
    """The country and city of an airport; None for one that its codes do not give."""

    country: Country | None
    city: City | None
    country_created: bool = False
    city_created: bool = False


class AirportLocationIntegrator:
    """Finds the country and city of an airport, and creates missing ones."""

    def link_location(
        self,
        iso_country: str | None,
        municipality: str | None = "",
        latitude: float | None = None,
        longitude: float | None = None,
    ) -> Location:
        """Return country and city for an airport's codes and coordinates; the airport is not changed.

        An unknown country code gives no country and no city, a blank municipality no city. Cities are told apart by
        country and comparable name, as an import does.
        """
        code, name = (iso_country or "").strip().upper(), (municipality or "").strip()
        with transaction.atomic():
            country, country_created = country_for(code) if code else (None, False)
            if country is None or not search_form(name):
                return Location(country=country, city=None, country_created=country_created)
            city, city_created = City.objects.get_or_create(
                country=country,
                search_name=search_form(name),
                defaults={"name": name, "latitude": latitude, "longitude": longitude},
            )
        return Location(country, city, country_created, city_created)
