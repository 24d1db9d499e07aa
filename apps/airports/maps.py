"""The map of airports by type."""

from collections.abc import Iterator

from django.db.models import QuerySet

from apps.airports.models import Airport, AirportType
from apps.changesets.maps import COARSE, FINE, Addresses, Group, PackedMap, Point, pack

# The colour of each type, and what several of them are called; the weightiest are drawn last, over the others.
TYPES = {
    AirportType.LARGE: ("large", "large airports"),
    AirportType.MEDIUM: ("medium", "medium airports"),
    AirportType.SMALL: ("small", "small airports"),
    AirportType.SEAPLANE_BASE: ("seaplane", "seaplane bases"),
    AirportType.HELIPORT: ("heliport", "heliports"),
    AirportType.BALLOONPORT: ("balloonport", "balloonports"),
    AirportType.CLOSED: ("closed", "closed"),
}
OTHER = len(TYPES)


def map_of_airports(
    *, list_url: str, addresses: Addresses, country: int | None = None, using: str = "default"
) -> PackedMap:
    """Return the map of all airports, or of one country's, in groups by type; one query."""
    airports = Airport.objects.using(using)
    of_country = "" if country is None else f"&country__id__exact={country}"
    if country is not None:
        airports = airports.filter(country=country)
    groups = [
        Group(str(value), label, colour, f"{list_url}?airport_type__exact={value}{of_country}")
        for value, (colour, label) in TYPES.items()
    ]
    groups.append(Group("other", "of another type", "other"))
    return pack(groups, _points(airports), addresses=addresses, scale=COARSE if country is None else FINE)


def _points(airports: QuerySet) -> Iterator[Point]:
    number = {str(value): place for place, value in enumerate(TYPES)}
    placed = airports.filter(latitude_deg__isnull=False, longitude_deg__isnull=False).order_by()
    rows = placed.values_list("airport_type", "pk", "latitude_deg", "longitude_deg")
    for kind, key, latitude, longitude in rows.iterator(chunk_size=5000):
        yield Point(number.get(kind, OTHER), key, latitude, longitude)
