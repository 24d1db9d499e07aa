"""Numbers as addresses and forms give them, which somebody may have made up; and numbers of things in words."""

from typing import Any

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
