"""Which column of a file fills which field: by our titles, by an earlier mapping, or by a guess."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from apps.changesets.models import Actor
from apps.imports.errors import ColumnsMissing
from apps.imports.mapping.layout import columns_found, is_wanted, missing_columns, titles_of
from apps.imports.models import HeaderMapping
from apps.imports.results import ImportOptions
from apps.imports.spec import ImportSpec


def columns_taken(header: list[str], spec: ImportSpec, options: ImportOptions) -> dict[str, str]:
    """Return the title of the column that fills each field."""
    present = columns_found(header, spec, options)
    return {column.field: header[index] for column, index in present if is_wanted(column, spec, options)}


def guess_mapping(header: list[str], spec: ImportSpec) -> dict[str, str]:
    """Return for each field the column that most likely fills it; no column is guessed twice.

    Titles of ours come first, then those in which case and punctuation differ, then the spec's guesses.
    """
    plain: dict[str, str] = {}
    model = _plain(str(spec.model._meta.verbose_name))
    for title in header:
        for name in (_plain(title), _plain(title).removeprefix(model)):
            if name:
                plain.setdefault(name, title)
    guessed: dict[str, str] = {}
    used: set[str] = set()
    for names_of in (titles_of, lambda column: column.guesses):
        for column in spec.columns:
            guess = next((plain[name] for name in map(_plain, names_of(column)) if plain.get(name, "")), None)
            if guess is not None and column.field not in guessed and guess not in used:
                guessed[column.field] = guess
                used.add(guess)
    return guessed


def needs_mapping(header: list[str], spec: ImportSpec, options: ImportOptions) -> bool:
    """Whether a person should map the columns: a required one is missing, or a guess fits a field without column."""
    # Columns that a person left out are there all the same.
    taken = columns_taken(header, spec, replace(options, columns=None))
    if missing_columns(taken, spec, corrections=options.corrections):
        return True
    if options.mapping is not None or options.columns is not None:
        return False
    used = set(taken.values())
    return any(field not in taken and title not in used for field, title in guess_mapping(header, spec).items())


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
            return replace(options, mapping=known.mapping), known
    return options, None


def why_not_again(known: HeaderMapping, header: list[str], spec: ImportSpec, options: ImportOptions) -> str | None:
    """Return why a header cannot be mapped as it was before, or None."""
    gone = known.mapping.keys() - {column.field for column in spec.columns}
    if gone:
        return f"The mapping that is remembered for these titles fills {', '.join(sorted(gone))}, which is gone."
    taken = columns_taken(header, spec, replace(options, mapping=known.mapping, columns=None))
    lacking = missing_columns(taken, spec, corrections=options.corrections)
    return f"The mapping that is remembered for these titles lacks {', '.join(lacking)}." if lacking else None


def chosen_twice(mapping: Mapping[str, str]) -> list[str]:
    """Return a sentence for each column of the file that is to fill two fields."""
    sentences = []
    first: dict[str, str] = {}
    for field, title in mapping.items():
        other = first.setdefault(title.casefold(), field)
        if other != field:
            sentences.append(f"The column {title[:60]} is chosen twice: for {other} and for {field}.")
    return sentences


def other_file(header: list[str], spec: ImportSpec) -> str:
    """Return the name of another file of the same upstream whose titles these are, or ""."""
    titles = {title.casefold() for title in header}
    return next((name for name, own in spec.other_files.items() if set(own) <= titles), "")


def remember(header: list[str], spec: ImportSpec, mapping: Mapping[str, str], *, actor: Actor) -> None:
    """Keep how this header was mapped, for the next file that has it."""
    HeaderMapping.objects.update_or_create(
        spec=spec.name, header_sha256=_sha256(header), defaults={"mapping": dict(mapping), "actor": actor}
    )


def recall(header: list[str], spec: ImportSpec) -> HeaderMapping | None:
    """Return how this header was mapped last, or None."""
    kept = HeaderMapping.objects.filter(spec=spec.name, header_sha256=_sha256(header)).select_related("actor")
    return kept.first()


def not_taken(header: list[str], taken: Mapping[str, str]) -> list[str]:
    """Return the titles of the columns that fill no field, in the order of the file; nameless ones are left out."""
    used = set(taken.values())
    return [title for title in header if title and title not in used]


def _plain(title: str) -> str:
    """Return a title without case, spaces and punctuation: `Airport-Name` and `airport name` are the same."""
    return re.sub(r"[\W_]+", "", title.casefold())


def _sha256(header: list[str]) -> str:
    return hashlib.sha256(json.dumps([title.casefold() for title in header]).encode()).hexdigest()
