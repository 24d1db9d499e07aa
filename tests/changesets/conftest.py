"""A small world to change: one country, two cities, three airports, made as one changeset."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift

State = dict[str, list[tuple]]


@dataclass(frozen=True)
class World:
    made_by: Changeset
    country: Country
    denver: City
    boulder: City


@pytest.fixture
def world(db: None) -> World:
    """Return the world, made as an import."""
    with changeset(kind="import", actor=None, reason="the world") as made_by:
        country = Country.objects.create(iso_code="US", name="United States")
        denver = City.objects.create(country=country, name="Denver")
        boulder = City.objects.create(country=country, name="Boulder")
        for number, (ident, city) in enumerate([("KDEN", denver), ("KAPA", denver), ("KBDU", boulder)], start=1):
            Airport.objects.create(
                ident=ident,
                source_id=number,
                name=f"Airport {ident}",
                airport_type="medium_airport",
                latitude_deg=39.0 + number,
                longitude_deg=-104.0,
                iso_country="US",
                municipality=city.name,
                upstream={"name": f"Airport {ident}"},
                country=country,
                city=city,
            )
    return World(made_by, country, denver, boulder)


def tables() -> State:
    """Return every row of the three tables, time stamps and keys included."""
    return {
        model.__name__: [tuple(map(str, row)) for row in model.objects.order_by("pk").values_list()]
        for model in (Country, City, Airport)
    }


def history_rows() -> int:
    """Return how many history rows there are."""
    return sum(model.history.count() for model in (Country, City, Airport))


@pytest.fixture
def no_drift() -> Callable[[], None]:
    """Return a function that asserts invariant 1: live rows equal the newest history rows."""

    def check() -> None:
        _objects, drift = find_drift()
        assert drift == []

    return check
