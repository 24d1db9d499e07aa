"""The values that objects had at a moment, in words: links by what their target was called then."""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from apps.changesets.fields import AnyField, target_of
from apps.changesets.formulas import harmless
from apps.changesets.history.as_of import Moment, last_row, state_at
from apps.changesets.history.values import names_of, value_label
from apps.changesets.tracking import Tracked, tracked_for

CHUNK = 2000


def fields_shown(tracked: Tracked) -> list[AnyField]:
    """Return the fields that tell about an object: the key, and what people may set."""
    return [field for field in tracked.model._meta.concrete_fields if field.primary_key or field.editable]


def values_then(
    tracked: Tracked, rows: Sequence[Any], moment: Moment, *, using: str = "default"
) -> list[dict[str, Any]]:
    """Return for each history row its values by field name; the queries are one or two for each link field."""
    fields = fields_shown(tracked)
    labels = {field: _labels(field, rows, moment, using) for field in fields if field.is_relation}
    return [
        {field.name: value_label(field, getattr(row, field.attname), labels.get(field)) for field in fields}
        for row in rows
    ]


def csv_lines(tracked: Tracked, moment: Moment, *, using: str = "default") -> Iterator[str]:
    """Yield the table as it was at the moment as lines of CSV, a chunk of rows at a time, safe for spreadsheets."""
    writer = csv.writer(_Echo())
    names = [field.name for field in fields_shown(tracked)]
    yield writer.writerow(names)
    # Reading the last upstream values of each row would take as long as all the rest.
    columns = ("history_id", *(field.attname for field in fields_shown(tracked)))
    state = state_at(tracked, last_row(tracked, moment, using=using), using=using)
    rows = state.only(*columns).iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        for values in values_then(tracked, chunk, moment, using=using):
            yield writer.writerow([harmless(values[name]) for name in names])


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _labels(field: AnyField, rows: Sequence[Any], moment: Moment, using: str) -> dict[Any, str]:
    """Return what the targets of a link field were called at the moment; one gone by then has no label."""
    keys = {getattr(row, field.attname) for row in rows} - {None}
    try:
        target = tracked_for(target_of(field))
    except LookupError:
        return names_of(target_of(field), keys, using=using)
    if not keys:
        return {}
    pk = target.model._meta.pk.attname
    rows_then = state_at(target, last_row(target, moment, using=using), keys=keys, using=using)
    return {getattr(row, pk): str(row.instance) for row in rows_then}
