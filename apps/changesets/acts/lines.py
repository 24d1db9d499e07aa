"""A line of a plan or of a result."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.changesets.hooks import Hook
from apps.changesets.models import Changeset


@dataclass(frozen=True)
class Line:
    """A number of objects and what happens to them in words; `sign` is one of the kinds of change.

    `number` is None where nothing is counted; `url` is where the words lead, and `part` tells that the line is a part
    of the one above it.
    """

    sign: str
    number: int | None
    words: str
    url: str = ""
    part: bool = False


# What an act of another app left alone, and why, for the page of its changeset.
LEFT: Hook[Callable[[Changeset], Iterable[Line]]] = Hook()
