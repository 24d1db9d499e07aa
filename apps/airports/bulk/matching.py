"""Finding the city that a municipality means: by its comparable name, then by what else it may be called."""

import re
from collections.abc import Iterable, Iterator

from apps.base.text import ascii_form, search_form

_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*")
_SEPARATORS = re.compile(r"\s*/\s*|\s+-\s+|\s*;\s*")

# The rank of names without diacritics: the last that is tried.
PLAIN = 3


def names_of(municipality: str) -> Iterator[tuple[int, str]]:
    """Yield the comparable names to look for, each with its rank: a lower rank is tried first.

    As it is; without what stands in brackets; each part of "City / Other"; all of these without diacritics.
    """
    seen: set[str] = set()
    bare = _BRACKETS.sub(" ", municipality)
    ranks: tuple[Iterable[str], ...] = (
        [municipality],
        [bare],
        _SEPARATORS.split(bare) if _SEPARATORS.search(bare) else (),
    )
    plain = [plain_form(name) for name in (municipality, bare, *_SEPARATORS.split(bare))]
    for rank, names in enumerate(ranks):
        for name in map(search_form, names):
            if name and name not in seen:
                seen.add(name)
                yield rank, name
    # These are compared with the names of cities without diacritics, so they may be among the others.
    yield from ((PLAIN, name) for name in dict.fromkeys(plain) if name)


def plain_form(text: str) -> str:
    """Return text comparable without diacritics."""
    return search_form(ascii_form(text))
