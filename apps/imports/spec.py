"""How an app declares what an import of its files is: columns, keys, derived columns, links."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from django.db import models

# A cell that a parser refuses: its index in the chunk, the rule's name, and a hint.
Bad = tuple[int, str, str]
Parser = Callable[[list[str]], tuple[list[Any], list[Bad]]]


@dataclass(frozen=True)
class Column:
    """One column of the file and the field that it fills; `merged` columns keep corrections."""

    field: str
    header: str
    parse: Parser
    aliases: tuple[str, ...] = ()
    # Titles that other people give such a column: a guess to be confirmed, never taken without asking.
    guesses: tuple[str, ...] = ()
    required: bool = False
    merged: bool = True


@dataclass(frozen=True)
class Derived:
    """A value worked out from another column, and taken only when that one is.

    Without `stored` it is staged for the links only, as text.
    """

    field: str
    follows: str
    derive: Callable[[list[Any]], list[Any]]
    merged: bool = False
    stored: bool = True


@dataclass(frozen=True)
class Link:
    """A foreign key worked out from other columns: made again when one of `follows` changes, empty unless all of
    `needs` are filled. `counted_as` names the count of links made.
    """

    field: str
    follows: tuple[str, ...]
    needs: tuple[str, ...]
    counted_as: str


class Linker(Protocol):
    """Finds, makes and joins what the objects are linked to; all in SQL over the rows to write."""

    links: Sequence[Link]
    models: Sequence[type[models.Model]]
    tables: Sequence[str]

    def plan(self, work: Any) -> dict[str, int]:
        """Find what is to be created, and return its counts; writes temporary tables only."""

    def create(self, work: Any, now: Any) -> None:
        """Create what the plan found missing."""

    def joins(self, work: Any, rows: str) -> str:
        """Return the LEFT JOINs that find each link of the rows under alias `rows`."""

    def target(self, work: Any, link: Link) -> str:
        """Return the SQL for the key of a link under those joins."""


@dataclass(frozen=True)
class ImportSpec:
    """Everything the generic import needs to know about one kind of file.

    `key` is the field that stays when an object is renamed; `natural` is the primary key; `upstream` the JSON field
    that holds the values upstream had when they were last applied; `active` is what `--missing deactivate` clears.
    """

    name: str
    model: type[models.Model]
    key: str
    natural: str
    upstream: str
    active: str
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    # What people call the upstream whose snapshots are imported.
    upstream_title: str = ""
    linker: Linker | None = None

    @cached_property
    def required(self) -> tuple[Column, ...]:
        """The columns that a snapshot of upstream must have."""
        return tuple(column for column in self.columns if column.required)

    def derived_in(self, fields: set[str]) -> Iterator[Derived]:
        """Yield the derived values that can be worked out when the file fills `fields`."""
        return (each for each in self.derived if each.follows in fields)
