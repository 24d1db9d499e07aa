"""The maps of airports: all by type, and those with findings by severity."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet

from apps.airports.models import Airport, AirportType
from apps.changesets.history.maps import COARSE, FINE, Addresses, Group, PackedMap, Point, pack
from apps.quality.findings import findings_of
from apps.quality.rules import Severity, rules_of

# The colour of each type and its plural; the most important are drawn last, over the others.
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


class OfType(NamedTuple):
    """A type of airports: its value, its name, how many there are, and how many of them lack a city."""

    value: str
    name: str
    number: int
    without_city: int


def count_by_type(*, country: int | None = None, using: str = "default") -> list[OfType]:
    """Return each type that has airports."""
    airports = Airport.objects.using(using).order_by()
    rows = (airports if country is None else airports.filter(country=country)).values("airport_type")
    by_type = rows.annotate(number=Count("pk"), alone=Count("pk", filter=Q(city=None))).values_list(
        "airport_type", "number", "alone"
    )
    known = {str(value): (number, alone) for value, number, alone in by_type}
    labels = {str(value): label for value, (_, label) in TYPES.items()}
    labels |= {value: value or "without a type" for value in known if value not in labels}
    return [OfType(value, label, *known[value]) for value, label in labels.items() if value in known]


def map_of_findings(*, findings_url: str, addresses: Addresses, using: str = "default") -> PackedMap:
    """Return the map of the airports with findings, grouped by worst severity; one query for each rule."""
    worst: dict[str, int] = {}
    order = list(Severity)
    for rule in sorted(rules_of("airports.airport"), key=lambda rule: order.index(rule.severity)):
        for key in findings_of(rule, using=using).values_list("pk", flat=True).iterator(chunk_size=5000):
            worst.setdefault(key, order.index(rule.severity))
    placed = Airport.objects.using(using).filter(latitude_deg__isnull=False, longitude_deg__isnull=False).order_by()
    rows = placed.values_list("pk", "latitude_deg", "longitude_deg").iterator(chunk_size=5000)
    points = (
        Point(worst[key], key, latitude, longitude)
        for key, latitude, longitude in rows
        if key in worst and latitude is not None and longitude is not None
    )
    groups = [
        Group(str(severity), f"with {severity.label.lower()}s", str(severity), findings_url) for severity in order
    ]
    return pack(groups, points, addresses=addresses)
