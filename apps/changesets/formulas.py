"""Text that a spreadsheet would run as a formula: made harmless on the way out, and given back on the way in."""

import re
from math import isfinite
from typing import Any

_RUN = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


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
