"""The quality rules of airports: conditions on one row, and on several rows together."""

from unicodedata import is_normalized

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Concat, Substr, Upper
from django.db.models.lookups import Exact, Regex

from apps.airports.models import AirportType
from apps.airports.nearby import at_one_point, near_namesakes
from apps.base.boxes import off_country
from apps.imports.results import NULL_WORDS
from apps.quality.rules import Rule, Severity, register_rules

AIRPORT = "airports.airport"
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
REQUIRED, COORDINATES, CODES, DUPLICATES = "Required fields", "Coordinates", "Codes", "Duplicates"
COUNTRIES, CITIES, STATE, NAMES = "Normalized Country links", "Normalized City links", "State", "Names"

HIGHEST_FT, LOWEST_FT = 16_500, -1_300
# So near to (0, 0) there is only ocean; an unknown position is often written as something like 0.01.
ZERO_DEGREES = 0.05
_ZERO = (-ZERO_DEGREES, ZERO_DEGREES)
AT_ZERO = Q(
    latitude_deg__isnull=False, latitude_deg__range=_ZERO, longitude_deg__isnull=False, longitude_deg__range=_ZERO
)
_POSITION = {"code": "iso_country", "latitude": "latitude_deg", "longitude": "longitude_deg"}
# Control characters, invisible characters, and remains of HTML.
CONTROL = "[\x01-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]"
_WORDS_FOR_NOTHING = sorted(NULL_WORDS)
HTML = r"<[A-Za-z/!][^>]*>|&(#[0-9]+|#x[0-9A-Fa-f]+|[A-Za-z]+);"


def share_code(rows: QuerySet) -> QuerySet:
    """Keep airports that share their IATA code with another one; `0` is no code."""
    coded = rows.model._base_manager.using(rows.db).filter(iata_code__gt="").exclude(iata_code="0").order_by()
    shared = coded.values("iata_code").annotate(number=Count("pk")).filter(number__gt=1)
    return rows.filter(iata_code__in=shared.values("iata_code"))


def differ_by_case(rows: QuerySet) -> QuerySet:
    """Keep airports whose ident differs from another one only by upper and lower case."""
    idents = rows.model._base_manager.using(rows.db).order_by().values(upper=Upper("ident"))
    twins = idents.annotate(number=Count("pk")).filter(number__gt=1)
    return rows.alias(upper=Upper("ident")).filter(upper__in=twins.values("upper"))


def seem_swapped(rows: QuerySet) -> QuerySet:
    """Keep airports outside of their country that would be inside with latitude and longitude swapped."""
    return off_country(rows, **_POSITION, swapped=True).exclude(AT_ZERO)


def lie_abroad(rows: QuerySet) -> QuerySet:
    """Keep airports outside of their country, also when swapped; the point (0, 0) has a rule of its own."""
    return off_country(rows, **_POSITION, swapped=False).exclude(AT_ZERO)


def without_airports(rows: QuerySet) -> QuerySet:
    """Keep cities that no airport is linked to."""
    return rows.filter(airports__isnull=True)


def in_parts(rows: QuerySet) -> QuerySet:
    """Keep airports whose name or municipality is not composed (NFC), such as an e with its accent as a letter more."""
    text = Concat("name", Value(" "), "municipality")
    # SQLite has no word for it, and ASCII has no such letters.
    others = rows.filter(Regex(text, "[^\x01-\x7f]")).values_list("pk", text)
    return rows.filter(pk__in=[pk for pk, words in others if not is_normalized("NFC", words)])


def _says_nothing(*fields: str) -> Q:
    """Match a word for “no value” in one of the fields."""
    condition = Q()
    for field in fields:
        condition |= Q((f"{field}__in", _WORDS_FOR_NOTHING))
    return condition


def _holds(sign: str, pattern: str) -> Q:
    """Match a pattern in name or municipality; SQLite is slow at that, so only in texts that contain the sign."""
    name = Q(name__contains=sign) & Q(name__regex=pattern)
    return name | Q(municipality__contains=sign) & Q(municipality__regex=pattern)


