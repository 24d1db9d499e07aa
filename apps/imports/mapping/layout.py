"""Layout: which columns of a spec a file has, where they are, and how its blank cells are meant.

A column is found as the options map it, else by title, alias or the name of its field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from apps.imports.errors import ColumnsMissing, OptionsContradict
from apps.imports.mapping.changes import ValueChange, changed, why_not_change
from apps.imports.mapping.columns import Column, Derived
from apps.imports.results import ImportOptions
from apps.imports.spec import ImportSpec, MatchChoice


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
    # The key that a person chose to match by.
    match: MatchChoice | None = None
    ignores_case: bool = False
    # What the cells of a field need before they are parsed; most files need nothing.
    changes: Mapping[str, Sequence[ValueChange]] = field(default_factory=dict)

    def changed(self, column: Column, cells: Sequence[str]) -> list[str]:
        """Return the cells of a column as they are parsed."""
        steps = self.changes.get(column.field)
        after = changed(cells, steps) if steps else list(cells)
        return [cell.upper() for cell in after] if self.ignores_case and column.field in self.codes else after

    @property
    def alone(self) -> tuple[str, ...]:
        """The columns of which each alone names an object."""
        if self.match is None:
            return self.spec.key_fields
        return () if self.match.together else self.match.fields

    @property
    def together(self) -> tuple[str, ...]:
        """The columns that together name an object."""
        if self.match is None:
            return self.spec.match_columns
        return tuple(sorted(self.match.columns(self.spec))) if self.match.together else ()

    @property
    def codes(self) -> set[str]:
        """The columns that name an object by a code, and not by a name that people write as they like."""
        return {*self.alone, *self.together} - set(self.spec.follows.values())

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
        return self.corrections or self.sparse or not {column.field for column in self.spec.required} <= self.fields

    @property
    def not_taken(self) -> list[str]:
        """The titles of columns that the file has and that nothing is taken from."""
        taken = {index for _column, index in self.columns}
        return [title for index, title in enumerate(self.header) if title and index not in taken]

    @property
    def merged(self) -> list[str]:
        """The fields whose upstream values the file gives, always in the same order."""
        given = (self.fields - self.naming_only) | {derived.field for derived in self.derived}
        return [field for field in self.spec.merged if field in given]

    @property
    def lacking(self) -> list[str]:
        """The fields whose upstream values are kept and that the file does not give."""
        given = set(self.merged)
        return [field for field in self.spec.merged if field not in given]

    @property
    def staged(self) -> list[str]:
        """The staged columns in order, without line and upstream."""
        return [column.field for column, _index in self.columns] + [derived.field for derived in self.derived]


def layout_of(header: Sequence[str], spec: ImportSpec, *, options: ImportOptions, name: str) -> Layout:
    """Find the spec's columns in `header`: as the options map them, else by title, alias or the name of the field.

    Raises ColumnsMissing naming what is missing and what was found, OptionsContradict for a change that there is not.
    """
    for change in (change for steps in options.changes.values() for change in steps):
        if why := why_not_change(change):
            raise OptionsContradict(why)
    present = columns_found(header, spec, options)
    fields = [column.field for column, _index in present]
    missing = missing_columns(fields, spec, corrections=options.corrections, match=options.match)
    if missing:
        raise ColumnsMissing(_missing_sentence(name, missing, header))
    taken = [(column, index) for column, index in present if is_wanted(column, spec, options)]
    match = spec.match_choices.get(options.match)
    naming = {column.field for column, _index in taken if not is_chosen(column, options)}
    return Layout(
        spec=spec,
        header=tuple(header),
        columns=tuple(taken),
        corrections=options.corrections,
        sparse=not options.blank_clears,
        naming_only=frozenset(naming | _not_believed(spec, options)),
        match=match,
        ignores_case=options.ignore_case,
        changes={column.field: steps for column, _index in taken if (steps := changes_for(column, spec, options))},
    )


def _not_believed(spec: ImportSpec, options: ImportOptions) -> set[str]:
    """Return the columns that change nothing, since another key was chosen or they are written in another case."""
    fields = {spec.pk} if options.ignore_case else set()
    match = spec.match_choices.get(options.match)
    if match is None or spec.stable_key in match.fields:
        return fields
    own = match.columns(spec) if options.corrections else set()
    return fields | own | (set(spec.key_fields) - set(match.fields))


def changes_for(column: Column, spec: ImportSpec, options: ImportOptions) -> list[ValueChange]:
    """Return what the values of a column need: what was chosen for it, then how the file writes numbers.

    A sign that is the decimal sign of the file groups thousands in whole numbers only.
    """
    steps = list(options.changes.get(column.field, ()))
    whole = spec.numbers.get(column.field) if column.stored else None
    if whole is None:
        return steps
    if options.thousands and (whole or options.thousands != options.decimal):
        steps.append(ValueChange("thousands", options.thousands))
    if options.decimal == "comma":
        steps.append(ValueChange("decimal_comma"))
    return steps


def effective(options: ImportOptions, header: Sequence[str], spec: ImportSpec) -> ImportOptions:
    """Return the options as they hold for a file with this header: what this console exported is corrections, and
    says null only where that is the text."""
    own = is_own_export(header, spec)
    if own:
        options = replace(options, null_words=frozenset())
    return replace(options, corrections=True) if own and spec.stable_key else options


def is_own_export(header: Sequence[str], spec: ImportSpec) -> bool:
    """Whether the file was exported from this console: it names the stable key as the field is called here, or has
    exactly our columns."""
    titles = {title.casefold() for title in header}
    own = next((column for column in spec.columns if column.field == spec.stable_key), None)
    if list(header) == [column.field for column in spec.columns if column.stored]:
        return True
    return own is not None and own.field in titles and own.header.casefold() not in titles


def _missing_sentence(name: str, missing: list[str], header: Sequence[str]) -> str:
    titles = ", ".join(title[:40] for title in header[:30])
    return f"{name} lacks the columns {', '.join(missing)}. Found: {titles}."


def columns_found(header: Sequence[str], spec: ImportSpec, options: ImportOptions) -> list[tuple[Column, int]]:
    """Return the spec's columns that `header` has, and where, wanted or not."""
    places = {title.casefold(): index for index, title in reversed(list(enumerate(header)))}
    key = spec.match_choices.get(options.match)
    present = []
    for column in spec.columns:
        index = next((places[title] for title in _wanted_titles(column, options, key) if title in places), None)
        if index is None and any(change.name == "constant" for change in options.changes.get(column.field, ())):
            # What stands in the column is no matter.
            index = 0
        if index is not None:
            present.append((column, index))
    return present


