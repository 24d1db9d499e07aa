"""Small pieces of text: numbers that addresses and forms give, numbers of things in words, cells of spreadsheets."""

import re
from math import isfinite
from typing import Any

_RUN = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
# No key and no place in a list has more.
MOST_DIGITS = 18


def whole_number(text: str, *, digits: int = MOST_DIGITS) -> int | None:
    """Return the number that a text gives in digits; None for anything else, and for one longer than any can be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None


def plural(number: int, singular: Any, many: str = "") -> str:
    """Return the word that fits a number: `row` for 1, else `many` or `rows`; a model has words of its own."""
    if not isinstance(singular, str):
        meta = getattr(singular, "_meta", singular)
        singular, many = meta.verbose_name, str(meta.verbose_name_plural)
    return str(singular) if number == 1 else many or f"{singular}s"


def counted(number: int, singular: Any, many: str = "") -> str:
    """Return a number of things in words: `1 row`, `1,204 airports`."""
    return f"{number:,} {plural(number, singular, many)}"


def guard(text: str) -> str:
    """Return the text with an apostrophe in front if a spreadsheet could run it, or if it looks like guarded text."""
    return f"'{text}" if _RUN.match(text) else text


def unguard(text: str) -> str:
    """Return the text that `guard` was given; what it would not have returned stays as it is."""
    return text[1:] if _GUARDED.match(text) else text


def harmless(value: Any) -> str | int | float | bool | None:
    """Return a value as a file may have it: numbers and truth values as they are, everything else as harmless text."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    return guard(str(value))