register_rules(
    # -- required fields -------------------------------------------------------------------------------------------
    Rule(
        "name_missing", AIRPORT, ERROR, REQUIRED, "Airports without a name",
        why="People look for airports by name.", mend="Give each its name on its page.",
        broken=Q(name=""), fields=("airport_type", "municipality"),
    ),
    Rule(
        "type_unknown", AIRPORT, ERROR, REQUIRED, "Airports of an unknown type",
        why="Filters and maps know only the types of OurAirports.", mend="Choose a type on the airport's page.",
        broken=~Q(airport_type__in=AirportType.values), fields=("airport_type",),
    ),
    Rule(
        "country_code_missing", AIRPORT, ERROR, REQUIRED, "Airports without a country code",
        why="Without it they are linked to no country and no city.", mend="Give each its code, then relink it.",
        broken=Q(iso_country=""), fields=("municipality", "iso_region"),
    ),
    Rule(
        "position_missing", AIRPORT, ERROR, REQUIRED, "Airports without coordinates",
        why="They are on no map, and have no distance to others.", mend="Give each its latitude and longitude.",
        broken=Q(latitude_deg=None) | Q(longitude_deg=None), fields=("municipality", "iso_country"),
    ),
    Rule(
        "municipality_missing", AIRPORT, INFO, REQUIRED, "Airports without a municipality",
        why="They cannot be linked to a city.", mend="Give the municipality where there is one, then relink.",
        broken=Q(municipality=""), fields=("iso_region", "iso_country"),
    ),
    # -- coordinates -----------------------------------------------------------------------------------------------
    Rule(
        "position_range", AIRPORT, ERROR, COORDINATES, "Airports off the globe",
        why="Latitude goes from -90 to 90, longitude from -180 to 180.", mend="Correct the coordinates.",
        broken=Q(latitude_deg__lt=-90) | Q(latitude_deg__gt=90) | Q(longitude_deg__lt=-180) | Q(longitude_deg__gt=180),
        fields=("latitude_deg", "longitude_deg"),
    ),
    Rule(
        "city_range", "base.city", ERROR, COORDINATES, "Cities off the globe",
        why="Latitude goes from -90 to 90, longitude from -180 to 180.", mend="Correct the coordinates.",
        broken=Q(latitude__lt=-90) | Q(latitude__gt=90) | Q(longitude__lt=-180) | Q(longitude__gt=180),
        fields=("latitude", "longitude", "country"),
    ),
    Rule(
        "position_zero", AIRPORT, ERROR, COORDINATES, "Airports at (0, 0)",
        why="That point is in the ocean: the position is not known, or the row is a test or an advertisement.",
        mend="Give the correct position, or delete what is not an airport.", action="delete_selected",
        broken=AT_ZERO,
        fields=("latitude_deg", "longitude_deg", "iso_country"),
    ),
    Rule(
        "position_swapped", AIRPORT, ERROR, COORDINATES, "Airports whose latitude and longitude are probably swapped",
        why="The point is outside their country; with latitude and longitude swapped it would be inside.",
        mend="Swap latitude and longitude.", broken=seem_swapped,
        fields=("latitude_deg", "longitude_deg", "iso_country"),
    ),
    Rule(
        "position_country", AIRPORT, WARNING, COORDINATES, "Airports outside of their country",
        why="The point is in none of the boxes around the country's parts: a sign or the country code is wrong.",
        mend="Correct the coordinates or the country code.", broken=lie_abroad,
        fields=("latitude_deg", "longitude_deg", "iso_country"),
    ),
    Rule(
        "elevation_unlikely", AIRPORT, WARNING, COORDINATES,
        f"Airports above {HIGHEST_FT:,} ft or below {LOWEST_FT:,} ft",
        why="Hardly any airport is so high, and none so low; often it is in metres, or has a digit too many.",
        mend="Correct the elevation, or accept the finding.",
        broken=Q(elevation_ft__gt=HIGHEST_FT) | Q(elevation_ft__lt=LOWEST_FT), fields=("elevation_ft", "iso_country"),
    ),
    # -- codes -----------------------------------------------------------------------------------------------------
    Rule(
        "iata_zero", AIRPORT, ERROR, CODES, "Airports with the IATA code 0",
        why="It stands for “no code”, and looks like one that many airports share.",
        mend="Clear the code.", action="clear_iata", broken=Q(iata_code="0"), fields=("iata_code", "municipality"),
    ),
    Rule(
        "iata_format", AIRPORT, ERROR, CODES, "Airports whose IATA code is not three capital letters or digits",
        why="No timetable or ticket uses such a code.", mend="Correct the code, or clear it.",
        action="clear_iata", broken=Q(iata_code__isnull=False) & ~Q(iata_code__regex="^([A-Z0-9]{3}|0)$"),
        fields=("iata_code", "municipality"),
    ),
    Rule(
        "null_word", AIRPORT, ERROR, CODES, "Airports with a word for “no value”, such as null, as a value",
        why="It is shown and searched as if it were a code or a name.", mend="Clear the field.",
        broken=_says_nothing("name", "municipality", "iso_region", "gps_code", "icao_code", "local_code", "keywords"),
        fields=("municipality", "iso_region", "gps_code", "icao_code", "local_code"),
    ),
    Rule(
        "iata_shared", AIRPORT, ERROR, CODES, "Airports that share their IATA code with another one",
        why="A code names one airport; a search by a shared code may find the wrong one.",
        mend="Resolve duplicates: one keeps the code.", action="resolve_duplicates", broken=share_code,
        fields=("iata_code", "airport_type", "municipality"), order=("iata_code",),
    ),
    Rule(
        "ident_damaged", AIRPORT, ERROR, CODES, "Airports whose ident a spreadsheet turned into a number",
        why="1E7 became 1.00E+07: no other system knows the airport by that.",
        mend="Import the file of upstream as it was downloaded; the airport is matched by its OurAirports id.",
        broken=Q(ident__contains=".") | Q(ident__contains="+"), fields=("municipality", "iso_country"),
    ),
    Rule(
        "ident_characters", AIRPORT, ERROR, CODES, "Airports with odd characters in their ident",
        why="Characters other than A to Z, digits, - and _ may look like others, run as HTML, or be invisible.",
        mend="Delete the one that upstream does not know.", action="delete_selected",
        broken=~Q(ident__regex="^[A-Za-z0-9_.+-]+$"), fields=("municipality", "iso_country"),
    ),
    Rule(
        "ident_case", AIRPORT, ERROR, CODES, "Airports whose idents differ only by upper and lower case",
        why="They are probably one airport, and people cannot tell them apart.",
        mend="Delete the one that upstream does not know.", action="delete_selected", broken=differ_by_case,
        fields=("municipality", "iso_country"),
    ),
    Rule(
        "ident_lower", AIRPORT, WARNING, CODES, "Airports with lower-case letters in their ident",
        why="Idents are in capital letters; systems that read them so do not find the airport.",
        mend="Upstream corrects most of them: import a newer snapshot, or tell OurAirports.",
        broken=~Q(ident=Upper("ident")), fields=("municipality", "iso_country"),
    ),
    Rule(
        "near_duplicate", AIRPORT, WARNING, DUPLICATES, "Airports of the same name within 5 km of each other",
        why="They are probably one airport that was entered twice.",
        mend="Delete one of them, or accept that there are two.", action="delete_selected",
        broken=near_namesakes, fields=("airport_type", "municipality", "latitude_deg", "longitude_deg"),
        order=("search_name", "iso_country", "iso_region", "municipality"),
    ),
    Rule(
        "position_shared", AIRPORT, WARNING, DUPLICATES, "Airports at exactly the same point as one of another name",
        why="It is one airport under two names, or the position of one of them was copied.",
        mend="Delete one of them, or correct its position.", action="delete_selected",
        broken=at_one_point, fields=("airport_type", "municipality", "latitude_deg", "longitude_deg"),
        order=("latitude_deg", "longitude_deg"),
    ),
    # -- links -----------------------------------------------------------------------------------------------------
    Rule(
        "country_unlinked", AIRPORT, ERROR, COUNTRIES, "Airports without a link to their country",
        why="Lists by country leave them out.", mend="Relink them.", action="relink",
        broken=Q(country=None) & ~Q(iso_country=""), fields=("iso_country",),
    ),
    Rule(
        "country_mismatch", AIRPORT, ERROR, COUNTRIES, "Airports linked to another country than their code says",
        why="The link and the code contradict each other.", mend="Relink them.", action="relink",
        broken=Q(country__isnull=False) & ~Q(country__iso_code=F("iso_country")), fields=("iso_country", "country"),
    ),
    Rule(
        "region_country", AIRPORT, WARNING, COUNTRIES, "Airports whose region belongs to another country",
        why="A region code begins with the code of its country.", mend="Correct the region or the country code.",
        broken=~Q(iso_region="") & ~Q(Exact(Substr("iso_region", 1, 3), Concat(F("iso_country"), Value("-")))),
        fields=("iso_region", "iso_country"),
    ),
    Rule(
        "region_name", AIRPORT, WARNING, COUNTRIES, "Airports whose region is a name and no code",
        why="Filters and other systems know regions by codes such as CH-ZH.", mend="Write the code of the region.",
        broken=Q(iso_region__contains=" ") | ~Q(iso_region=Upper("iso_region")), fields=("iso_region", "iso_country"),
    ),
    Rule(
        "city_unlinked", AIRPORT, WARNING, CITIES, "Airports with a municipality and no link to a city",
        why="Lists by city leave them out.", mend="Relink them; an import adds missing cities.",
        action="relink", broken=Q(city=None) & ~Q(municipality=""), fields=("municipality", "iso_country"),
    ),
    Rule(
        "city_country", AIRPORT, ERROR, CITIES, "Airports linked to a city of another country",
        why="The city and the country of the airport contradict each other.", mend="Relink them.", action="relink",
        broken=Q(city__isnull=False, country__isnull=False) & ~Q(city__country=F("country")),
        fields=("municipality", "city", "country"),
    ),
    Rule(
        "city_unused", "base.city", INFO, CITIES, "Cities without airports",
        why="They were added for an airport that is deleted or has another municipality now.",
        mend="Merge each into its new name, or delete it.", action="delete_selected", broken=without_airports,
        fields=("country",),
    ),
    # -- state and names -------------------------------------------------------------------------------------------
    Rule(
        "closed_active", AIRPORT, WARNING, STATE, "Closed airports that are active",
        why="A closed airport is offered to those who look for an open one.", mend="Set them inactive.",
        action="set_inactive", broken=Q(airport_type=AirportType.CLOSED, active=True), fields=("airport_type",),
    ),
    Rule(
        "name_spaces", AIRPORT, INFO, NAMES, "Airports with double spaces in name or municipality",
        why="It looks careless, and exact matches of other systems miss them.", mend="Correct the text.",
        broken=Q(name__contains="  ") | Q(municipality__contains="  "), fields=("municipality",),
    ),
    Rule(
        "name_control", AIRPORT, ERROR, NAMES, "Airports with invisible or lost characters in name or municipality",
        why="They break files, searches and displays.", mend="Type the text again.",
        broken=Q(Regex(Concat("name", Value(" "), "municipality"), CONTROL)), fields=("municipality",),
    ),
    Rule(
        "name_parts", AIRPORT, WARNING, NAMES, "Airports with letters in two parts in name or municipality",
        why="They look like others and are not equal to them: files of others do not match them.",
        mend="Type the text again: it is stored in the usual form.", broken=in_parts, fields=("municipality",),
    ),
    Rule(
        "name_html", AIRPORT, ERROR, NAMES, "Airports with HTML in name or municipality",
        why="Where such text is shown unescaped it runs, and elsewhere it is read as it is.",
        mend="Write the text without it.",
        broken=_holds("<", HTML) | _holds("&", HTML), fields=("municipality",),
    ),
)  # fmt: skip
