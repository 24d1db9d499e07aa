"""Layout: which columns of a spec a file has, where they are, and how its blank cells are meant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.imports.errors import ColumnsMissing
from apps.imports.mapping.columns import columns_found, is_chosen, is_wanted, lacking
from apps.imports.results import ImportOptions
from apps.imports.spec import Column, Derived, ImportSpec


@dataclass(frozen=True)
class Layout:
    """Which columns of the spec a file has, and where; `sparse`: a blank cell leaves the value alone."""

    spec: ImportSpec
    header: tuple[str, ...]
    columns: tuple[tuple[Column, int], ...]
    corrections: bool
    sparse: bool
    # Fields of columns that were not chosen, and are read because they say which object a row is about.
    naming_only: frozenset[str] = frozenset()

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.header)

    @property
    def fields(self) -> set[str]:
        """The fields that the file fills itself."""
        return {column.field for column, _index in self.columns}

    @property
    def derived(self) -> tuple[Derived, ...]:
        """The values that are worked out from columns of the file."""
        return tuple(self.spec.derived_in(self.fields))

    @property
    def partial(self) -> bool:
        """Whether a row may lack values that a new object needs."""
        return self.corrections or self.sparse or not {each.field for each in self.spec.required} <= self.fields

    @property
    def not_taken(self) -> list[str]:
        """The titles of columns that the file has and that nothing is taken from."""
        taken = {index for _column, index in self.columns}
        return [title for index, title in enumerate(self.header) if title and index not in taken]

    @property
    def merged(self) -> list[str]:
        """The fields whose upstream values are kept, always in the same order."""
        columns = [column for column, _index in self.columns if column.field not in self.naming_only]
        merged = [column.field for column in columns if column.merged]
        return merged + [each.field for each in self.derived if each.merged]

    @property
    def staged(self) -> list[str]:
        """The staged columns in order, without line and upstream."""
        return [column.field for column, _index in self.columns] + [each.field for each in self.derived]


def layout_of(header: Sequence[str], spec: ImportSpec, *, options: ImportOptions, name: str) -> Layout:
    """Find the spec's columns in `header`: as the options map them, else by title, alias or the name of the field.

    Raises ColumnsMissing naming what is missing and what was found.
    """
    found = columns_found(header, spec, options)
    missing = lacking((column.field for column, _index in found), spec, corrections=options.corrections)
    if missing:
        raise ColumnsMissing(_missing_sentence(name, missing, header))
    taken = [(column, index) for column, index in found if is_wanted(column, spec, options)]
    return Layout(
        spec=spec,
        header=tuple(header),
        columns=tuple(taken),
        corrections=options.corrections,
        sparse=not options.blank_clears,
        naming_only=frozenset(column.field for column, _index in taken if not is_chosen(column, options)),
    )


def effective(options: ImportOptions, header: Sequence[str], spec: ImportSpec) -> ImportOptions:
    """Return the options as they hold for a file with this header: what this console exported is corrections."""
    return replace(options, corrections=True) if is_own_export(header, spec) else options


def is_own_export(header: Sequence[str], spec: ImportSpec) -> bool:
    """Whether the file was exported from this console: it names the stable key as the field is called here."""
    titles = {title.casefold() for title in header}
    own = next((column for column in spec.columns if column.field == spec.key), None)
    return own is not None and own.field in titles and own.header.casefold() not in titles


def _missing_sentence(name: str, missing: list[str], header: Sequence[str]) -> str:
    found = ", ".join(title[:40] for title in header[:30])
    return f"{name} lacks the columns {', '.join(missing)}. Found: {found}."
