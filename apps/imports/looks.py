"""How the values of a column look, as far as that tells which column it is; each app declares its own in its specs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.imports.mapping.changes import ValueChange

Test = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class LooksLike:
    """How values look: `test` judges the filled cells of a sample (one at least), `words` say what they look like.

    `change` makes them what the field takes. Those that are not enough `alone` make no column a guess under any title,
    but values that look like none of a column's are a reason against a title that others give it. Those of an
    `untitled` column are a guess only in a file without titles, where there is nothing better.
    """

    words: str
    test: Test
    change: ValueChange | None = None
    alone: bool = True
    untitled: bool = False


def mostly(is_one: Callable[[str], bool], *, share: float = 0.9) -> Test:
    """Make a test that so many of the cells pass; files have a few odd ones."""
    return lambda cells: sum(map(is_one, cells)) >= share * len(cells)


def half(is_one: Callable[[str], bool]) -> Test:
    """Make a test that half of the cells pass, which is enough beside a title."""
    return mostly(is_one, share=0.5)


def looks(words: str, is_one: Callable[[str], bool], change: ValueChange | None = None) -> tuple[LooksLike, ...]:
    """Return how cells look that are such: nearly all of them, or beside a title that others give it half of them."""
    return LooksLike(words, mostly(is_one), change), LooksLike(words, half(is_one), change, alone=False)


def shaped(shape: str) -> Callable[[str], bool]:
    """Return whether a cell has this shape, a regular expression."""
    pattern = re.compile(shape)
    return lambda cell: pattern.fullmatch(cell) is not None


def varied(cells: Sequence[str]) -> bool:
    """Whether hardly a value comes twice, as with keys."""
    return len(set(cells)) >= 0.9 * len(cells)


def _is_name(cell: str) -> bool:
    return len(cell) > 2 and cell[0].isalpha() and not cell.isupper()


_WORDS = LooksLike("words", half(lambda cell: any(map(str.isalpha, cell))), alone=False)
NAMES = (
    _WORDS,
    LooksLike("names, hardly one twice", lambda cells: mostly(_is_name)(cells) and varied(cells), untitled=True),
)
PLACES = (_WORDS, LooksLike("names", mostly(_is_name), untitled=True))
