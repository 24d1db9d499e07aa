"""Which columns of a spec a header has: as the options map them, else by title, alias or the name of the field."""

from collections.abc import Iterable, Sequence

from apps.imports.results import ImportOptions
from apps.imports.spec import Column, ImportSpec


def columns_found(header: Sequence[str], spec: ImportSpec, options: ImportOptions) -> list[tuple[Column, int]]:
    """Return the spec's columns that `header` has, and where, wanted or not."""
    places = {title.casefold(): index for index, title in reversed(list(enumerate(header)))}
    found = []
    for column in spec.columns:
        index = next((places[title] for title in _wanted_titles(column, options) if title in places), None)
        if index is not None:
            found.append((column, index))
    return found


def is_wanted(column: Column, spec: ImportSpec, options: ImportOptions) -> bool:
    """Whether the column is read; what names an object always is."""
    return is_chosen(column, options) or column.field in spec.names or column.field in spec.identity_columns


def is_chosen(column: Column, options: ImportOptions) -> bool:
    """Whether values are taken from the column; all are, unless some were chosen."""
    return options.columns is None or column.field in options.columns


def lacking(fields: Iterable[str], spec: ImportSpec, *, corrections: bool) -> list[str]:
    """Return the titles of the columns without which such a file cannot be taken; empty when nothing is lacking."""
    there = set(fields)
    if not corrections:
        return [column.header for column in spec.required if column.field not in there]
    together = set(spec.identity_columns)
    if there & set(spec.names) or (together and together <= there):
        return []
    alone = [column.header for column in spec.columns if column.field in spec.names]
    jointly = [column.header for column in spec.columns if column.field in together]
    return [" or ".join([*alone, " and ".join(jointly)] if jointly else alone)]


def titles_of(column: Column) -> tuple[str, ...]:
    """Return what a column may be called in a file, our own title first."""
    return (column.header, *column.aliases, column.field)


def _wanted_titles(column: Column, options: ImportOptions) -> list[str]:
    if options.mapping is not None:
        return [options.mapping[column.field].casefold()] if options.mapping.get(column.field) else []
    return [title.casefold() for title in titles_of(column)]