def is_wanted(column: Column, spec: ImportSpec, options: ImportOptions) -> bool:
    """Whether the column is read; what names an object always is."""
    match = spec.match_choices.get(options.match)
    naming = {*spec.key_fields, *spec.match_columns, *(match.columns(spec) if match else ())}
    return is_chosen(column, options) or column.field in naming


def is_chosen(column: Column, options: ImportOptions) -> bool:
    """Whether values are taken from the column; all are, unless some were chosen."""
    return options.columns is None or column.field in options.columns


def missing_columns(fields: Iterable[str], spec: ImportSpec, *, corrections: bool, match: str = "") -> list[str]:
    """Return the titles of the columns without which such a file cannot be taken; empty when nothing is lacking."""
    present = set(fields)
    if choice := spec.match_choices.get(match):
        naming = choice.columns(spec)
        if not (naming <= present if choice.together else naming & present):
            titles = [column.header for column in spec.columns if column.field in naming]
            return [(" and " if choice.together else " or ").join(titles)]
        if corrections:
            return []
    if not corrections:
        return [column.header for column in spec.required if column.field not in present]
    together = set(spec.match_columns)
    if present & set(spec.key_fields) or (together and together <= present):
        return []
    alone = [column.header for column in spec.columns if column.field in spec.key_fields]
    jointly = [column.header for column in spec.columns if column.field in together]
    return [" or ".join([*alone, " and ".join(jointly)] if jointly else alone)]


def likely_match(fields: Iterable[str], spec: ImportSpec, options: ImportOptions) -> str:
    """Return the key to match by: as a person chose, or the first one that the file has where it lacks the usual."""
    fields = set(fields)
    if options.match or not missing_columns(fields, spec, corrections=True):
        return options.match
    return next(
        (key for key in spec.match_choices if not missing_columns(fields, spec, corrections=True, match=key)), ""
    )


def titles_of(column: Column) -> tuple[str, ...]:
    """Return what a column may be called in a file, our own title first."""
    return (column.header, *column.aliases, column.field)


def _wanted_titles(column: Column, options: ImportOptions, key: MatchChoice | None) -> list[str]:
    if options.mapping is not None:
        return [options.mapping[column.field].casefold()] if options.mapping.get(column.field) else []
    titles = titles_of(column)
    if key and column.field in key.fields:
        # The person said that the file has it.
        titles += column.guesses
    return [title.casefold() for title in titles]
