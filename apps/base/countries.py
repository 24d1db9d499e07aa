"""Which country codes exist, and what the countries are called."""

import gettext
import unicodedata
from collections.abc import Iterable
from functools import cache

from apps.base.models import Country
from apps.base.text import search_form

# What OurAirports uses beside ISO 3166-1, named as its countries.csv (public domain) names them.
BESIDE_ISO = {
    "XK": ("Kosovo", "XKX"),
    "XP": ("Paracel Islands (disputed)", ""),
    "ZZ": ("Unknown or unassigned country", ""),
}


# What people write, and neither ISO 3166-1 nor its package has.
_ALSO = {
    "AE": ("uae",),
    "AX": ("aland",),
    "BN": ("brunei",),
    "BQ": ("caribbean netherlands", "bonaire saint eustatius and saba"),
    "CC": ("cocos islands",),
    "CG": ("republic of the congo", "congo brazzaville"),
    "CD": ("democratic republic of the congo", "democratic republic of congo", "dr congo", "congo kinshasa"),
    "CI": ("ivory coast",),
    "CV": ("cape verde",),
    "CZ": ("czech republic",),
    "FJ": ("fiji islands",),
    "FK": ("falkland islands",),
    "FM": ("micronesia",),
    "GB": ("uk", "great britain", "england", "scotland", "wales", "northern ireland"),
    "GS": ("south georgia", "south georgia and the islands"),
    "HK": ("hong kong sar", "hong kong s a r"),
    "KP": ("north korea",),
    "KR": ("south korea", "korea"),
    "LA": ("laos",),
    "MF": ("saint martin",),
    "MK": ("macedonia",),
    "MM": ("burma",),
    "MO": ("macau", "macau sar", "macau s a r"),
    "NL": ("holland",),
    "PN": ("pitcairn islands",),
    "PS": ("palestine", "palestinian territory", "west bank"),
    "RU": ("russia",),
    "SH": ("saint helena",),
    "SJ": ("svalbard", "svalbard and jan mayen islands"),
    "SX": ("sint maarten",),
    "SZ": ("swaziland",),
    "SY": ("syria",),
    "TF": ("french southern and antarctic lands",),
    "TL": ("east timor",),
    "TR": ("turkey",),
    "US": ("usa", "united states of america"),
    "VA": ("vatican", "vatican city"),
    "VG": ("british virgin islands",),
    "VI": ("us virgin islands", "united states virgin islands"),
}


# Languages in which people write names of countries, as pycountry has them.
_LANGUAGES = (
    *("de", "fr", "es", "it", "pt", "pt_BR", "nl", "ca", "sv", "da", "nb_NO", "fi", "is", "et", "lv", "lt", "pl", "cs"),
    *("sk", "hu", "ro", "sl", "hr", "sr", "bg", "el", "ru", "uk", "tr", "ar", "he", "fa", "hi", "id", "vi", "th"),
    *("zh_CN", "zh_TW", "ja", "ko"),
)


@cache
def _iso() -> dict[str, tuple[str, str]]:
    # Imported when first needed: reading the package's tables is slow, and most commands need no name.
    import pycountry

    return {country.alpha_2: (country.name, country.alpha_3) for country in pycountry.countries}


@cache
def _codes() -> dict[str, str]:
    """Return the code of each name and of each code in three letters, as they are compared."""
    import pycountry

    named: dict[str, str] = {}
    for country in pycountry.countries:
        names = [getattr(country, field, "") for field in ("name", "common_name", "official_name", "alpha_3")]
        # Such as: Korea, Republic of.
        names += [" ".join(reversed(name.split(", "))) for name in names]
        named |= {_plain(name): country.alpha_2 for name in names if name}
    named |= {_plain(name): code for code, names in BESIDE_ISO.items() for name in names if name}
    return named | {name: code for code, names in _ALSO.items() for name in names}


@cache
def _codes_elsewhere() -> dict[str, str]:
    """Return the code of each name in other languages that means one country only."""
    import pycountry

    codes: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        words = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for country in pycountry.countries:
            for name in {country.name, getattr(country, "common_name", country.name)}:
                codes.setdefault(_plain(words.gettext(name)), set()).add(country.alpha_2)
    return {name: min(known) for name, known in codes.items() if len(known) == 1}


def _plain(name: str) -> str:
    """Return a name without accents, punctuation and `The` at its beginning, which people leave out."""
    words = search_form(name).replace("&", " and ").replace("st.", "saint")
    letters = (letter for letter in unicodedata.normalize("NFKD", words) if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split()).removeprefix("the ")


def is_iso_code(code: str) -> bool:
    """Whether `code` is one of ISO 3166-1, or one that OurAirports uses beside it; no database is asked."""
    return code in BESIDE_ISO or code in _iso()


def code_of(name: str) -> str | None:
    """Return the code in two letters of a country's name or of its code in three; no database is asked."""
    plain = _plain(name)
    # A short word in Latin letters is rather a code.
    elsewhere = len(plain) > 3 or not plain.isascii()
    return _codes().get(plain) or (_codes_elsewhere().get(plain) if elsewhere else None)


def codes_of(cells: list[str]) -> list[str]:
    """Return the codes for names of countries; what is a code stays, and what no country is called, too."""
    codes = {cell: _code(cell.strip()) for cell in set(cells)}
    unknown = {cell: search_form(cell) for cell, code in codes.items() if code is None and cell.strip()}
    if unknown:
        # Names that people here gave to countries.
        countries = Country.objects.filter(search_name__in=unknown.values())
        named = dict(countries.values_list("search_name", "iso_code"))
        codes |= {cell: named.get(name) for cell, name in unknown.items()}
    return [codes[cell] or cell for cell in cells]


def _code(cell: str) -> str | None:
    return cell.upper() if is_iso_code(cell.upper()) else code_of(cell)


def is_known_code(code: str) -> bool:
    """Whether `code` is an ISO 3166-1 code, one that OurAirports uses beside it, or that of a country we have."""
    return is_iso_code(code) or Country.objects.filter(iso_code=code).exists()


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
