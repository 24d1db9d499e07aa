"""Numbers as addresses and forms give them: text that somebody may have made up."""

# No key and no place in a list has more.
MOST_DIGITS = 18


def whole_number(text: str, *, digits: int = MOST_DIGITS) -> int | None:
    """Return the number that a text gives in digits; None for anything else, and for one longer than any can be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None
