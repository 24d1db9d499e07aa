"""Parsers of one column of a chunk: text in, typed values and refused cells out.

They work on a column at a time, with a fast path for columns in which nothing is wrong, since a file has millions of
cells and a call for each would cost more than the database does.
"""

import re
import uuid
from collections.abc import Callable, Collection
from datetime import date
from typing import Any, NamedTuple

from django.db import models

from apps.imports.plain import is_plain, name_of, plain


class BadCell(NamedTuple):
    """A cell that a parser refuses: the row in its chunk, the name of the rule, and a hint."""

    row: int
    rule: str
    hint: str


Parser = Callable[[list[str]], tuple[list[Any], list[BadCell]]]

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_NO_KEY = re.compile("[^A-Za-z0-9_-]")
_INTEGER = re.compile(r"[+-]?[0-9]+(\.0*)?")
# 5.000 is five in one country and five thousand in the next.
_AMBIGUOUS = re.compile(r"[+-]?[0-9]{1,3}([.,][0-9]{3})+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def text(*, max_length: int, required: bool = False, null: bool = False, exact: bool = False) -> Parser:
    """Make a parser of plain text, stripped at its ends; `null` makes a blank cell None.

    What is not plain is made so, or refused where the text must be `exact`, since it names an object.
    """

    def check(value: str) -> tuple[str, str] | None:
        if required and not value:
            return "required", "this column must not be blank"
        if len(value) > max_length:
            return "too_long", f"{len(value)} characters, at most {max_length} fit"
        if _CONTROL.search(value):
            return "control_character", "it contains a control character"
        if not is_plain(value):
            return "not_plain", "it contains an invisible character, or a letter in two parts: write it again"
        return None

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values: list[Any] = list(map(str.strip, cells))
        joined = " ".join(values)
        stays = is_plain(joined)
        if not stays and not exact:
            values = [plain(value).strip() for value in values]
            joined, stays = " ".join(values), True
        bad: list[BadCell] = []
        if not stays or max(map(len, values)) > max_length or (required and not all(values)) or _CONTROL.search(joined):
            bad = _check_each(values, check)
        return ([value or None for value in values] if null else values), bad

    return parse


def key(*, max_length: int, damaged: str, why: str) -> Parser:
    """Make a parser of required keys of ASCII letters, digits, `-` and `_`; `why` is said of `damaged` characters."""

    def check(value: str) -> tuple[str, str] | None:
        if not value:
            return "required", "this column must not be blank"
        if len(value) > max_length:
            return "too_long", f"{len(value)} characters, at most {max_length} fit"
        if any(character in value for character in damaged):
            return "damaged", why
        if unfit := _NO_KEY.search(value):
            place = unfit.start() + 1
            return "character", f"character {place} is {name_of(unfit[0])}: only letters A to Z, digits, - and _ may be"
        return None

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values: list[Any] = list(map(str.strip, cells))
        good = all(values) and max(map(len, values)) <= max_length and not _NO_KEY.search("".join(values))
        return values, [] if good else _check_each(values, check)

    return parse


def integer(*, minimum: int, maximum: int, required: bool = False) -> Parser:
    """Make a parser of whole numbers; `11.0`, as spreadsheets write it, is 11."""

    def check(value: str) -> tuple[str, str] | None:
        if not value:
            return ("required", "this column must not be blank") if required else None
        # 40 digits are more than any bound; int() of a giant would raise.
        if _AMBIGUOUS.fullmatch(value):
            return "ambiguous_number", "three digits after a point or comma are ambiguous: write the digits alone"
        if not _INTEGER.fullmatch(value) or len(value) > 40:
            return "not_integer", "it is not a whole number"
        if not minimum <= int(value.partition(".")[0]) <= maximum:
            return "out_of_range", f"it is not between {minimum} and {maximum}"
        return None

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values = list(map(str.strip, cells))
        joined = "".join(values)
        if joined.isascii() and "_" not in joined and not (required and not all(values)):
            try:
                numbers = [int(value) if value else None for value in values]
            except ValueError:
                pass
            else:
                if all(number is None or minimum <= number <= maximum for number in numbers):
                    return numbers, []
        bad = _check_each(values, check)
        refused = {cell.row for cell in bad}
        return [
            int(value.partition(".")[0]) if value and index not in refused else None
            for index, value in enumerate(values)
        ], bad

    return parse


def decimal(*, minimum: float, maximum: float, required: bool = False) -> Parser:
    """Make a parser of numbers within bounds; what is no finite ASCII number with a point is refused."""

    def check(value: str) -> tuple[str, str] | None:
        if not value:
            return ("required", "this column must not be blank") if required else None
        if _DECIMAL_COMMA.fullmatch(value):
            return "decimal_comma", f"write {value.replace(',', '.')} with a point"
        if not _DECIMAL.fullmatch(value):
            return "not_number", "it is not a number"
        if not minimum <= float(value) <= maximum:
            return "out_of_range", f"it is not between {minimum:g} and {maximum:g}"
        return None

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        joined = "".join(cells)
        if joined.isascii() and "_" not in joined:
            try:
                # Adding nothing turns -0.0 into 0.0, which SQLite could not keep apart.
                numbers = [float(cell) + 0.0 for cell in cells]
            except ValueError:
                pass
            else:
                if all(minimum <= number <= maximum for number in numbers):
                    return numbers, []
        values = list(map(str.strip, cells))
        bad = _check_each(values, check)
        refused = {cell.row for cell in bad}
        return [
            float(value) + 0.0 if value and index not in refused else None for index, value in enumerate(values)
        ], bad

    return parse


def choice(*, allowed: Collection[str], noun: str) -> Parser:
    """Make a parser of required words out of a short list."""
    return known(is_known=allowed.__contains__, hint=f"unknown {noun}, use one of: {', '.join(sorted(allowed))}")


def boolean(*, required: bool = True) -> Parser:
    """Make a parser of yes and no, as people and spreadsheets write them: true, yes, 1; false, no, 0."""

    def check(value: str) -> tuple[str, str] | None:
        if not value:
            return ("required", "this column must not be blank") if required else None
        return None if value.casefold() in _TRUTH else ("not_boolean", "write true or false")

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        if _TRUTH.keys() >= set(cells):
            return list(map(_TRUTH.__getitem__, cells)), []
        values = list(map(str.strip, cells))
        return [_TRUTH.get(value.casefold()) for value in values], _check_each(values, check)

    return parse


def known(*, is_known: Callable[[str], bool], hint: str, required: bool = True) -> Parser:
    """Make a parser of words that `is_known` accepts; each distinct word of a chunk is asked for once."""

    def check(value: str) -> tuple[str, str] | None:
        if not value:
            return ("required", "this column must not be blank") if required else None
        if is_known(value):
            return None
        return "unknown", f"{hint}; did you mean {value.upper()}?" if is_known(value.upper()) else hint

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values = list(map(str.strip, cells))
        refused = {value: verdict for value in set(values) if (verdict := check(value))}
        if not refused:
            return values, []
        return values, [BadCell(index, *refused[value]) for index, value in enumerate(values) if value in refused]

    return parse


def pattern(*, shape: str, hint: str, null: bool = False) -> Parser:
    """Make a parser of codes that have this shape, a regular expression; `null` makes a blank cell None."""
    words = known(is_known=lambda code: bool(re.fullmatch(shape, code)), hint=hint, required=False)
    return _blank_is_none(words) if null else words


def day(*, required: bool = False) -> Parser:
    """Make a parser of dates as 2026-03-31, which stay text: databases and JSON write them so."""
    hint = "write the date as 2026-03-31"
    return _blank_is_none(known(is_known=_is_day, hint=hint, required=required))


def unique_id(*, required: bool = False) -> Parser:
    """Make a parser of UUIDs, which become the 32 digits that both databases take for one."""

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values, bad = words(cells)
        refused = {cell.row for cell in bad}
        return [
            uuid.UUID(value).hex if value and index not in refused else None for index, value in enumerate(values)
        ], bad

    words = known(is_known=_is_unique_id, hint="it is not a UUID", required=required)
    return parse


def as_field(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
    """Mark a column that is parsed as its field takes it; never called."""
    raise NotImplementedError


def parser_of(field: models.Field, *, required: bool) -> Parser:
    """Return the parser of what a field of a model takes; raises TypeError for a kind of field that needs its own."""
    if field.choices:
        return known(
            is_known=set(map(str, dict(field.flatchoices))).__contains__,
            hint=f"use one of: {', '.join(map(str, dict(field.flatchoices)))}",
            required=required,
        )
    if isinstance(field, models.CharField):
        return text(max_length=field.max_length or 0, required=required, null=field.null, exact=field.unique)
    if isinstance(field, models.BooleanField):
        return boolean(required=required or not field.null)
    if isinstance(field, models.IntegerField):
        low, high = _INTEGERS.get(field.get_internal_type(), (-(2**63), 2**63 - 1))
        return integer(minimum=low, maximum=high, required=required)
    if isinstance(field, models.FloatField):
        return decimal(minimum=-_LARGEST_FLOAT, maximum=_LARGEST_FLOAT, required=required)
    if isinstance(field, models.UUIDField):
        return unique_id(required=required)
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return day(required=required)
    raise TypeError(f"No parser fits {field}: give its column one by `parse`.")


_LARGEST_FLOAT = float(2**1023)
_INTEGERS = {
    "SmallIntegerField": (-(2**15), 2**15 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
    "PositiveSmallIntegerField": (0, 2**15 - 1),
    "PositiveIntegerField": (0, 2**31 - 1),
    "PositiveBigIntegerField": (0, 2**63 - 1),
}


def _blank_is_none(parser: Parser) -> Parser:
    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values, bad = parser(cells)
        return [value or None for value in values], bad

    return parse


def _is_day(value: str) -> bool:
    try:
        return value.isascii() and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_unique_id(value: str) -> bool:
    try:
        return value.isascii() and bool(uuid.UUID(value))
    except ValueError:
        return False


def _check_each(values: list[str], check: Callable[[str], tuple[str, str] | None]) -> list[BadCell]:
    return [BadCell(index, *verdict) for index, value in enumerate(values) if (verdict := check(value))]
