"""What airports add to the lists and pages of countries and cities: counts, coverage of links, and a map."""

from typing import Any

from django.http import HttpRequest

from apps.airports.models import Airport
from apps.airports.pages.map import map_url, types_shown
from apps.base.models import City, Country
from apps.base.pages.figures import FIGURES, PANELS, Figure, Panel
from apps.changesets.pages import links
from apps.changesets.pages.maps import MapFigure
from apps.changesets.rights import may_view
from apps.changesets.text import counted
from apps.quality.coverage import Coverage


def _listed(model: type, query: str) -> Any:
    return lambda key: f"{links.list_url(model)}?{query.replace('KEY', str(key))}"


AIRPORTS_OF_COUNTRY = Figure(
    "airports", "Airports", "country", Airport.objects.all, _listed(Airport, "country__id__exact=KEY")
)
CITIES_OF_COUNTRY = Figure("cities", "Cities", "country", City.objects.all, _listed(City, "country__id__exact=KEY"))
UNLINKED_OF_COUNTRY = Figure(
    "unlinked",
    "Without city",
    "country",
    lambda: Airport.objects.filter(city=None),
    _listed(Airport, "country__id__exact=KEY&links=no-city"),
)
AIRPORTS_OF_CITY = Figure("airports", "Airports", "city", Airport.objects.all, _listed(Airport, "city__id__exact=KEY"))


def country_panel(request: HttpRequest, country: Country) -> Panel | None:
    """Return coverage and map of the airports of a country: those linked to it, and those that only name it."""
    if not may_view(request.user, Airport):
        return None
    named = Airport.objects.filter(iso_country=country.iso_code)
    linked, total = named.exclude(country=None).count(), named.count()
    own = Airport.objects.filter(country=country)
    in_city, own_number = own.exclude(city=None).count(), own.count()
    coverages = (
        ("Linked to their country", Coverage("airports.airport", "country", linked, total)),
        ("Linked to a city", Coverage("airports.airport", "city", in_city, own_number)),
    )
    notes = []
    if total > linked:
        query = f"?iso_country={country.iso_code}&links=no-country"
        airports = counted(total - linked, "airport has", "airports have")
        words = f"{airports} the code {country.iso_code} and no link to a country"
        notes.append((words, links.list_url(Airport) + query))
    figure = MapFigure(f"Airports of {country.name}", [("Type", map_url(country=country.pk))], fit=True)
    return Panel(
        tuple((words, coverage.linked, coverage.total, coverage.percent) for words, coverage in coverages),
        figure if own_number else None,
        tuple(notes),
        tuple(types_shown(country=country.pk)) if own_number else (),
    )


FIGURES.add(AIRPORTS_OF_COUNTRY, CITIES_OF_COUNTRY, UNLINKED_OF_COUNTRY, to="base.country")
FIGURES.add(AIRPORTS_OF_CITY, to="base.city")
PANELS.add(country_panel, to="base.country")
