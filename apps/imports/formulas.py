"""Text that a spreadsheet would run as a formula: made harmless on the way out, and given back on the way in."""

import re

_RUN = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guard(text: str) -> str:
    """Return the text with an apostrophe in front if a spreadsheet could run it, or if it looks like guarded text."""
    return f"'{text}" if _RUN.match(text) else text


def unguard(text: str) -> str:
    """Return the text that `guard` was given; what it would not have returned stays as it is."""
    return text[1:] if _GUARDED.match(text) else text
