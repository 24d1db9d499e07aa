"""How an app declares what an import of its files is: columns, keys, derived columns, links."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from django.db import models

from apps.imports.reading.rows import RawFile, Reading, read
from apps.imports.reading.sources import SourceFile
from apps.imports.results import Refusal

# A cell that a parser refuses: its index in the chunk, the rule's name, and a hint.
Bad = tuple[int, str, str]
Parser = Callable[[list[str]], tuple[list[Any], list[Bad]]]


@dataclass(frozen=True)
class Reference:
    """The file names an object of `model` by its unique field `by`; what is stored is its primary key."""

    model: type[models.Model]
    by: str


@dataclass(frozen=True)
class Column:
    """One column of the file and the field that it fills; `merged` columns keep corrections.

    One with `refers` holds the code of an object that must exist. Without `stored` it is staged as text for the
    matching only, and fills no field.
    """

    field: str
    header: str
    parse: Parser
    aliases: tuple[str, ...] = ()
    # Titles that other people give such a column: a guess to be confirmed, never taken without asking.
    guesses: tuple[str, ...] = ()
    required: bool = False
    merged: bool = True
    refers: Reference | None = None
    stored: bool = True


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


class Completer(Protocol):
    """Works out what new objects get beside what their rows say, such as a slug.

    `plan` fills the table `imports_completed`, which has a line and these fields, for every row of `imports_created`.
    A value of the row itself comes first, unless it is blank.
    """

    fields: Sequence[str]
    tables: Sequence[str]

    def plan(self, work: Any) -> None:
        """Fill the table for the rows that create an object; writes temporary tables only."""


# Adds to `imports_matched` the rows that it can tell the object of; returns how many rows it refused, and the first.
Identify = Callable[[Any], tuple[int, list[Refusal]]]
# Returns a sentence for each limit that a staged plan goes past, naming its setting.
Limits = Callable[[Any], list[str]]


@dataclass(frozen=True)
class PlanCheck:
    """Something to be told of a stored plan: `look` finds it (as JSON) while the plan's tables are there, `template`
    shows it on the plan's page as `found`."""

    name: str
    look: Callable[[Any], Any]
    template: str


@dataclass(frozen=True)
class ImportSpec:
    """Everything the generic import needs to know about one kind of file.

    `key` is the field that stays when an object is renamed; `natural` is the primary key; `upstream` the JSON field
    that holds the values upstream had when they were last applied; `active` is what `--missing deactivate` clears.
    Without `upstream` a file can only be corrections by hand.

    A row that gives neither key nor primary key is about the object that has the same values of the fields in
    `identity`; or `identify` finds it. No two objects may have the same values of the fields of a group in `unique`.
    Without `creates`, rows about no object are skipped. `label` is the field that people know an object by. `read` is
    for files that are no table with titles.
    """

    name: str
    model: type[models.Model]
    key: str | None
    natural: str
    upstream: str | None
    active: str | None
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    # What people call the upstream whose snapshots are imported.
    upstream_title: str = ""
    linker: Linker | None = None
    read: Callable[[SourceFile, Reading | None], RawFile] = read
    identity: tuple[str, ...] = ()
    identify: Identify | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    completer: Completer | None = None
    creates: bool = True
    label: str = "name"
    # What stops an import that goes past it, unless a person says so; and what people are told of a plan.
    limits: tuple[Limits, ...] = ()
    checks: tuple[PlanCheck, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of which each alone names an object: the key, where there is one, and the primary key."""
        return tuple(name for name in (self.key, self.natural) if name)

    @cached_property
    def automatic(self) -> bool:
        """Whether the database gives the primary key, so that a new row has none and no object is ever renamed."""
        return isinstance(self.model._meta.get_field(self.natural), models.AutoField)

    @cached_property
    def identity_columns(self) -> tuple[str, ...]:
        """The columns that together name an object: those that `identity` is worked out from."""
        follows = {each.field: each.follows for each in self.derived}
        return tuple(follows.get(field, field) for field in self.identity)

    @cached_property
    def references(self) -> tuple[Column, ...]:
        """The columns that name another object by its code."""
        return tuple(column for column in self.columns if column.refers)

    @cached_property
    def watched(self) -> tuple[type[models.Model], ...]:
        """The models that a plan reads: what is imported, what its rows refer to, and what they are linked to."""
        read = [self.model, *(column.refers.model for column in self.references)]
        return tuple(dict.fromkeys([*read, *(self.linker.models if self.linker else ())]))

    @cached_property
    def required(self) -> tuple[Column, ...]:
        """The columns that a snapshot of upstream must have."""
        return tuple(column for column in self.columns if column.required)

    def derived_in(self, fields: set[str]) -> Iterator[Derived]:
        """Yield the derived values that can be worked out when the file fills `fields`."""
        return (each for each in self.derived if each.follows in fields)
