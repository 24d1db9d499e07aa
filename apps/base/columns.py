"""The columns of countries and cities in a file: what imports read and exports write."""

from apps.base.boxes import lies_in
from apps.base.completing import CityCompleter, CountryCompleter
from apps.base.countries import is_known_code
from apps.base.looks import (
    COUNTRY_CODES,
    COUNTRY_CODES_3,
    LATITUDES,
    LONGITUDES,
    TIME_ZONES,
    WHOLE_NUMBERS,
    is_time_zone,
)
from apps.base.models import City, Country
from apps.base.text import ascii_form, search_form
from apps.imports import parsers
from apps.imports.looks import NAMES
from apps.imports.mapping.columns import Column, Derived, Follower, Reference
from apps.imports.parsers import BadCell, Parser
from apps.imports.registry import register_spec
from apps.imports.spec import Evidence, ImportSpec, MatchChoice

_LARGEST = 2**63 - 1
# The longest that one character becomes when it is made comparable.
_LARGEST_GROWTH = 18


def comparable(texts: list[str | None]) -> list[str | None]:
    """Return the comparable form of each text, None where there is none."""
    return [search_form(text) if text else text for text in texts]


def name_text(*, max_length: int, required: bool = False) -> Parser:
    """Make a parser of text whose comparable and ASCII forms fit in `max_length`, too; some characters grow."""
    parse_text = parsers.text(max_length=max_length, required=required)

    def parse(cells: list[str]) -> tuple[list, list[BadCell]]:
        values, bad = parse_text(cells)
        refused = {cell.row for cell in bad}
        for index, value in enumerate(values):
            if len(value) * _LARGEST_GROWTH <= max_length or value.isascii() or index in refused:
                continue
            if max(len(search_form(value)), len(ascii_form(value))) > max_length:
                hint = f"spelled out for searches, more than {max_length} characters"
                bad.append(BadCell(index, "too_long", hint))
        return values, bad

    return parse


LATITUDE_TITLES = ("lat", "y", "geo lat", "latitude decimal")
LONGITUDE_TITLES = ("lon", "lng", "long", "x", "geo lon", "longitude decimal")
COUNTRY_TITLES = (
    *("country", "country code", "iso country", "country iso", "iso", "iso2", "alpha 2", "cca2", "cc", "nation"),
    *("country name", "country iso2", "iso alpha 2", "iso code", "ISO3166-1 alpha 2"),
)

LATITUDE = Column(
    "latitude",
    "latitude",
    parsers.decimal(minimum=-90, maximum=90),
    guesses=LATITUDE_TITLES,
    looks_like=LATITUDES,
)
LONGITUDE = Column(
    "longitude",
    "longitude",
    parsers.decimal(minimum=-180, maximum=180),
    guesses=LONGITUDE_TITLES,
    looks_like=LONGITUDES,
)
POPULATION = Column(
    "population",
    "population",
    parsers.integer(minimum=0, maximum=_LARGEST),
    guesses=("pop", "inhabitants", "residents", "population total", "people"),
    looks_like=WHOLE_NUMBERS,
)
TIMEZONE = Column(
    "timezone",
    "timezone",
    parsers.known(
        is_known=is_time_zone, hint="not a time zone of the IANA database, such as Europe/Zurich", required=False
    ),
    guesses=("tz", "time zone", "tzdb", "tz database time zone", "zone"),
    looks_like=TIME_ZONES,
)

# Titles by which the files of OurAirports are known, in small letters.
_FILES = {
    "the airports of OurAirports": ("ident", "gps_code", "local_code", "home_link"),
    "the runways of OurAirports": ("airport_ref", "airport_ident", "length_ft"),
    "the frequencies of OurAirports": ("airport_ref", "airport_ident", "frequency_mhz"),
    "the navaids of OurAirports": ("associated_airport", "frequency_khz"),
    "the comments of OurAirports": ("airportref", "airportident", "subject"),
    "the regions of OurAirports": ("code", "local_code", "continent", "iso_country"),
    "the countries of OurAirports": ("id", "code", "name", "continent", "wikipedia_link"),
}


def files_but(own: str) -> dict[str, tuple[str, ...]]:
    """Return the titles by which the files of OurAirports are known that are not of `own`."""
    return {name: titles for name, titles in _FILES.items() if f" {own} " not in name}


COUNTRIES = ImportSpec(
    name="countries",
    model=Country,
    columns=(
        Column(
            "iso_code",
            "iso_code",
            parsers.known(is_known=is_known_code, hint="not a country code in two capital letters that ISO 3166-1 has"),
            guesses=(
                *(title for title in COUNTRY_TITLES if title not in ("country", "country name")),
                "code",
                "alpha2code",
            ),
            looks_like=COUNTRY_CODES,
            required=True,
        ),
        Column(
            "iso3",
            "iso3",
            parsers.pattern(shape="[A-Z]{3}", hint="not three capital letters"),
            guesses=("alpha 3", "cca3", "iso alpha 3", "country code 3", "alpha3code", "code3", "country iso3"),
            looks_like=COUNTRY_CODES_3,
        ),
        Column(
            "name",
            "name",
            name_text(max_length=255, required=True),
            guesses=("country", "country name", "name common", "short name", "english name", "title"),
            looks_like=NAMES,
            required=True,
        ),
        LATITUDE,
        LONGITUDE,
        Column("active"),
    ),
    derived=(Derived("search_name", "name", comparable),),
    match_by=("iso_code",),
    evidence=Evidence(
        name="search_name", country="iso3", position=("latitude", "longitude"), keys=("iso3", "search_name")
    ),
    match_choices={
        "iso": MatchChoice("country code", ("iso_code",)),
        "iso3": MatchChoice("code of three letters", ("iso3",)),
        "name": MatchChoice("name", ("search_name",), together=True),
    },
    other_files=files_but("countries"),
    completer=CountryCompleter(),
)

CITIES = ImportSpec(
    name="cities",
    model=City,
    columns=(
        Column("id", "id", parsers.integer(minimum=1, maximum=_LARGEST)),
        Column(
            "country",
            aliases=("iso_country", "country_code"),
            guesses=COUNTRY_TITLES,
            looks_like=COUNTRY_CODES,
            required=True,
            refers=Reference(Country, by="iso_code"),
        ),
        Column(
            "name",
            "name",
            name_text(max_length=255, required=True),
            guesses=("city", "city name", "town", "place", "municipality", "label", "title"),
            looks_like=NAMES,
            required=True,
        ),
        Column("ascii_name", guesses=("asciiname", "city ascii", "name ascii", "accent city")),
        LATITUDE,
        LONGITUDE,
        TIMEZONE,
        POPULATION,
        Column("active"),
    ),
    derived=(Derived("search_name", "name", comparable),),
    followers=(Follower("ascii_name", "name", ascii_form),),
    match_by=("country", "search_name"),
    evidence=Evidence(name="search_name", country="country", position=("latitude", "longitude"), lies_in=lies_in),
    match_choices={
        "id": MatchChoice("id", ("id",)),
        "name": MatchChoice("country and name", ("country", "search_name"), together=True),
    },
    other_files=files_but("cities"),
    completer=CityCompleter(),
)
register_spec(CITIES)
register_spec(COUNTRIES)
