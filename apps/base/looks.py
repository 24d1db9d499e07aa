"""How values of places look in files of others: codes and names of countries, time zones, coordinates."""

import re
import zoneinfo
from collections.abc import Callable, Sequence
from functools import cache

from apps.base.countries import code_of, codes_of, is_iso_code
from apps.imports.looks import LooksLike, Test, half, looks, mostly, shaped
from apps.imports.mapping.changes import ChangeKind, ValueChange, parts_of, register_change

TO_CODE = ValueChange("country_code")
# Codes of continents, some of which are those of countries.
_CONTINENTS = {"AF", "AN", "AS", "EU", "NA", "OC", "SA"}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_FRACTION = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]+")
# As many decimals as hardly anything but a position has.
_PRECISE = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{3,}")

register_change(
    "country_code",
    ChangeKind(
        "country name to code",
        lambda cells, _argument: codes_of(cells),
        misses="no country is known by this name: write its code in two letters",
    ),
)


@cache
def _zones() -> set[str]:
    return zoneinfo.available_timezones()


def is_time_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database, such as Europe/Zurich."""
    return name in _zones()


def is_iso3(code: str) -> bool:
    """Whether `code` is the code of a country in three letters."""
    return len(code) == 3 and code.isupper() and code_of(code) is not None


def _are_codes(cells: Sequence[str]) -> bool:
    return mostly(is_iso_code)(cells) and not _CONTINENTS.issuperset(cells)


def _within(limit: int, pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda cell: pattern.fullmatch(cell) is not None and abs(float(cell)) <= limit


def _are_precise(limit: int) -> Test:
    fractions, precise = mostly(_within(limit, _FRACTION)), mostly(_within(limit, _PRECISE), share=0.5)
    return lambda cells: fractions(cells) and precise(cells)


def _pairs(cells: Sequence[str]) -> list[tuple[float, float]]:
    parts = (parts_of(cell) for cell in cells)
    return [(float(two[0]), float(two[1])) for two in parts if len(two) == 2 and all(map(_NUMBER.fullmatch, two))]


def _pair(fits: Callable[[list[tuple[float, float]]], bool]) -> Test:
    def test(cells: Sequence[str]) -> bool:
        pairs = _pairs(cells)
        return len(pairs) >= 0.9 * len(cells) and fits(pairs)

    return test


def _longitude_first(pairs: list[tuple[float, float]]) -> bool:
    return any(abs(first) > 90 for first, _second in pairs) and all(abs(second) <= 90 for _first, second in pairs)


def _in_range(pairs: list[tuple[float, float]]) -> bool:
    return all(abs(first) <= 90 and abs(second) <= 180 for first, second in pairs)


def _coordinate(words: str, limit: int, *, first: bool) -> tuple[LooksLike, ...]:
    here, there = ("1", "2") if first else ("2", "1")
    return (
        LooksLike(f"{words}, most with three or more decimals", _are_precise(limit)),
        LooksLike(words, half(_within(limit, _NUMBER)), alone=False),
        LooksLike(
            "two numbers, the longitude first, since it goes past 90",
            _pair(_longitude_first),
            ValueChange("part", there),
        ),
        LooksLike(
            "two numbers, probably the latitude first, as most files have it",
            _pair(_in_range),
            ValueChange("part", here),
        ),
    )


LATITUDES = _coordinate("latitudes", 90, first=True)
LONGITUDES = _coordinate("longitudes", 180, first=False)
COUNTRY_CODES = (
    LooksLike("country codes", _are_codes),
    LooksLike("country codes", half(is_iso_code), alone=False),
    *looks("country names", lambda cell: len(cell) > 3 and code_of(cell) is not None, TO_CODE),
    *looks("country codes of three letters", is_iso3, TO_CODE),
    LooksLike("country codes in small letters", half(lambda cell: is_iso_code(cell.upper())), TO_CODE, alone=False),
)
COUNTRY_CODES_3 = looks("country codes of three letters", is_iso3)
TIME_ZONES = looks("time zones", is_time_zone)
WHOLE_NUMBERS = (LooksLike("whole numbers", half(shaped(r"[+-]?[0-9]+(\.0*)?")), alone=False),)
