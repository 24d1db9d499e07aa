"""What the rules of a form say of many objects at once: forms declare them, bulk actions ask them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Beside:
    """A rule of two fields: `why` says in a sentence why a value of `field` does not fit to that of `other`, or "".

    Links are given as objects; where one of the two is empty, nothing is asked.
    """

    field: str
    other: str
    why: Callable[[Any, Any], str]


@dataclass(frozen=True)
class Following:
    """A field made of another one, and made again with it; unless `always`, only while it is what was made of that."""

    field: str
    lead: str
    make: Callable[[list[Any]], list[Any]]
    always: bool = False


class Rules(Protocol):
    """The rules of the form of a model; names are those of fields."""

    # The sentence about another object that has the same values of these fields; `{name}` is the value of a field.
    taken: Mapping[tuple[str, ...], str]

    def clean_values(self, name: str, values: Sequence[Any]) -> list[tuple[Any, str]]:
        """Return each value as the form takes it for a field, with the sentence that refuses it, or ""."""

    def besides(self, name: str) -> Iterable[Beside]:
        """Return the rules of two fields that a field has a part in."""

    def followings(self, name: str) -> Iterable[Following]:
        """Return the fields that follow a field, and the one that it follows itself."""

    def shows(self, name: str) -> bool:
        """Whether the person may see the values of a field."""

    def count_pinned(self, name: str, keys: str) -> int:
        """Return how many of the objects with these keys (a query) have the field pinned against imports."""
