"""How an app declares the columns of its files, and the values that are worked out from them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import models

from apps.changesets.fields import field_of
from apps.imports.looks import LooksLike
from apps.imports.mapping.changes import ValueChange
from apps.imports.parsers import Parser, as_field, parser_of


@dataclass(frozen=True)
class Reference:
    """The file names an object of `model` by its unique field `by`; what is stored is its primary key."""

    model: type[models.Model]
    by: str


@dataclass(frozen=True)
class Column:
    """One column of the file and the field that it fills; `merged` columns keep corrections.

    Without a `header` it is called as the field is, without `parse` it is read as the field takes it. What people
    give, in corrections and forms, is read by `by_hand` if that is stricter: upstream's faults are taken, and found by
    rules of quality. `beside` names another field, and says why a value does not fit to that one's, or nothing.

    One with `refers` holds the code of an object that must exist. Without `stored` it is staged as text for the
    matching only, and fills no field.
    """

    field: str
    header: str = ""
    parse: Parser = as_field
    by_hand: Parser = as_field
    beside: tuple[str, Callable[[str, str], str]] | None = None
    aliases: tuple[str, ...] = ()
    # Titles that other people give such a column: a guess to be confirmed, never taken without asking.
    guesses: tuple[str, ...] = ()
    # The same, of columns whose values must be changed first, such as metres to feet.
    changed_guesses: tuple[tuple[str, ValueChange], ...] = ()
    # How its values look, the likeliest first: a guess under any title, and a reason against a title of others.
    looks_like: tuple[LooksLike, ...] = ()
    required: bool = False
    merged: bool = True
    refers: Reference | None = None
    stored: bool = True

    def of(self, model: type[models.Model]) -> "Column":
        """Return the column with header and parser of the model's field where it declares none."""
        header, parse = self.header or self.field, self.parse
        if parse is as_field:
            target, name = (self.refers.model, self.refers.by) if self.refers else (model, self.field)
            parse = parser_of(field_of(target, name), required=self.required)
        return replace(self, header=header, parse=parse, by_hand=parse if self.by_hand is as_field else self.by_hand)


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
class Follower:
    """A text made of another one, and made again when that one changes; it stays where it was something else."""

    field: str
    follows: str
    make: Callable[[str], str]
