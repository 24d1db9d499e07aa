"""How text is stored and how it is made comparable."""

import unicodedata

from django.utils.text import slugify

_LONGEST_STEM = 240


def search_form(text: str) -> str:
    """Return `text` as searches and matches compare it: NFKC, casefolded, single-spaced."""
    if not text.isascii():
        # Casefolding can undo normal form, hence once more after it.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    else:
        text = text.lower()
    return " ".join(text.split())


def ascii_form(text: str) -> str:
    """Return `text` without diacritics and without what has no ASCII letter."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").strip()


def slug_stem(text: str) -> str:
    """Return the slug of `text` before a number is added to make it unique; never empty, and with room for that."""
    return slugify(text)[:_LONGEST_STEM].rstrip("-_") or "x"
