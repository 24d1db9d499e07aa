"""Which column of a file fills which field, as a person says on the page between upload and plan."""

from collections.abc import Mapping
from typing import Any

from apps.imports.mapping import headers
from apps.imports.mapping.layout import missing_columns
from apps.imports.models import ImportRun
from apps.imports.results import ImportOptions
from apps.imports.runs.preview import Preview
from apps.imports.spec import ImportSpec

PREFIX = "column-"
# How many values help to tell which column is which.
_VALUES = 3


def guessed_columns(run: ImportRun, shown: Preview, spec: ImportSpec, options: ImportOptions) -> dict[str, str]:
    """Return the current mapping where the titles are still the same, or the last one of this header, or a guess."""
    header = shown.header
    if options.mapping is not None and header == run.header:
        return headers.columns_taken(header, spec, options)
    known = headers.recall(header, spec)
    if known is not None:
        fields = {column.field for column in spec.columns}
        return {field: title for field, title in known.mapping.items() if field in fields and title in header}
    taken = headers.columns_taken(header, spec, ImportOptions(corrections=options.corrections))
    used = set(taken.values())
    guessed = headers.guess_mapping(header, spec)
    return {**{field: title for field, title in guessed.items() if title not in used}, **taken}


def posted_columns(posted: Mapping[str, str], header: list[str], spec: ImportSpec) -> dict[str, str]:
    """Return the columns that a person chose, by field; what the file lacks is left out."""
    titles = set(header) - {""}
    chosen = {column.field: posted.get(PREFIX + column.field, "") for column in spec.columns}
    return {field: title for field, title in chosen.items() if title in titles}


def mapping_errors(chosen: dict[str, str], spec: ImportSpec, *, corrections: bool) -> list[str]:
    """Return a sentence for each reason why nothing can be planned with these columns."""
    errors = []
    lacking = missing_columns(chosen, spec, corrections=corrections)
    if lacking and corrections:
        errors.append(f"Say which column has the {', '.join(lacking)}: without it no object is known.")
    elif lacking:
        title = spec.upstream_title or spec.name
        errors.append(
            f"A snapshot of {title} needs the columns {', '.join(lacking)}: say which they are, "
            "or take the file as corrections by hand."
        )
    return errors + headers.chosen_twice(chosen)


def mapping_rows(spec: ImportSpec, chosen: dict[str, str], shown: Preview) -> list[dict[str, Any]]:
    """Return the rows of the table of fields, each with its column and the first values."""
    places = {title: place for place, title in reversed(list(enumerate(shown.header)))}
    names = {*spec.key_fields, *spec.match_columns}
    fields = []
    for column in spec.columns:
        title = chosen.get(column.field, "")
        place = places.get(title)
        values = [row[place] for _line, row in shown.rows if place is not None and place < len(row)]
        fields.append(
            {
                "name": PREFIX + column.field,
                "header": column.header,
                "title": title,
                "values": [value for value in values if value.strip()][:_VALUES],
                "required": column.required,
                "names_object": column.field in names,
            }
        )
    return fields
