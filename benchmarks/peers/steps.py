"""What each package of others does with the same files, as its documentation teaches."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tablib
from django.apps import apps
from django.db import transaction

from benchmarks.floor import staged_rows
from benchmarks.peers.models import Airport, City, Country

COLUMNS = (
    "source_id",
    "ident",
    "airport_type",
    "name",
    "search_name",
    "latitude_deg",
    "longitude_deg",
    "elevation_ft",
    "iso_country",
    "iso_region",
    "municipality",
    "city_key",
    "iata_code",
    "gps_code",
    "icao_code",
    "local_code",
    "scheduled_service",
    "keywords",
)


class Places:
    """Countries and cities by what a row says, so that a link costs no query; missing ones are made."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make
        self.countries = {country.iso_code: country for country in Country.objects.all()}
        self.cities = {(city.country_id, city.search_name): city for city in City.objects.all()}

    def link(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a row with its links."""
        code, name = values["iso_country"], values.pop("city_key")
        if code not in self.countries:
            self.countries[code] = self.make(Country, iso_code=code, name=code, search_name=code, slug=code)
        country, city = self.countries[code], None
        if name:
            key = (country.pk, name)
            if key not in self.cities:
                self.cities[key] = self.make(
                    City,
                    country=country,
                    name=values["municipality"],
                    search_name=name,
                    slug=name[:255],
                    latitude=values["latitude_deg"],
                    longitude=values["longitude_deg"],
                )
            city = self.cities[key]
        return {**values, "country": country, "city": city, "active": values["airport_type"] != "closed"}


def created(model: Any, **values: Any) -> Any:
    """Make one place by itself."""
    return model.objects.create(**values)


def rows_of(source: Path) -> Iterator[dict[str, Any]]:
    """Yield the values of each row of a packed file."""
    for row in staged_rows(source):
        yield dict(zip(COLUMNS, row, strict=True))


def stock(path: Path, *, best: bool = False) -> None:
    """Import a file by import-export's engine."""
    from benchmarks.peers.resource import AirportResource, BestResource

    dataset = tablib.Dataset().load(path.read_text(encoding="utf-8"), format="csv")
    (BestResource if best else AirportResource)().import_data(dataset, raise_errors=True)


def update_or_create(source: Path) -> None:
    """Save one row after the other in one transaction."""
    with transaction.atomic():
        places = Places(created)
        for row in rows_of(source):
            values = places.link(row)
            Airport.objects.update_or_create(ident=values.pop("ident"), defaults=values)


def bulk_create(source: Path) -> None:
    """Make all rows by simple-history's function for many, the places before."""
    from simple_history.utils import bulk_create_with_history

    with transaction.atomic():
        codes = {row["iso_country"] for row in rows_of(source)}
        countries = [Country(iso_code=code, name=code, search_name=code, slug=code) for code in codes]
        bulk_create_with_history(countries, Country, batch_size=1000)
        places = Places(lambda model, **values: model(**values))
        airports = [Airport(**places.link(row)) for row in rows_of(source)]
        bulk_create_with_history(list(places.cities.values()), City, batch_size=1000)
        cities = Places(created).cities
        for airport in airports:
            if airport.city is not None:
                airport.city = cities[airport.city.country_id, airport.city.search_name]
        bulk_create_with_history(airports, Airport, batch_size=1000)


def reversion_load(source: Path) -> None:
    """Save all rows within one revision; then all airports change by one UPDATE in a revision of theirs."""
    import reversion

    with reversion.create_revision():
        places = Places(created)
        for row in rows_of(source):
            Airport(**places.link(row)).save(force_insert=True)
        reversion.set_comment("first import")
    Airport.objects.update(elevation_ft=1, name="changed")


def reversion_revert(_source: Path) -> None:
    """Take all rows back to the first revision."""
    from reversion.models import Revision

    Revision.objects.earliest("pk").revert(delete=True)
    if Airport.objects.filter(name="changed").exists():
        raise RuntimeError("The revision was not reverted.")


def preview(path: Path) -> dict[str, Any]:
    """Upload a file in the stock admin."""
    from benchmarks.peers.previewing import preview

    return preview(path)


def count(_source: Path) -> dict[str, int]:
    """Return how many rows there are, and how many of history."""
    history = (model for model in apps.get_models() if model.__name__ in ("HistoricalAirport", "AirportEvent"))
    return {"airports": Airport.objects.count(), "history": sum(model.objects.count() for model in history)}


STEPS = {
    "stock": stock,
    "stock-best": lambda path: stock(path, best=True),
    "preview": preview,
    "update_or_create": update_or_create,
    "bulk_create": bulk_create,
    "reversion-load": reversion_load,
    "reversion-revert": reversion_revert,
    "count": count,
}
