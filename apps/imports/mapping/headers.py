"""Which column of a file fills which field: by our titles, by an earlier mapping, or as a person says."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from apps.changesets.models import Actor
from apps.imports.mapping.guesses import guess_columns
from apps.imports.mapping.layout import changes_for, columns_found, is_wanted, missing_columns
from apps.imports.models import HeaderMapping
from apps.imports.results import Changes, ImportOptions, changes_as_json
from apps.imports.spec import ImportSpec


def columns_taken(header: list[str], spec: ImportSpec, options: ImportOptions) -> dict[str, str]:
    """Return the title of the column that fills each field."""
    present = columns_found(header, spec, options)
    return {column.field: header[index] for column, index in present if is_wanted(column, spec, options)}


def needs_mapping(
    header: list[str], spec: ImportSpec, options: ImportOptions, rows: Sequence[Sequence[str]] = ()
) -> bool:
    """Whether a person should map the columns: a required one is missing, a column that is taken does not look like it,
    one that is not taken does, or its values need a change; `rows` are a sample of the file."""
    # Columns that a person left out are there all the same.
    taken = columns_taken(header, spec, replace(options, columns=None))
    if missing_columns(taken, spec, corrections=options.corrections):
        return True
    if options.mapping is not None or options.columns is not None:
        return False
    guesses = guess_columns(header, rows, spec)
    said = {column.field: changes_for(column, spec, options) for column in spec.columns}
    return {guess.field: guess.title for guess in guesses} != taken or any(
        guess.change and guess.change not in said[guess.field] for guess in guesses
    )


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
