"""Small pieces of text: numbers and searches that people give, numbers of things in words, cells of spreadsheets."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from math import isfinite
from typing import Any

# A formula begins with one of these, also in full width, and after blanks; and where another separator than ours was
# assumed, in the middle of our cell.
_SIGN = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
_BLANK = "[ \x00-\x08\x0b\x0c\x0e-\x1f\x85\xa0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]"
_FIRST, _BEGINNING = "^{}(?='*[\t\r\n])", f"(?:^|(?<=[;\t\r\n])){{}}(?='*{_BLANK}*{_SIGN})"
_RUN, _GUARDED = (re.compile("|".join([_FIRST, _BEGINNING]).format(mark, mark)) for mark in ("", "'"))
_MAY_RUN = re.compile(f"{_SIGN}|[\t\r\n]")
# What XML cannot have.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# No key and no place in a list has more.
MOST_DIGITS = 18
# Each word of a search takes a reading of the whole table.
MOST_WORDS, LONGEST_SEARCH = 12, 200
# So many lines of a file are sent at once.
_PART = 200


def whole_number(text: str, *, digits: int = MOST_DIGITS) -> int | None:
    """Return the number that a text gives in digits; None for anything else, and for one longer than any can be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None


def searched(text: str) -> str:
    """Return what is searched for where somebody typed the text: its first words, each once."""
    words = {word.casefold(): word for word in text.split()}
    return " ".join(list(words.values())[:MOST_WORDS])[:LONGEST_SEARCH]


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
    """Return the text with an apostrophe before what a spreadsheet could run, or what looks like guarded text."""
    # Most text has none of the signs, which is quicker to see.
    return _RUN.sub("'", text) if _MAY_RUN.search(text) else text


def unguard(text: str) -> str:
    """Return the text that `guard` was given; what it would not have returned stays as it is."""
    return _GUARDED.sub("", text) if "'" in text else text


def harmless(value: Any) -> str | int | float | bool | None:
    """Return a value as a file may have it: numbers and truth values as they are, everything else as harmless text."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    return guard(str(value))


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_parts(rows: Iterable[Iterable[Any]], *, ending: str = "\n") -> Iterator[str]:
    """Yield a table as CSV, many lines at a time; text that a spreadsheet would run is quoted with '."""
    writer = csv.writer(_Echo(), lineterminator=ending)
    lines = (writer.writerow(map(harmless, row)) for row in rows)
    while part := "".join(islice(lines, _PART)):
        yield part
