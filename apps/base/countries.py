"""Which country codes exist, and what the countries are called."""

from collections.abc import Iterable
from functools import cache

from apps.base.models import Country

# What OurAirports uses beside ISO 3166-1, named as its countries.csv (public domain) names them.
BESIDE_ISO = {
    "XK": ("Kosovo", "XKX"),
    "XP": ("Paracel Islands (disputed)", ""),
    "ZZ": ("Unknown or unassigned country", ""),
}


@cache
def _iso() -> dict[str, tuple[str, str]]:
    # Imported when first needed: reading the package's tables is slow, and most commands need no name.
    import pycountry

    return {country.alpha_2: (country.name, country.alpha_3) for country in pycountry.countries}


def is_known_code(code: str) -> bool:
    """Whether `code` is an ISO 3166-1 code, one that OurAirports uses beside it, or that of a country we have."""
    return code in BESIDE_ISO or code in _iso() or Country.objects.filter(iso_code=code).exists()


def names_of(codes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return name and ISO3 code of each code that ISO 3166-1 or OurAirports has."""
    known = {**_iso(), **BESIDE_ISO}
    return {code: known[code] for code in codes if code in known}


def country_for(code: str) -> tuple[Country | None, bool]:
    """Return the country with this code and whether it was made now; None for a code that nobody knows."""
    country = Country.objects.filter(iso_code=code).first()
    if country is not None or code not in (named := names_of([code])):
        return country, False
    name, iso3 = named[code]
    return Country.objects.get_or_create(iso_code=code, defaults={"name": name, "iso3": iso3})
