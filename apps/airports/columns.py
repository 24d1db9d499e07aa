"""The columns of a file of airports, named as OurAirports names them, for imports and exports."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from apps.airports.gate import limits
from apps.airports.linking import PlacesLinker
from apps.airports.models import Airport, AirportType
from apps.airports.plan_findings import look_for_findings
from apps.airports.plan_places import look_for_places
from apps.airports.types import TYPES
from apps.base.boxes import lies_in
from apps.base.columns import COUNTRY_TITLES, LATITUDE_TITLES, LONGITUDE_TITLES, comparable, files_but, name_text
from apps.base.countries import is_known_code
from apps.base.looks import COUNTRY_CODES, LATITUDES, LONGITUDES, WHOLE_NUMBERS, is_iso3
from apps.changesets.fields import field_of
from apps.imports import parsers
from apps.imports.looks import NAMES, PLACES, LooksLike, half, looks, mostly, shaped, varied
from apps.imports.mapping.changes import ValueChange
from apps.imports.mapping.columns import Column, Derived
from apps.imports.registry import register_spec
from apps.imports.spec import Evidence, ImportSpec, MatchChoice, PlanCheck

SOURCE = "ourairports"
CORRECTIONS = "corrections"
URL = "https://davidmegginson.github.io/ourairports-data/airports.csv"

# Letters and digits that a spreadsheet turned into a number: 1E4 became 1.00E+04.
_DAMAGE = "a spreadsheet has turned this ident into a number: import the file as it was downloaded"


def _is_open(types: list[str | None]) -> list[bool | None]:
    return [None if value is None else value != AirportType.CLOSED for value in types]


def _is_of_country(region: str, country: str) -> str:
    return "" if region.startswith(f"{country}-") else f"a region of {country} begins with {country}-"


def _length(field: str) -> int:
    length = field_of(Airport, field).max_length
    if length is None:
        raise LookupError(f"{field} has no longest length.")
    return length


_is_iata_code = shaped("[A-Z]{3}")
_is_icao_code = shaped("[A-Z]{4}")
_is_serial = shaped("[0-9]+")


def _are_iata_codes(cells: Sequence[str]) -> bool:
    return mostly(_is_iata_code)(cells) and varied(cells) and not mostly(is_iso3, share=0.7)(cells)


def _are_idents(cells: Sequence[str]) -> bool:
    odd = mostly(lambda cell: _is_iata_code(cell) or _is_serial(cell))
    return half(shaped("[A-Za-z0-9_-]{2,8}"))(cells) and varied(cells) and not odd(cells)


IDENTS = (
    LooksLike("ICAO codes (four capital letters)", lambda cells: mostly(_is_icao_code)(cells) and varied(cells)),
    LooksLike("codes of airports", _are_idents, alone=False),
)
IATA_CODES = (
    LooksLike("IATA codes (three capital letters)", _are_iata_codes),
    LooksLike("IATA codes (three capital letters)", half(_is_iata_code), alone=False),
)
REGIONS = looks("region codes such as CH-ZH", shaped("[A-Z]{2}-[A-Z0-9-]{1,7}"))


def _are_elevations(cells: Sequence[str]) -> bool:
    if not all(map(shaped("-?[0-9]{1,5}"), cells)):
        return False
    heights = list(map(int, cells))
    # Numbers of rows rise in small steps.
    steps = [after - before for before, after in pairwise(heights)]
    return max(heights) > 50 and min(heights) > -1500 and not all(0 < step <= 100 for step in steps)


ELEVATIONS = (
    *WHOLE_NUMBERS,
    LooksLike("numbers", half(shaped(r"[+-]?[0-9]+(\.[0-9]+)?( ?m)?")), alone=False),
    LooksLike("elevations", _are_elevations, untitled=True),
)


def _keywords(cells: list[str]) -> tuple[list[Any], list[parsers.BadCell]]:
    """Parse keywords; a tab or a line break, as upstream has some, is a space."""
    return _keywords_text([cell if cell.isprintable() else " ".join(cell.split()) for cell in cells])


_keywords_text = parsers.text(max_length=_length("keywords"), null=True)

OURAIRPORTS = ImportSpec(
    name=SOURCE,
    model=Airport,
    upstream="upstream",
    upstream_title="OurAirports",
    columns=(
        Column(
            "source_id", "id", parsers.integer(minimum=1, maximum=2**63 - 1, required=True), required=True, merged=False
        ),
        Column(
            "ident",
            "ident",
            parsers.key(max_length=_length("ident"), damaged=".+", why=_DAMAGE),
            guesses=("icao", "icao code", "gps code", "code", "airport code", "icao id", "faa", "locid", "lid"),
            looks_like=IDENTS,
            required=True,
        ),
        Column(
            "iata_code",
            # Upstream's 0 means: no code. It is a finding, and an export of ours must come back.
            by_hand=parsers.pattern(shape="[A-Z0-9]{3}|0", hint="not three capital letters or digits", null=True),
            aliases=("iata",),
            guesses=("iata code", "code", "airport code", "iata 3", "code iata", "iata faa"),
            looks_like=IATA_CODES,
        ),
        Column(
            "name",
            "name",
            name_text(max_length=_length("name"), required=True),
            guesses=("airport", "airport name", "title", "facility name", "label", "station name"),
            looks_like=NAMES,
            required=True,
        ),
        Column(
            "airport_type",
            "type",
            parsers.choice(allowed=AirportType.values, noun="airport type"),
            aliases=("airport_type",),
            guesses=("kind", "category", "facility type", "site type", "size"),
            looks_like=TYPES,
            required=True,
        ),
        Column(
            "latitude_deg",
            "latitude_deg",
            parsers.decimal(minimum=-90, maximum=90, required=True),
            aliases=("latitude",),
            guesses=LATITUDE_TITLES,
            looks_like=LATITUDES,
            required=True,
        ),
        Column(
            "longitude_deg",
            "longitude_deg",
            parsers.decimal(minimum=-180, maximum=180, required=True),
            aliases=("longitude",),
            guesses=LONGITUDE_TITLES,
            looks_like=LONGITUDES,
            required=True,
        ),
        Column(
            "elevation_ft",
            aliases=("elevation",),
            guesses=("elev", "alt", "altitude", "altitude ft", "elev ft", "alt ft", "elevation feet", "altitude feet"),
            changed_guesses=tuple(
                (f"{height} {unit}", ValueChange("feet"))
                for height in ("elevation", "elev", "altitude", "alt", "height")
                for unit in ("m", "meters", "metres")
            ),
            looks_like=ELEVATIONS,
        ),
        Column(
            "iso_country",
            "iso_country",
            parsers.known(is_known=is_known_code, hint="not a country code in two capital letters that ISO 3166-1 has"),
            aliases=("country_code",),
            guesses=COUNTRY_TITLES,
            looks_like=COUNTRY_CODES,
            required=True,
        ),
        Column(
            "iso_region",
            by_hand=parsers.pattern(
                shape="[A-Z]{2}-[A-Z0-9-]{1,7}", hint="not a region code such as CH-ZH, but perhaps a name"
            ),
            beside=("iso_country", _is_of_country),
            aliases=("region",),
            guesses=("subd", "subdivision", "state", "province", "region code", "iso 3166 2"),
            looks_like=REGIONS,
        ),
        Column(
            "municipality",
            "municipality",
            name_text(max_length=_length("municipality")),
            guesses=("city", "town", "place", "location", "city name", "served city", "served", "municipality name"),
            looks_like=PLACES,
        ),
        Column(
            "gps_code",
            by_hand=parsers.pattern(
                shape="[A-Z0-9]{3,4}", hint="not three or four capital letters or digits", null=True
            ),
            guesses=("gps",),
        ),
        Column(
            "icao_code",
            by_hand=parsers.pattern(shape="[A-Z0-9]{4}", hint="not four capital letters or digits", null=True),
            guesses=("icao", "icao code"),
        ),
        Column(
            "local_code",
            by_hand=parsers.pattern(
                shape="[A-Z0-9]{2,7}", hint="not two to seven capital letters or digits", null=True
            ),
            guesses=("local", "faa", "faa code", "lid"),
        ),
        Column("scheduled_service", guesses=("scheduled",)),
        Column("keywords", parse=_keywords),
    ),
    derived=(
        Derived("search_name", "name", comparable),
        Derived("active", "airport_type", _is_open, merged=True),
        Derived("city_search", "municipality", comparable, stored=False),
    ),
    match_choices={
        "id": MatchChoice("OurAirports id", ("source_id",)),
        "ident": MatchChoice("ident", ("ident",)),
        "iata": MatchChoice("IATA code", ("iata_code",)),
        "icao": MatchChoice("ICAO or GPS code", ("icao_code", "gps_code")),
        "name": MatchChoice("country and name", ("iso_country", "search_name"), together=True),
    },
    linker=PlacesLinker(),
    evidence=Evidence(
        name="search_name",
        country="iso_country",
        position=("latitude_deg", "longitude_deg"),
        codes=("iata_code",),
        lies_in=lies_in,
    ),
    other_files=files_but("airports"),
    limits=(limits,),
    checks=(
        PlanCheck(
            "findings", look_for_findings, "admin/airports/plan_findings.html", "admin/airports/findings_after.html"
        ),
        PlanCheck("places", look_for_places, "admin/airports/plan_places.html"),
    ),
)
register_spec(OURAIRPORTS)
