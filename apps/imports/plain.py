"""Plain text: composed (NFC), and without characters that nobody sees or that turn the direction of others.

The separate marks that join letters (U+200C, U+200D) stay: Persian and Indic names are written with them.
"""

import re
import unicodedata

INVISIBLE = "".join(
    map(chr, (0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)),
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def is_plain(text: str) -> bool:
    """Whether `text` is as `plain` would return it."""
    # A search for each character is quicker than one regular expression over a whole chunk.
    return text.isascii() or (
        unicodedata.is_normalized("NFC", text) and not any(character in text for character in INVISIBLE)
    )


def plain(text: str) -> str:
    """Return `text` as it is stored and compared."""
    return text if text.isascii() else unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def name_of(character: str) -> str:
    """Return what a person calls a character that may not be seen, such as CYRILLIC SMALL LETTER ES (U+0441)."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    return f"{name} ({code})" if name else code
