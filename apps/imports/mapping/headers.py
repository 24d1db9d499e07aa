"""Which column of a file fills which field: by our titles, by an earlier mapping, or as a person says."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from apps.changesets.models import Actor
from apps.imports.errors import ColumnsMissing
from apps.imports.mapping.changes import shares, why_not_change
from apps.imports.mapping.guesses import guess_columns
from apps.imports.mapping.layout import changes_for, columns_found, is_own_export, is_wanted, missing_columns
from apps.imports.models import HeaderMapping
from apps.imports.results import Changes, ImportOptions, changes_as_json, changes_from_json
from apps.imports.spec import ImportSpec


def columns_taken(header: list[str], spec: ImportSpec, options: ImportOptions) -> dict[str, str]:
    """Return the title of the column that fills each field."""
    present = columns_found(header, spec, options)
    return {column.field: header[index] for column, index in present if is_wanted(column, spec, options)}


def needs_mapping(
    header: list[str], spec: ImportSpec, options: ImportOptions, rows: Sequence[Sequence[str]] = ()
) -> bool:
    """Whether a person should map the columns: a required one is missing, a column that is taken does not look like it,
    one that is not taken does, its values need a change, or the file has our own automatic keys without being our
    export; `rows` are a sample of the file."""
    # Columns that a person left out are there all the same.
    taken = columns_taken(header, spec, replace(options, columns=None))
    if missing_columns(taken, spec, corrections=options.corrections, match=options.match):
        return True
    if options.mapping is not None or options.columns is not None:
        return False
    if spec.automatic and spec.pk in taken and not is_own_export(header, spec):
        return True
    guesses = guess_columns(header, rows, spec)
    said = {column.field: changes_for(column, spec, options) for column in spec.columns}
    return {guess.field: guess.title for guess in guesses} != taken or any(
        guess.change and guess.change not in said[guess.field] for guess in guesses
    )


def settle(
    options: ImportOptions, header: list[str], spec: ImportSpec, name: str
) -> tuple[ImportOptions, HeaderMapping | None]:
    """Return the options with the columns that a command names, or else as they were mapped before where that is open.

    The earlier mapping comes along where it is taken. Raises ColumnsMissing for a named title that is not there.
    """
    if options.named:
        there = {title.casefold(): title for title in header}
        for field, title in options.named.items():
            if title.casefold() not in there:
                titles = ", ".join(title[:40] for title in header[:30])
                raise ColumnsMissing(f"{name} has no column {title[:60]}, which is to fill {field}. Found: {titles}.")
        named = {field: there[title.casefold()] for field, title in options.named.items()}
        found = columns_taken(header, spec, options)
        others = {field: title for field, title in found.items() if title not in named.values()}
        return replace(options, mapping={**others, **named}), None
    if options.mapping is None and needs_mapping(header, spec, options):
        known = recall(header, spec)
        if known is not None and not why_not_again(known, header, spec, options):
            return as_before(options, known), known
    return options, None


def as_before(options: ImportOptions, known: HeaderMapping) -> ImportOptions:
    """Return the options with columns and changes of values as they were for the same titles before."""
    return replace(options, mapping=known.mapping, changes=changes_from_json(known.changes), columns=None)


def why_not_again(known: HeaderMapping, header: list[str], spec: ImportSpec, options: ImportOptions) -> str | None:
    """Return why a header cannot be mapped as it was before, or None."""
    gone = known.mapping.keys() - {column.field for column in spec.columns}
    if gone:
        return f"The mapping that is remembered for these titles fills {', '.join(sorted(gone))}, which is gone."
    again = as_before(options, known)
    for why in map(why_not_change, (change for steps in again.changes.values() for change in steps)):
        if why:
            return f"The mapping that is remembered for these titles does not hold. {why}"
    taken = columns_taken(header, spec, again)
    lacking = missing_columns(taken, spec, corrections=options.corrections, match=options.match)
    return f"The mapping that is remembered for these titles lacks {', '.join(lacking)}." if lacking else None


def chosen_twice(mapping: Mapping[str, str], changes: Changes | None = None) -> list[str]:
    """Return a sentence for each column of the file that is to fill two fields, unless each takes its part of it."""
    sentences = []
    first: dict[str, str] = {}
    for field, title in mapping.items():
        other = first.setdefault(title.casefold(), field)
        if other != field and not shares((changes or {}).get(field, ())):
            sentences.append(f"The column {title[:60]} is chosen twice: for {other} and for {field}.")
    return sentences


def other_file(header: list[str], spec: ImportSpec) -> str:
    """Return the name of another file of the same upstream whose titles these are, or ""."""
    titles = {title.casefold() for title in header}
    return next((name for name, own in spec.other_files.items() if set(own) <= titles), "")


def remember(
    header: list[str], spec: ImportSpec, mapping: Mapping[str, str], *, changes: Changes | None = None, actor: Actor
) -> None:
    """Keep how this header was mapped and what its values need, for the next file that has it."""
    HeaderMapping.objects.update_or_create(
        spec=spec.name,
        header_sha256=_sha256(header),
        defaults={"mapping": dict(mapping), "changes": changes_as_json(changes or {}), "actor": actor},
    )


def recall(header: list[str], spec: ImportSpec) -> HeaderMapping | None:
    """Return how this header was mapped last, or None; `changes_from_json` reads its changes."""
    kept = HeaderMapping.objects.filter(spec=spec.name, header_sha256=_sha256(header)).select_related("actor")
    return kept.first()


def not_taken(header: list[str], taken: Mapping[str, str]) -> list[str]:
    """Return the titles of the columns that fill no field, in the order of the file; nameless ones are left out."""
    used = set(taken.values())
    return [title for title in header if title and title not in used]


def _sha256(header: list[str]) -> str:
    return hashlib.sha256(json.dumps([title.casefold() for title in header]).encode()).hexdigest()
